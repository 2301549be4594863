use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::chance::Chance;
use super::world::World;
use crate::client::Client;
use crate::model::JsonMap;
use crate::transport::{HeartbeatArgs, InspectionArgs};

const AGENT: &str = "http://192.0.2.9:9999";

/// The agent of one machine's ramdisk, whenever that runs.
pub(super) struct Agent {
    pub(super) world: Arc<World>,
    pub(super) client: Client,
    pub(super) node: Uuid,
    pub(super) chance: Chance,
    pub(super) over: CancellationToken,
}

impl Agent {
    pub(super) async fn live(self) {
        let over = self.over.clone();
        tokio::select! {
            biased;
            () = over.cancelled() => {}
            () = self.boot_by_boot() => {}
        }
    }

    async fn boot_by_boot(&self) {
        let Some(booted) = self
            .world
            .machine(self.node, |machine| Arc::clone(&machine.booted))
        else {
            return;
        };
        loop {
            let again = booted.notified();
            let boot = self.world.machine(self.node, |machine| {
                machine.in_ramdisk.then_some(machine.boot)
            });
            match boot.flatten() {
                None => again.await,
                Some(boot) => {
                    tokio::select! {
                        biased;
                        () = again => {}
                        () = self.run(boot) => {}
                    }
                }
            }
        }
    }

    /// One run of the ramdisk; ends when the machine restarts by itself. Some hang before they
    /// have said anything.
    async fn run(&self, boot: u64) {
        if self.world.weather.agent_hangs(&self.chance) {
            return std::future::pending().await;
        }
        sleep(self.chance.seconds(10, 40)).await;
        self.report().await;
        let mut token = None;
        loop {
            match self.call(&mut token, boot).await {
                Ok(()) => sleep(self.chance.seconds(20, 60)).await,
                Err(_) => sleep(self.chance.seconds(3, 10)).await,
            }
            if self.world.weather.agent_restarts(&self.chance) {
                self.world.machine(self.node, |machine| machine.start());
                return;
            }
        }
    }

    /// Tells what was found, where that is what the ramdisk was booted for.
    async fn report(&self) {
        let reports = self
            .world
            .machine(self.node, |it| it.reports.then(|| it.name.clone()));
        let Some(name) = reports.flatten() else {
            return;
        };
        for _ in 0..5 {
            let serial = [("serial".to_owned(), Value::from(name.as_str()))];
            let found = InspectionArgs::new(serial.into_iter().collect(), JsonMap::new());
            let told = self.client.continue_inspection(Some(self.node), &[], found);
            match told.await {
                Ok(_) => return,
                Err(_) => sleep(self.chance.seconds(3, 10)).await,
            }
        }
    }

    async fn call(&self, token: &mut Option<String>, boot: u64) -> Result<(), crate::Error> {
        if token.is_none() {
            let found = self.client.lookup(Some(self.node), &[]).await?;
            *token = found.agent_token;
        }
        self.world.machine(self.node, |machine| {
            if machine.boot == boot {
                machine.agent_listens = true;
            }
        });
        let before = self.world.calls(self.node);
        let args = HeartbeatArgs::new(AGENT, token.clone());
        self.client.heartbeat(self.node, args).await?;
        self.world.heard(self.node, before);
        Ok(())
    }
}

/// Machines that gain and lose power by themselves, while the storm lasts.
pub(super) async fn glitches(world: Arc<World>, nodes: Vec<Uuid>) {
    let chance = world.chance("glitches", 0);
    while world.weather.has_power_glitches() {
        sleep(chance.between(Duration::from_secs(1), Duration::from_secs(30))).await;
        let Some(node) = chance.pick(&nodes) else {
            return;
        };
        world.machine(node, |machine| {
            if machine.on {
                machine.lose_power();
            } else {
                machine.start();
            }
        });
    }
}
