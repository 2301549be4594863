//! The BMC against the consoles that people use: ipmitool and FreeIPMI.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and the peers are processes of their own"
)]

mod peers;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use ironic_core::{Entropy, OsEntropy};
use ironic_drivers_ipmi::{
    Key,
    codec::Privilege,
    command::{BootDevice, BootFlags, Guid},
    server::{BmcConfig, Machine, PoweredMachine, User, serve},
};
use peers::{ipmitool, output, program};
use tokio::{net::UdpSocket, task::JoinHandle};

struct Bmc {
    address: SocketAddr,
    machine: Arc<PoweredMachine>,
    task: JoinHandle<()>,
}

impl Drop for Bmc {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config() -> BmcConfig {
    let users = vec![
        User::new("admin", "password", Privilege::Administrator).unwrap(),
        User::new("reader", "eyes only", Privilege::User).unwrap(),
    ];
    BmcConfig::new(
        Guid(*b"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
        users,
    )
    .unwrap()
}

async fn start(config: BmcConfig) -> Bmc {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let machine = Arc::new(PoweredMachine::new());
    let behind: Arc<dyn Machine> = machine.clone();
    let task = tokio::spawn(async move {
        serve(socket, config, behind, |out: &mut [u8]| OsEntropy.fill(out))
            .await
            .unwrap();
    });
    Bmc {
        address,
        machine,
        task,
    }
}

impl Bmc {
    async fn tool_as(
        &self,
        user: &str,
        password: &str,
        options: &[&str],
        command: &str,
    ) -> (bool, String) {
        let mut tool = ipmitool(self.address, user, password);
        tool.args(["-N", "1", "-R", "2"])
            .args(options)
            .args(command.split(' '));
        output(&mut tool).await
    }

