//! What `vbmc` is told on its command line.

use std::{
    fmt,
    net::{IpAddr, SocketAddr, SocketAddrV4},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ironic_vbmc::{Firmware, Machine, MachineError, PoweredMachine, SimulatedMachine};

/// A virtual BMC for trying things out without hardware.
#[derive(Debug, Parser)]
#[command(name = "vbmc", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve one machine over IPMI 2.0 (lanplus, cipher suites 17 and 3) until Ctrl-C.
    Serve(Serve),
}

#[derive(Args)]
pub(crate) struct Serve {
    /// UDP port to listen on; 0 takes a free one and says which.
    #[arg(long)]
    pub(crate) port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) address: IpAddr,
    /// Name of the one user, an administrator; at most 16 bytes.
    #[arg(long)]
    pub(crate) username: String,
    /// The user's password, at most 20 bytes; better given in the environment, where `ps` does not show it.
    #[arg(long, env = "VBMC_PASSWORD", hide_env_values = true)]
    pub(crate) password: String,
    #[command(flatten)]
    machine: Simulated,
}

/// The machine behind the BMC. Without --dhcp and --disk it has power, and nothing else.
#[derive(Debug, Args)]
#[command(next_help_heading = "Machine")]
struct Simulated {
    /// DHCP server that the machine's broadcasts go to, which has to answer to where they come from.
    #[arg(long, value_name = "IP:PORT")]
    dhcp: Option<SocketAddrV4>,
    /// TFTP server, in place of port 69 of the server that DHCP names.
    #[arg(long, value_name = "IP:PORT", requires = "dhcp")]
    tftp: Option<SocketAddr>,
    /// File of a disk, made sparse if it is not there; may be given several times.
    #[arg(long, value_name = "PATH")]
    disk: Vec<PathBuf>,
    /// Size of each disk: bytes, or with MiB, GiB or TiB behind.
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = size)]
    disk_size: u64,
    /// Hardware address of the network card; several are several cards.
    #[arg(long, value_name = "MAC", default_value = "52:54:00:00:00:01")]
    mac: Vec<String>,
    /// Kind of firmware.
    #[arg(long, value_enum, default_value_t = FirmwareName::Uefi)]
    firmware: FirmwareName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FirmwareName {
    Bios,
    Uefi,
    UefiHttp,
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("port", &self.port)
            .field("address", &self.address)
            .field("username", &self.username)
            .field("password", &"***")
            .field("machine", &self.machine)
            .finish()
    }
}

impl Serve {
    /// The machine that is described.
    pub(crate) fn machine(&self) -> Result<Arc<dyn Machine>, MachineError> {
        let options = &self.machine;
        if options.dhcp.is_none() && options.disk.is_empty() {
            return Ok(Arc::new(PoweredMachine::new()));
        }
        let mut macs = Vec::new();
        for text in &options.mac {
            let mac = text.parse();
            macs.push(mac.map_err(|_| MachineError::HardwareAddress(text.clone()))?);
        }
        let Some((first, others)) = macs.split_first() else {
            return Err(MachineError::HardwareAddress(String::new()));
        };
        let firmware = match options.firmware {
            FirmwareName::Bios => Firmware::Bios,
            FirmwareName::Uefi => Firmware::Uefi,
            FirmwareName::UefiHttp => Firmware::UefiHttp,
        };
        let http = reqwest::Client::new();
        let mut builder = SimulatedMachine::builder(*first, http).firmware(firmware);
        for mac in others {
            builder = builder.nic(*mac);
        }
        for disk in &options.disk {
            builder = builder.disk(disk, options.disk_size);
        }
        if let Some(server) = options.dhcp {
            builder = builder.dhcp(server);
        }
        if let Some(server) = options.tftp {
            builder = builder.tftp(server);
        }
        Ok(Arc::new(builder.build()?))
    }
}

fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text.get(digits.len()..).unwrap_or_default() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        unit => return Err(format!("{unit:?} is none of KiB, MiB, GiB, TiB")),
    };
    u64::from_str(digits)
        .map_err(|error| error.to_string())?
        .checked_mul(1 << shift)
        .ok_or_else(|| "larger than any disk".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("512", Some(512)),
            ("64MiB", Some(64 << 20)),
            ("4GiB", Some(4 << 30)),
            ("1TiB", Some(1 << 40)),
            ("4GB", None),
            ("GiB", None),
            ("99999999TiB", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
    }

    #[test]
    fn a_machine_without_disk_and_network_is_power_alone() {
        let parse = |more: &[&str]| {
            let common = ["vbmc", "serve", "--port=0", "--username=a", "--password=b"];
            Cli::try_parse_from(common.iter().chain(more))
        };
        assert!(parse(&[]).is_ok());
        assert!(parse(&["--tftp=127.0.0.1:69"]).is_err());
        let Command::Serve(serve) = parse(&["--dhcp=127.0.0.1:67", "--mac=x"]).unwrap().command;
        assert!(matches!(
            serve.machine(),
            Err(MachineError::HardwareAddress(_))
        ));
        assert!(!format!("{serve:?}").contains("\"b\""));
    }
}
