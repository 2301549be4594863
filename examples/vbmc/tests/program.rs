//! The program itself, driven by ipmitool.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::process::Stdio;
use std::time::Duration;

use ironic_pxe::BootInterface;
use ironic_vbmc::Firmware;
use support::{Lab, host};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStderr, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

struct Log(Lines<BufReader<ChildStderr>>);

impl Log {
    /// Waits for a line with that text.
    async fn wait(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            let line = timeout(PATIENCE, self.0.next_line()).await;
            let Ok(Ok(Some(line))) = line else {
                panic!("{text:?} did not come: {seen:#?}");
            };
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
    }
}

async fn ipmitool(port: &str, arguments: &[&str]) -> String {
    let common = [
        "-I",
        "lanplus",
        "-C",
        "17",
        "-H",
        "127.0.0.1",
        "-U",
        "admin",
        "-E",
    ];
    let output = Command::new("ipmitool")
        .args(common)
        .args(["-p", port])
        .args(arguments)
        .env("IPMI_PASSWORD", "secret")
        .output()
        .await
        .expect("ipmitool is missing: install the package ipmitool");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn ipmitool_boots_the_machine_to_its_agent_and_switches_it_off() {
    let lab = Lab::start().await;
    let host = host(1);
    lab.prepare(host, BootInterface::Ipxe, Firmware::Bios).await;
    let folder = tempfile::tempdir().unwrap();
    let mut vbmc = Command::new(env!("CARGO_BIN_EXE_vbmc"))
        .args(["serve", "--port=0", "--username=admin", "--disk-size=5GiB"])
        .arg(format!("--dhcp={}", lab.dhcp()))
        .arg(format!("--tftp={}", lab.tftp()))
        .arg(format!("--mac={}", host.mac_text()))
        .args(["--firmware=bios", "--disk"])
        .arg(folder.path().join("disk"))
        .env("VBMC_PASSWORD", "secret")
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = Log(BufReader::new(vbmc.stderr.take().unwrap()).lines());
    let serving = log.wait("serving ipmi").await;
    let port = serving.split("127.0.0.1:").nth(1).unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();

    ipmitool(&port, &["chassis", "bootdev", "pxe"]).await;
    log.wait("boot device set to network, once").await;
    ipmitool(&port, &["chassis", "power", "on"]).await;
    log.wait("power on").await;
    log.wait("agent started").await;
    let agent = lab.agent(host).await;
    assert!(agent.is_there().await);
    let status = ipmitool(&port, &["chassis", "power", "status"]).await;
    assert_eq!(status, "Chassis Power is on\n");
    ipmitool(&port, &["chassis", "power", "off"]).await;
    log.wait("power off").await;
    assert!(!agent.is_there().await);
    let flags = ipmitool(&port, &["chassis", "bootparam", "get", "5"]).await;
    assert!(flags.contains("Boot Flag Invalid"), "used up: {flags}");
}
