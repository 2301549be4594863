//! Power: what the BMC can do, and what is lost with it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use ironic_drivers_ipmi::{
    codec::CompletionCode,
    command::{BootDevice, BootFlags, ChassisAction},
    server::Machine as _,
};
use ironic_pxe::BootInterface;
use ironic_pxe::files::{FileError, FileSource, MemoryFiles, OpenFile};
use ironic_pxe::tftp::{TftpService, TftpServiceConfig};
use ironic_vbmc::{Firmware, MachineEvent, MachineState, SimulatedMachine};
use serde_json::json;
use support::{Lab, MIB, Watcher, host, until};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, watch};

async fn control(machine: &SimulatedMachine, action: ChassisAction) {
    machine.chassis_control(action).await.unwrap();
}

/// Files of which one is not handed out before it is let go.
struct Held {
    files: MemoryFiles,
    name: &'static str,
    asked: watch::Sender<bool>,
    let_go: watch::Receiver<bool>,
}

#[async_trait]
impl FileSource for Held {
    async fn open(&self, path: &str, peer: Option<SocketAddr>) -> Result<OpenFile, FileError> {
        if path.ends_with(self.name) {
            self.asked.send_replace(true);
            let mut let_go = self.let_go.clone();
            let_go.wait_for(|gone| *gone).await.unwrap();
        }
        self.files.open(path, peer).await
    }
}

/// A machine whose boot stops at its kernel.
struct Stuck {
    machine: SimulatedMachine,
    asked: watch::Receiver<bool>,
    let_go: watch::Sender<bool>,
    _folder: tempfile::TempDir,
    _tftp: TftpService,
}