    async fn tool(&self, suite: &str, command: &str) -> (bool, String) {
        self.tool_as("admin", "password", &["-C", suite], command)
            .await
    }
}

async fn power_in_suite(suite: &str) {
    let bmc = start(config()).await;
    for (command, works, says, on) in [
        ("power status", true, "Chassis Power is off", false),
        (
            "power cycle",
            false,
            "not supported in present state",
            false,
        ),
        (
            "power reset",
            false,
            "not supported in present state",
            false,
        ),
        ("power off", true, "Down/Off", false),
        ("power soft", true, "Soft", false),
        ("power on", true, "Up/On", true),
        ("power on", true, "Up/On", true),
        ("power status", true, "Chassis Power is on", true),
        ("power reset", true, "Reset", true),
        ("power cycle", true, "Cycle", true),
        ("power diag", true, "Diag", true),
        ("power soft", true, "Soft", false),
        ("power status", true, "Chassis Power is off", false),
        ("power on", true, "Up/On", true),
        ("power off", true, "Down/Off", false),
    ] {
        let (worked, said) = bmc.tool(suite, command).await;
        assert!(
            worked == works && said.contains(says),
            "{command}: {worked} {said}"
        );
        assert_eq!(bmc.machine.is_powered(), on, "{command}");
    }
    // Two times on, one reset, one cycle; on while on boots nothing.
    assert_eq!(bmc.machine.boots().len(), 4);
}

#[tokio::test]
async fn ipmitool_controls_power_in_suite_3() {
    power_in_suite("3").await;
}

#[tokio::test]
async fn ipmitool_controls_power_in_suite_17() {
    power_in_suite("17").await;
}

#[tokio::test]
async fn ipmitool_sets_boot_devices() {
    let bmc = start(config()).await;
    for (suite, device, options, flags) in [
        ("3", "pxe", "", BootFlags::next_boot(BootDevice::Pxe)),
        (
            "17",
            "disk",
            " options=persistent,efiboot",
            BootFlags::next_boot(BootDevice::Disk)
                .persistent(true)
                .efi(true),
        ),
        (
            "17",
            "pxe",
            " options=efiboot",
            BootFlags::next_boot(BootDevice::Pxe).efi(true),
        ),
        (
            "3",
            "cdrom",
            " options=persistent",
            BootFlags::next_boot(BootDevice::Cdrom).persistent(true),
        ),
    ] {
        let (worked, said) = bmc
            .tool(suite, &format!("chassis bootdev {device}{options}"))
            .await;
        assert!(
            worked && said.trim() == format!("Set Boot Device to {device}"),
            "{said}"
        );
        assert_eq!(bmc.machine.boot_flags().await.unwrap(), flags);
        let (worked, said) = bmc.tool(suite, "chassis bootparam get 5").await;
        let lasting = if flags.is_persistent() {
            "all future boots"
        } else {
            "only next boot"
        };
        let firmware = if flags.is_efi() {
            "BIOS EFI boot"
        } else {
            "BIOS PC Compatible"
        };
        for line in ["Boot Flag Valid", lasting, firmware] {
            assert!(worked && said.contains(line), "no {line:?} in {said}");
        }
    }
    // The switch-off of the 60 second limit that provisioning sends first.
    let (worked, said) = bmc.tool("17", "raw 0x00 0x08 0x03 0x08").await;
    assert!(worked, "{said}");
    // An override of one boot is gone with it.
    assert!(bmc.tool("3", "chassis bootdev pxe").await.0);
    assert!(bmc.tool("3", "power on").await.0);
    let (_, said) = bmc.tool("3", "chassis bootparam get 5").await;
    assert!(said.contains("Boot Flag Invalid"), "{said}");
    assert_eq!(bmc.machine.boots(), [BootDevice::Pxe]);
}

#[tokio::test]
async fn ipmitool_learns_who_it_speaks_to() {
    let bmc = start(config()).await;
    for (command, works, says) in [
        ("mc info", true, "IPMI Version              : 2.0"),
        // ipmitool guesses the encoding; this one it takes for SMBIOS's.
        ("mc guid", true, "13121110-1514-1716-1819-1a1b1c1d1e1f"),
        (
            "channel getciphers ipmi 1",
            true,
            "17   N/A     hmac_sha256     sha256_128      aes_cbc_128",
        ),
        (
            "channel getciphers ipmi 1",
            true,
            "3    N/A     hmac_sha1       hmac_sha1_96    aes_cbc_128",
        ),
        ("sdr list", false, "Invalid command"),
        ("raw 0x3a 0x01", false, "Invalid command"),
        ("raw 0x06 0x70", false, "Invalid command"),
        ("raw 0x00 0x02", false, "Request data length invalid"),
        ("raw 0x00 0x02 0x09", false, "Invalid data field"),
    ] {
        let (worked, said) = bmc.tool("17", command).await;
        assert!(
            worked == works && said.contains(says),
            "{command}: {worked} {said}"
        );
    }
}

#[tokio::test]
async fn ipmitool_is_refused_where_it_should_be() {
    let bmc = start(config()).await;
    for (user, password, options, command) in [
        ("admin", "passwort", ["-C", "17"], "power on"),
        ("admin", "passwort", ["-C", "3"], "power on"),
        ("nobody", "password", ["-C", "17"], "power on"),
        ("reader", "eyes only", ["-C", "17"], "power on"),
        ("reader", "eyes only", ["-L", "USER"], "power on"),
    ] {
        let (worked, said) = bmc.tool_as(user, password, &options, command).await;
        assert!(!worked, "{user} {options:?}: {said}");
        assert!(!bmc.machine.is_powered(), "{user} {options:?}");
    }
    let (worked, said) = bmc
        .tool_as(
            "reader",
            "eyes only",
            &["-L", "USER", "-C", "17"],
            "power status",
        )
        .await;
    assert!(worked, "{said}");
}

#[tokio::test]
async fn ipmitool_needs_the_bmc_key_where_there_is_one() {
    let bmc = start(config().bmc_key(Key::new(b"second secret").unwrap())).await;
    for suite in ["3", "17"] {
        let (worked, said) = bmc
            .tool_as(
                "admin",
                "password",
                &["-C", suite, "-k", "second secret"],
                "power status",
            )
            .await;
        assert!(worked, "{said}");
        let (worked, _) = bmc.tool(suite, "power status").await;
        assert!(!worked);
    }
}

#[tokio::test]
async fn freeipmi_finds_the_same_bmc() {
    let bmc = start(config()).await;
    let host = format!("127.0.0.1:{}", bmc.address.port());
    let as_admin = [
        "-h", &host, "-u", "admin", "-p", "password", "-D", "LAN_2_0",
    ];
    for suite in ["3", "17"] {
        for (option, says) in [
            ("--on", "ok"),
            ("--stat", "on"),
            ("--off", "ok"),
            ("--stat", "off"),
        ] {
            let mut tool = program("ipmipower", "freeipmi-tools");
            let (worked, said) = output(tool.args(as_admin).args(["-I", suite, option])).await;
            assert!(
                worked && said.contains(&format!("127.0.0.1: {says}")),
                "{option}: {said}"
            );
        }
        let mut tool = program("ipmi-chassis", "freeipmi-tools");
        let (worked, said) =
            output(
                tool.args(as_admin)
                    .args(["-I", suite, "--get-chassis-status"]),
            )
            .await;
        assert!(worked && said.contains(": off"), "{said}");
    }
}
