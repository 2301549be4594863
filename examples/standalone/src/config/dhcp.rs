//! `[dhcp]`: the DHCP server.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use ironic_core::Error;
use ironic_pxe::dhcp::{HardwareAddress, HostConfig as DhcpHost};
use serde::Deserialize;

use super::ConfigError;
use super::sections::section;
use super::value::{Addresses, FromVariable, Names, Seconds};

/// What the DHCP server does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DhcpMode {
    /// There is none.
    #[default]
    Off,
    /// It tells machines what to boot; another server gives them addresses.
    Proxy,
    /// It gives the machines in `hosts` their addresses too.
    Full,
}

impl FromVariable for DhcpMode {
    fn from_variable(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "proxy" => Ok(Self::Proxy),
            "full" => Ok(Self::Full),
            _ => Err(format!("{text:?} is none of off, proxy and full")),
        }
    }
}

/// A machine with an address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StaticHost {
    /// Its hardware address: `52:54:00:0a:0b:0d`.
    pub mac: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its name; default none.
    pub name: Option<String>,
}

/// Machines with addresses of their own; in a variable `mac=address` with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct StaticHosts(Vec<StaticHost>);

impl StaticHosts {
    /// The machines, as they were listed.
    pub fn iter(&self) -> impl Iterator<Item = &StaticHost> {
        self.0.iter()
    }
}

impl FromVariable for StaticHosts {
    fn from_variable(text: &str) -> Result<Self, String> {
        let hosts = Names::from_variable(text)?;
        let hosts = hosts.iter().map(|host| {
            let (mac, address) = host
                .split_once('=')
                .ok_or_else(|| format!("{host:?} has no = between mac and address"))?;
            Ok(StaticHost {
                mac: mac.trim().to_owned(),
                address: Ipv4Addr::from_variable(address)?,
                name: None,
            })
        });
        hosts.collect::<Result<_, String>>().map(Self)
    }
}

section! {
    /// `[dhcp]`: the DHCP server.
    pub struct DhcpSection("DHCP") {
        /// What it does: `off`, `proxy` or `full`. Default `off`.
        mode: DhcpMode,
        /// Where it listens. Machines ask at port 67. Default `0.0.0.0:67`.
        listen: SocketAddrV4,
        /// Where it listens for what machines ask that have their addresses from another server.
        /// Default port 4011 of `listen`'s address, in mode `proxy` only.
        pxe_listen: SocketAddrV4,
        /// The network device whose machines are answered. Default any.
        interface: String,
        /// The server's own address. Default that of `listen`, else `[boot] tftp_server`.
        server_address: Ipv4Addr,
        /// Whether answers go to where requests come from, rather than by broadcast; for machines
        /// on this host's loopback. Default false.
        reply_to_source: bool,
        /// The machines that get addresses, in mode `full`.
        hosts: StaticHosts,
        /// Their network's mask. Default `255.255.255.0`.
        netmask: Ipv4Addr,
        /// Their routers. Default none.
        routers: Addresses,
        /// Their name servers. Default none.
        name_servers: Addresses,
        /// Their domain. Default none.
        domain_name: String,
        /// How long they may keep an address without asking again. Default 3600.
        lease_time: Seconds,
    }
}

impl DhcpSection {
    /// The machines that get addresses, and all that they are told but what to boot.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] names the machine whose hardware address is none.
    pub(crate) fn static_hosts(&self) -> Result<Vec<(HardwareAddress, DhcpHost)>, ConfigError> {
        let hosts = self.hosts.iter().flat_map(StaticHosts::iter);
        let hosts = hosts.map(|host| {
            let mac = host.mac.parse().map_err(|_| {
                Error::invalid(format!("mac {:?} in [dhcp] hosts is none", host.mac))
            })?;
            let mut told = DhcpHost::new(host.address);
            told.netmask = self.netmask.unwrap_or(told.netmask);
            told.routers = self.routers.as_deref().unwrap_or_default().to_vec();
            told.name_servers = self.name_servers.as_deref().unwrap_or_default().to_vec();
            told.domain_name.clone_from(&self.domain_name);
            told.host_name.clone_from(&host.name);
            told.lease = self.lease_time.map_or(told.lease, |time| time.0);
            Ok((mac, told))
        });
        hosts.collect()
    }

    /// Refuses machines that cannot be told apart, and addresses that nobody would give.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let hosts = self.static_hosts()?;
        if !hosts.is_empty() && self.mode == Some(DhcpMode::Proxy) {
            let text = "hosts in [dhcp] get addresses in mode full only, not in mode proxy";
            return Err(Error::invalid(text).into());
        }
        let (mut macs, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for (mac, host) in &hosts {
            if !macs.insert(mac) || !addresses.insert(host.address) {
                let text =
                    format!("the machine {mac} in [dhcp] hosts, or its address, is there twice");
                return Err(Error::invalid(text).into());
            }
        }
        Ok(())
    }
}
