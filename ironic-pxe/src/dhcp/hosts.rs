use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::{ClientArch, HardwareAddress, code};
use crate::boot::DhcpOption;

/// What a server knows of a client that asks.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The client's hardware address.
    pub hardware_address: HardwareAddress,
    /// The kind of machine, where it says so.
    pub arch: Option<ClientArch>,
    /// Whether it is iPXE rather than firmware.
    pub is_ipxe: bool,
    /// The relay that it asks through.
    pub relay: Option<Ipv4Addr>,
}

/// Says which machines are answered, and what.
///
/// # Contract
///
/// `lookup` is called for every request and has to answer at once. Answering the same for the
/// same machine is what keeps its address.
pub trait HostTable: Send + Sync + 'static {
    /// Returns the configuration of a machine; one that has none is not answered.
    fn lookup(&self, client: &ClientInfo) -> Option<HostConfig>;
}

/// What one machine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostConfig {
    /// Its address. A machine without one is only told what to boot, and only asks as a PXE client.
    pub address: Option<Ipv4Addr>,
    /// Its network's mask, default 255.255.255.0.
    pub netmask: Ipv4Addr,
    /// Its routers.
    pub routers: Vec<Ipv4Addr>,
    /// Its name servers.
    pub name_servers: Vec<Ipv4Addr>,
    /// Its name.
    pub host_name: Option<String>,
    /// Its domain.
    pub domain_name: Option<String>,
    /// How long it may keep the address without asking again, default one hour.
    pub lease: Duration,
    /// The TFTP server, as an address; default is the DHCP server.
    pub next_server: Option<Ipv4Addr>,
    /// The TFTP server, as a name.
    pub tftp_server_name: Option<String>,
    /// What it boots.
    pub boot: BootFiles,
    /// Further options by code, which win over everything else.
    pub options: BTreeMap<u8, Vec<u8>>,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            address: None,
            netmask: Ipv4Addr::new(255, 255, 255, 0),
            routers: Vec::new(),
            name_servers: Vec::new(),
            host_name: None,
            domain_name: None,
            lease: Duration::from_secs(3600),
            next_server: None,
            tftp_server_name: None,
            boot: BootFiles::default(),
            options: BTreeMap::new(),
        }
    }
}

/// What a machine boots, by what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BootFiles {
    /// Boot loader by kind of machine, in the [canonical](ClientArch::canonical) form.
    pub by_arch: BTreeMap<ClientArch, String>,
    /// Boot loader of all other machines.
    pub default: Option<String>,
    /// Script of machines that run iPXE already; without it they get the boot loader again.
    pub ipxe_script: Option<String>,
}

impl BootFiles {
    /// Returns what a client is told to load.
    pub fn choose(&self, client: &ClientInfo) -> Option<&str> {
        let loader = || {
            let arch = client.arch.map(ClientArch::canonical);
            arch.and_then(|arch| self.by_arch.get(&arch))
                .or(self.default.as_ref())
        };
        let script = self.ipxe_script.as_ref().filter(|_| client.is_ipxe);
        script.or_else(loader).map(String::as_str)
    }
}

impl HostConfig {
    /// Makes a configuration with an address and nothing to boot.
    pub fn new(address: Ipv4Addr) -> Self {
        Self {
            address: Some(address),
            ..Self::default()
        }
    }

    /// Makes a configuration for a machine that gets its address from another server.
    pub fn without_address() -> Self {
        Self::default()
    }

    /// Sets what the machine boots.
    #[must_use]
    pub fn with_boot(mut self, boot: BootFiles) -> Self {
        self.boot = boot;
        self
    }

    /// Takes over the options of a boot plan, those for IPv4.
    ///
    /// Conditions on iPXE turn into [`BootFiles::ipxe_script`]; names that are no option codes
    /// and values that do not fit their option are passed over.
    #[must_use]
    pub fn with_boot_options(mut self, options: &[DhcpOption]) -> Self {
        for option in options.iter().filter(|option| option.ip_version == 4) {
            let value = option.opt_value.clone();
            let (condition, number) = match option.opt_name.rsplit_once(',') {
                Some((condition, number)) => (condition, number),
                None => ("", option.opt_name.as_str()),
            };
            match (condition, number) {
                ("tag:ipxe", "67") => self.boot.ipxe_script = Some(value),
                ("tag:!ipxe" | "!175", "67") => self.boot.default = Some(value),
                // Told to all, where another value was told to all but iPXE: that is iPXE's.
                ("", "67") if self.boot.default.is_some() => self.boot.ipxe_script = Some(value),
                ("", "67") => self.boot.default = Some(value),
                ("", "66") => self.tftp_server_name = Some(value),
                ("", "150") => {
                    if let Ok(address) = value.parse::<Ipv4Addr>() {
                        let octets = address.octets().to_vec();
                        self.options.insert(code::TFTP_SERVER_ADDRESSES, octets);
                    }
                }
                // What dnsmasq calls 255 is the server's field of the message.
                ("", "255") => self.next_server = value.parse().ok().or(self.next_server),
                ("", number) => {
                    if let Ok(code) = number.parse() {
                        self.options.insert(code, value.into_bytes());
                    }
                }
                _ => {}
            }
        }
        self
    }
}