async fn stuck(lab: &Lab) -> Stuck {
    let host = host(1);
    lab.prepare(host, BootInterface::Pxe, Firmware::Bios).await;
    let (let_go, gone) = watch::channel(false);
    let held = Held {
        files: lab.tftp_files.clone(),
        name: "/deploy_kernel",
        asked: watch::Sender::new(false),
        let_go: gone,
    };
    let asked = held.asked.subscribe();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let tftp = TftpService::start(socket, Arc::new(held), TftpServiceConfig::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let builder = lab.machine(host, Firmware::Bios).tftp(tftp.local_addr());
    let machine = builder
        .disk(folder.path().join("disk"), 5 << 30)
        .build()
        .unwrap();
    Stuck {
        machine,
        asked,
        let_go,
        _folder: folder,
        _tftp: tftp,
    }
}

#[tokio::test]
async fn what_needs_power_is_refused_without() {
    let lab = Lab::start().await;
    let machine = lab.machine(host(1), Firmware::Bios).build().unwrap();
    let refused = Err(CompletionCode::NOT_IN_PRESENT_STATE);
    for (action, outcome) in [
        (ChassisAction::PowerDown, Ok(())),
        (ChassisAction::SoftShutdown, Ok(())),
        (ChassisAction::PowerCycle, refused),
        (ChassisAction::HardReset, refused),
        (ChassisAction::DiagnosticInterrupt, refused),
    ] {
        assert_eq!(machine.chassis_control(action).await, outcome, "{action}");
        assert!(!machine.chassis_status().await.unwrap().is_powered());
    }
}

#[tokio::test]
async fn power_lost_in_the_middle_of_a_boot_ends_it_at_once() {
    let lab = Lab::start().await;
    let mut stuck = stuck(&lab).await;
    let machine = &stuck.machine;
    let mut watcher = Watcher::new(machine);
    control(machine, ChassisAction::PowerUp).await;
    stuck.asked.wait_for(|asked| *asked).await.unwrap();
    // Nothing runs yet that could shut down.
    control(machine, ChassisAction::SoftShutdown).await;
    control(machine, ChassisAction::DiagnosticInterrupt).await;
    // On is on: this starts nothing.
    control(machine, ChassisAction::PowerUp).await;
    assert_eq!(machine.state(), MachineState::Booting);
    control(machine, ChassisAction::PowerDown).await;
    assert_eq!(machine.state(), MachineState::Off);
    assert!(!machine.chassis_status().await.unwrap().is_powered());
    stuck.let_go.send_replace(true);
    control(machine, ChassisAction::PowerUp).await;
    watcher.agent().await;
    let lines = watcher.lines();
    let off = lines.iter().position(|line| line == "power off").unwrap();
    assert_eq!(
        lines[off - 1..=off + 1],
        ["diagnostic interrupt", "power off", "power on"]
    );
    let kernels = lines.iter().filter(|line| line.starts_with("kernel "));
    assert_eq!(kernels.count(), 1, "{lines:#?}");
    assert_eq!(watcher.seen.last().unwrap().boot, 2);
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_boot_starts_anew() {
    let lab = Lab::start().await;
    let mut stuck = stuck(&lab).await;
    let mut watcher = Watcher::new(&stuck.machine);
    control(&stuck.machine, ChassisAction::PowerUp).await;
    stuck.asked.wait_for(|asked| *asked).await.unwrap();
    for (action, line) in [
        (ChassisAction::HardReset, "reset"),
        (ChassisAction::PowerCycle, "power on"),
    ] {
        watcher.rest();
        control(&stuck.machine, action).await;
        let is_start =
            |event: &MachineEvent| matches!(event, MachineEvent::BootStarted { .. }).then_some(());
        watcher.wait("a start", is_start).await;
        let lines = watcher.lines();
        assert_eq!(lines[lines.len() - 2], line);
    }
    stuck.let_go.send_replace(true);
    watcher.agent().await;
    assert_eq!(watcher.seen.last().unwrap().boot, 3);
}

#[tokio::test]
async fn the_agent_dies_with_the_power_and_its_download_too() {
    let lab = Lab::start().await;
    let host = host(1);
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    // An image that never ends.
    let (parts, rest) = mpsc::channel::<Bytes>(1);
    let rest = Arc::new(std::sync::Mutex::new(Some(rest)));
    let router = Router::new().route(
        "/image",
        get(move || async move {
            let mut rest = rest.lock().unwrap().take().unwrap();
            Body::from_stream(futures::stream::poll_fn(move |context| {
                rest.poll_recv(context)
                    .map(|part| part.map(Ok::<_, std::io::Error>))
            }))
        }),
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/image", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    lab.prepare(host, BootInterface::Pxe, Firmware::Bios).await;
    let builder = lab.machine(host, Firmware::Bios);
    let machine = builder.disk(&disk, 5 << 30).build().unwrap();
    control(&machine, ChassisAction::PowerUp).await;
    let agent = lab.agent(host).await;
    let info = json!({"id": "image", "urls": [url], "disk_format": "raw",
        "os_hash_algo": "sha256", "os_hash_value": "0".repeat(64)});
    let params = json!({"image_info": info});
    let begun = agent
        .command("standby.prepare_image", params, false)
        .await
        .unwrap();
    assert_eq!(begun["command_status"], "RUNNING", "{begun}");
    // Each is taken once those before it are on their way to the disk.
    for _ in 0..64 {
        let part = Bytes::from(vec![0xAB; usize::try_from(MIB).unwrap()]);
        parts.send(part).await.unwrap();
    }
    control(&machine, ChassisAction::PowerDown).await;
    parts.closed().await;
    assert!(!agent.is_there().await);
    lab.forget_heartbeats();
    // What was written stays, and nothing comes after it once the machine runs again.
    control(&machine, ChassisAction::PowerUp).await;
    lab.agent(host).await;
    let mut content = vec![0; 80 * MIB as usize];
    let file = std::fs::File::open(&disk).unwrap();
    file.read_exact_at(&mut content, 0).unwrap();
    let image = content.iter().take_while(|byte| **byte == 0xAB).count();
    assert!(image as u64 > 32 * MIB, "{image}");
    assert!(content[image..].iter().all(|byte| *byte == 0), "torn");
}

#[tokio::test]
async fn the_agent_restarts_the_machine_and_hears_the_soft_switch() {
    let lab = Lab::start().await;
    let host = host(1);
    let folder = tempfile::tempdir().unwrap();
    lab.prepare(host, BootInterface::Ipxe, Firmware::Uefi).await;
    let builder = lab.machine(host, Firmware::Uefi);
    let disk = folder.path().join("disk");
    let machine = builder.disk(disk, 5 << 30).build().unwrap();
    let mut watcher = Watcher::new(&machine);
    let once = BootFlags::next_boot(BootDevice::Pxe).efi(true);
    machine.set_boot_flags(once).await.unwrap();
    control(&machine, ChassisAction::PowerUp).await;
    let agent = lab.agent(host).await;
    watcher.agent().await;
    lab.forget_heartbeats();
    agent
        .command("standby.run_image", json!({}), true)
        .await
        .unwrap();
    watcher.agent().await;
    assert_eq!(watcher.seen.last().unwrap().boot, 2);
    assert!(watcher.lines().contains(&"reset".to_owned()));
    lab.agent(host).await;
    control(&machine, ChassisAction::SoftShutdown).await;
    until(&machine, MachineState::Off).await;
    assert_eq!(watcher.rest(), ["power off"]);
}

#[tokio::test]
async fn a_machine_that_is_taken_away_takes_its_agent_along() {
    let lab = Lab::start().await;
    let host = host(1);
    let folder = tempfile::tempdir().unwrap();
    lab.prepare(host, BootInterface::Pxe, Firmware::Uefi).await;
    let builder = lab.machine(host, Firmware::Uefi);
    let disk = folder.path().join("disk");
    let machine = builder.disk(disk, 5 << 30).build().unwrap();
    control(&machine, ChassisAction::PowerUp).await;
    let agent = lab.agent(host).await;
    assert!(agent.is_there().await);
    drop(machine);
    assert!(!agent.is_there().await);
}

#[tokio::test]
async fn the_firmwares_setup_waits() {
    let lab = Lab::start().await;
    let machine = lab.machine(host(1), Firmware::Uefi).build().unwrap();
    let mut watcher = Watcher::new(&machine);
    let setup = BootFlags::next_boot(BootDevice::Setup);
    machine.set_boot_flags(setup).await.unwrap();
    control(&machine, ChassisAction::PowerUp).await;
    until(&machine, MachineState::Halted).await;
    assert_eq!(
        watcher.rest().last().map(String::as_str),
        Some("in the firmware's setup")
    );
    assert!(machine.chassis_status().await.unwrap().is_powered());
}
