//! A machine behind a virtual BMC.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ironic_vbmc::{Firmware, MachineEvent, MachineReport, SimulatedMachine, Timings, VirtualBmc};
use tokio::sync::broadcast::{Receiver, Sender, error::TryRecvError};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::site::{Doings, MAC, PATIENCE, Site};

pub(crate) struct Machine {
    pub(crate) bmc: SocketAddr,
    events: Receiver<MachineReport>,
    serving: JoinHandle<()>,
    watching: JoinHandle<()>,
}

impl Machine {
    pub(crate) async fn start(site: &mut Site, firmware: Firmware, self_test: Duration) -> Self {
        let events = Sender::new(4096);
        let machine = SimulatedMachine::builder(MAC.into(), reqwest::Client::new())
            .name("machine")
            .disk(site.path().join("disk.img"), 4 << 30)
            .firmware(firmware)
            .timings(Timings::new().self_test(self_test))
            .dhcp(site.dhcp)
            .tftp(site.tftp)
            .events(events.clone())
            .tune_agent(|agent| {
                agent.listen_host = Some([127, 0, 0, 1].into());
                agent.listen_port = 0;
                agent.advertise_host = Some("127.0.0.1".to_owned());
                agent.min_heartbeat_interval = Duration::from_secs(1);
                agent.dhcp_wait = Duration::ZERO;
            })
            .build()
            .unwrap();
        let bmc = VirtualBmc::bind(([127, 0, 0, 1], 0).into(), "admin", "password");
        let bmc = bmc.await.unwrap();
        let doings = Doings::default();
        site.watch(Arc::clone(&doings));
        let mut watched = events.subscribe();
        let watching = tokio::spawn(async move {
            while let Ok(report) = watched.recv().await {
                doings.lock().unwrap().push(report.event.to_string());
            }
        });
        Self {
            watching,
            bmc: bmc.address(),
            events: events.subscribe(),
            serving: tokio::spawn(async move {
                let _ = bmc.serve(Arc::new(machine)).await;
            }),
        }
    }

    /// What has happened that nobody asked about yet.
    pub(crate) fn so_far(&mut self) -> Vec<MachineEvent> {
        let mut events = Vec::new();
        loop {
            match self.events.try_recv() {
                Ok(report) => events.push(report.event),
                Err(TryRecvError::Empty) => return events,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waits for an event, and takes from it what is wanted.
    pub(crate) async fn until<T>(&mut self, wanted: impl Fn(MachineEvent) -> Option<T>) -> T {
        let mut seen = Vec::new();
        let happens = async {
            loop {
                let event = self.events.recv().await.unwrap().event;
                seen.push(event.to_string());
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        match timeout(PATIENCE, happens).await {
            Ok(found) => found,
            Err(_) => panic!("it does not happen; what does is {seen:#?}"),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.serving.abort();
        self.watching.abort();
    }
}