/// Machines by hardware address, held in memory; clones share them.
///
/// What a machine boots may be set apart from what else it is told, and comes and goes with its
/// node's boot preparations.
#[derive(Clone, Debug, Default)]
pub struct MemoryHosts {
    hosts: Arc<RwLock<BTreeMap<HardwareAddress, Host>>>,
}

#[derive(Clone, Debug, Default)]
struct Host {
    config: Option<HostConfig>,
    boot: Option<Vec<DhcpOption>>,
}

impl MemoryHosts {
    /// Makes an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a machine's configuration.
    pub fn insert(&self, address: HardwareAddress, host: HostConfig) {
        self.change(address, |known| known.config = Some(host));
    }

    /// Forgets a machine.
    pub fn remove(&self, address: HardwareAddress) {
        self.change(address, |known| *known = Host::default());
    }

    /// Sets what a machine boots, in place of what its configuration says; without a
    /// configuration it is told nothing else.
    pub fn set_boot_options(&self, address: HardwareAddress, options: &[DhcpOption]) {
        self.change(address, |known| known.boot = Some(options.to_vec()));
    }

    /// Forgets what was set by [`set_boot_options`](Self::set_boot_options).
    pub fn clear_boot_options(&self, address: HardwareAddress) {
        self.change(address, |known| known.boot = None);
    }

    /// Returns the configuration of a machine, with what it boots.
    pub fn get(&self, address: HardwareAddress) -> Option<HostConfig> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        let known = hosts.get(&address)?;
        let config = known.config.clone();
        match &known.boot {
            None => config,
            Some(options) => {
                let config = config.unwrap_or_else(HostConfig::without_address);
                let bare = config.with_boot(BootFiles::default());
                Some(bare.with_boot_options(options))
            }
        }
    }

    fn change(&self, address: HardwareAddress, change: impl FnOnce(&mut Host)) {
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        let known = hosts.entry(address).or_default();
        change(known);
        if known.config.is_none() && known.boot.is_none() {
            hosts.remove(&address);
        }
    }
}

impl HostTable for MemoryHosts {
    fn lookup(&self, client: &ClientInfo) -> Option<HostConfig> {
        self.get(client.hardware_address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(opt_name: &str, opt_value: &str) -> DhcpOption {
        DhcpOption {
            opt_name: opt_name.into(),
            opt_value: opt_value.into(),
            ip_version: 4,
        }
    }

    #[test]
    fn what_a_machine_boots_comes_and_goes_and_the_rest_stays() {
        let hosts = MemoryHosts::new();
        let (known, unknown) = ([2, 0, 0, 0, 0, 1].into(), [2, 0, 0, 0, 0, 2].into());
        let mut own = HostConfig::new(Ipv4Addr::new(192, 0, 2, 7));
        own.boot.default = Some("own.efi".into());
        hosts.insert(known, own.clone());

        for _ in 0..2 {
            hosts.set_boot_options(known, &[option("67", "bootx64.efi")]);
            hosts.set_boot_options(unknown, &[option("67", "bootx64.efi")]);
            let told = hosts.get(known).unwrap();
            assert_eq!(told.address, own.address);
            assert_eq!(told.boot.default.as_deref(), Some("bootx64.efi"));
            assert_eq!(
                told.boot.ipxe_script, None,
                "not what the machine had before"
            );
            assert_eq!(hosts.get(unknown).unwrap().address, None);
        }
        for _ in 0..2 {
            hosts.clear_boot_options(known);
            hosts.clear_boot_options(unknown);
            assert_eq!(hosts.get(known), Some(own.clone()));
            assert_eq!(hosts.get(unknown), None);
        }
        hosts.set_boot_options(known, &[]);
        hosts.remove(known);
        assert_eq!(hosts.get(known), None);
    }
}
