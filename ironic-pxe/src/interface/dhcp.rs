use async_trait::async_trait;
use ironic_core::Error;

use crate::boot::{BootPort, DhcpOption};
use crate::dhcp::{HardwareAddress, MemoryHosts};

/// Tells a DHCP service what machines boot.
///
/// # Contract
///
/// - `set_boot_options` replaces what the ports were told before. Clearing what was not set
///   succeeds. Both may be called again after they succeeded or failed, and then lead to the same
///   result.
/// - Only what a port boots is set and cleared; whether it has an address is none of this.
#[async_trait]
pub trait DhcpHosts: Send + Sync + 'static {
    /// Tells these ports of one machine what to boot, by options for both IP versions.
    ///
    /// # Errors
    ///
    /// When the service can not be told.
    async fn set_boot_options(
        &self,
        ports: &[BootPort],
        options: &[DhcpOption],
    ) -> Result<(), Error>;

    /// Tells these ports to boot nothing.
    ///
    /// # Errors
    ///
    /// When the service can not be told.
    async fn clear_boot_options(&self, ports: &[BootPort]) -> Result<(), Error>;

    /// Returns the IP addresses that these ports have, as far as the service knows any.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    async fn ip_addresses(&self, _ports: &[BootPort]) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
}

/// A DHCP service that nobody tells anything: the operator has it name the boot loaders for good.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDhcp;

#[async_trait]
impl DhcpHosts for NoDhcp {
    async fn set_boot_options(
        &self,
        _ports: &[BootPort],
        _options: &[DhcpOption],
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn clear_boot_options(&self, _ports: &[BootPort]) -> Result<(), Error> {
        Ok(())
    }
}

/// A port whose address is too long for a DHCP message, as InfiniBand's are, is passed over.
#[async_trait]
impl DhcpHosts for MemoryHosts {
    async fn set_boot_options(
        &self,
        ports: &[BootPort],
        options: &[DhcpOption],
    ) -> Result<(), Error> {
        for address in addresses(ports) {
            MemoryHosts::set_boot_options(self, address, options);
        }
        Ok(())
    }

    async fn clear_boot_options(&self, ports: &[BootPort]) -> Result<(), Error> {
        for address in addresses(ports) {
            MemoryHosts::clear_boot_options(self, address);
        }
        Ok(())
    }

    async fn ip_addresses(&self, ports: &[BootPort]) -> Result<Vec<String>, Error> {
        let hosts = addresses(ports).filter_map(|address| self.get(address)?.address);
        Ok(hosts.map(|address| address.to_string()).collect())
    }
}

fn addresses(ports: &[BootPort]) -> impl Iterator<Item = HardwareAddress> {
    ports.iter().filter_map(|port| port.address.parse().ok())
}
