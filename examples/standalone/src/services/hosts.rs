//! Which machines DHCP answers, and what; what they boot outlives the process.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use ironic_core::Error;
use ironic_pxe::DhcpHosts;
use ironic_pxe::boot::{BootPort, DhcpOption};
use ironic_pxe::dhcp::{BootFiles, ClientInfo, HardwareAddress, HostConfig, HostTable};
use ironic_pxe::files::{FileError, FileStore};
use serde::{Deserialize, Serialize};

/// The folder of what is kept, below the TFTP root. Machines may read in it what they would be
/// told anyway.
const FOLDER: &str = ".dhcp";
/// No record that was written here is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// What a machine is told to boot, in the form that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Boot {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loader: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ipxe_script: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_server: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tftp_server_name: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<u8, Vec<u8>>,
}

impl Boot {
    fn of(options: &[DhcpOption]) -> Self {
        let told = HostConfig::without_address().with_boot_options(options);
        Self {
            loader: told.boot.default,
            ipxe_script: told.boot.ipxe_script,
            next_server: told.next_server,
            tftp_server_name: told.tftp_server_name,
            options: told.options,
        }
    }

    /// What a machine is told that is told `config` besides.
    fn on(&self, mut config: HostConfig) -> HostConfig {
        let mut boot = BootFiles::default();
        boot.default.clone_from(&self.loader);
        boot.ipxe_script.clone_from(&self.ipxe_script);
        config.boot = boot;
        config.next_server = self.next_server.or(config.next_server);
        if self.tftp_server_name.is_some() {
            config.tftp_server_name.clone_from(&self.tftp_server_name);
        }
        let options = self.options.iter();
        config
            .options
            .extend(options.map(|(code, value)| (*code, value.clone())));
        config
    }
}

#[derive(Debug, Clone, Default)]
struct Known {
    config: Option<HostConfig>,
    boot: Option<Boot>,
}

/// Machines by hardware address; clones share them.
///
/// What a machine boots is written below the TFTP root before the machine is told, so that a
/// process that takes the place of this one answers alike.
#[derive(Clone)]
pub(super) struct BootHosts {
    known: Arc<RwLock<BTreeMap<HardwareAddress, Known>>>,
    files: Arc<dyn FileStore>,
}

impl BootHosts {
    pub(super) fn new(files: Arc<dyn FileStore>) -> Self {
        Self {
            known: Arc::default(),
            files,
        }
    }

    /// Gives a machine an address, or changes what else it is told; `None` forgets that.
    pub(super) fn set(&self, mac: HardwareAddress, config: Option<HostConfig>) {
        self.change(mac, |known| known.config = config);
    }

    /// Takes up what these machines were told to boot by an earlier process.
    pub(super) async fn restore(
        &self,
        macs: impl Iterator<Item = HardwareAddress> + Send,
    ) -> Result<usize, Error> {
        let mut found = 0;
        for mac in macs {
            let Some(boot) = self.read(mac).await? else {
                continue;
            };
            self.change(mac, |known| known.boot = Some(boot));
            found += 1;
        }
        Ok(found)
    }

    async fn read(&self, mac: HardwareAddress) -> Result<Option<Boot>, Error> {
        let failed = |error| kept(mac, "cannot be read", &error);
        let mut file = match self.files.open(&path(mac), None).await {
            Err(FileError::NotFound) => return Ok(None),
            other => other.map_err(failed)?,
        };
        let size = file.size().min(LONGEST);
        let size = usize::try_from(size).unwrap_or_default();
        let content = file.read_at(0, size).await.map_err(failed)?;
        Ok(serde_json::from_slice(&content)
            .inspect_err(|error| {
                tracing::warn!(%mac, %error, "what the machine boots is not legible any more");
            })
            .ok())
    }

    fn change(&self, mac: HardwareAddress, change: impl FnOnce(&mut Known)) {
        let mut hosts = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let known = hosts.entry(mac).or_default();
        change(known);
        if known.config.is_none() && known.boot.is_none() {
            hosts.remove(&mac);
        }
    }

    fn get(&self, mac: HardwareAddress) -> Option<HostConfig> {
        let hosts = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = hosts.get(&mac)?;
        match &known.boot {
            None => known.config.clone(),
            Some(boot) => Some(boot.on(known.config.clone().unwrap_or_default())),
        }
    }
}

impl HostTable for BootHosts {
    fn lookup(&self, client: &ClientInfo) -> Option<HostConfig> {
        self.get(client.hardware_address)
    }
}

/// A port whose address is too long for a DHCP message, as InfiniBand's are, is passed over.
#[async_trait]
impl DhcpHosts for BootHosts {
    async fn set_boot_options(
        &self,
        ports: &[BootPort],
        options: &[DhcpOption],
    ) -> Result<(), Error> {
        let boot = Boot::of(options);
        let text = serde_json::to_vec(&boot)
            .map_err(|error| Error::internal(format!("boot options are no JSON: {error}")))?;
        for mac in macs(ports) {
            let written = self.files.put(&path(mac), text.clone().into()).await;
            written.map_err(|error| kept(mac, "cannot be written", &error))?;
            self.change(mac, |known| known.boot = Some(boot.clone()));
        }
        Ok(())
    }

    async fn clear_boot_options(&self, ports: &[BootPort]) -> Result<(), Error> {
        for mac in macs(ports) {
            let removed = self.files.remove(&path(mac)).await;
            removed.map_err(|error| kept(mac, "cannot be removed", &error))?;
            self.change(mac, |known| known.boot = None);
        }
        Ok(())
    }

    async fn ip_addresses(&self, ports: &[BootPort]) -> Result<Vec<String>, Error> {
        let hosts = macs(ports).filter_map(|mac| self.get(mac)?.address);
        Ok(hosts.map(|address| address.to_string()).collect())
    }
}

fn macs(ports: &[BootPort]) -> impl Iterator<Item = HardwareAddress> {
    ports.iter().filter_map(|port| port.address.parse().ok())
}

fn path(mac: HardwareAddress) -> String {
    format!("{FOLDER}/{}.json", mac.to_string().replace(':', "-"))
}

fn kept(mac: HardwareAddress, what: &str, error: &FileError) -> Error {
    Error::driver("dhcp", format!("what {mac} boots {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use ironic_pxe::BootInterface;
    use ironic_pxe::boot::{BootConfig, BootNode, DhcpProvider, dhcp_options};
    use ironic_pxe::dhcp::MemoryHosts;
    use ironic_pxe::files::MemoryFiles;

    use super::*;

    fn options(interface: BootInterface) -> Vec<DhcpOption> {
        let mut config = BootConfig::default();
        config.http_url = "http://192.0.2.3:8088".into();
        config.tftp_server = "192.0.2.2".into();
        config.dhcp_provider = DhcpProvider::Other("embedded".into());
        dhcp_options(&config, &BootNode::new("node"), interface, None).unwrap()
    }

    fn machine() -> HostConfig {
        let mut config = HostConfig::new(Ipv4Addr::new(192, 0, 2, 7));
        config.host_name = Some("machine".into());
        config.boot.default = Some("own.efi".into());
        config.next_server = Some(Ipv4Addr::new(192, 0, 2, 9));
        config.options.insert(42, vec![192, 0, 2, 1]);
        config
    }

    #[tokio::test]
    async fn another_process_answers_as_the_one_before() {
        let (known, unknown) = ("52:54:00:00:00:01", "52:54:00:00:00:02");
        for interface in BootInterface::ALL {
            let files = MemoryFiles::new();
            let before = BootHosts::new(Arc::new(files.clone()));
            let reference = MemoryHosts::new();
            let ports = [
                BootPort::new(known),
                BootPort::new(unknown),
                BootPort::new("none"),
            ];
            let [known, unknown] = [known, unknown].map(|mac| mac.parse().unwrap());
            before.set(known, Some(machine()));
            reference.insert(known, machine());
            let options = options(interface);
            DhcpHosts::set_boot_options(&reference, &ports, &options)
                .await
                .unwrap();
            before.set_boot_options(&ports, &options).await.unwrap();

            let after = BootHosts::new(Arc::new(files.clone()));
            after.set(known, Some(machine()));
            let restored = after.restore([known, unknown].into_iter()).await.unwrap();
            assert_eq!(restored, 2);
            for mac in [known, unknown] {
                let answer = reference.get(mac);
                assert!(answer.is_some());
                assert_eq!(before.get(mac), answer, "{interface:?}");
                assert_eq!(after.get(mac), answer, "{interface:?}");
            }
            let addresses = after.ip_addresses(&ports).await.unwrap();
            assert_eq!(addresses, ["192.0.2.7"]);

            for _ in 0..2 {
                after.clear_boot_options(&ports).await.unwrap();
                assert_eq!(after.get(known), Some(machine()));
                assert_eq!(after.get(unknown), None);
            }
            let last = BootHosts::new(Arc::new(files));
            assert_eq!(last.restore([known, unknown].into_iter()).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn what_is_not_legible_is_passed_over() {
        let files = MemoryFiles::new();
        let mac = "52:54:00:00:00:01".parse().unwrap();
        files.insert(".dhcp/52-54-00-00-00-01.json", "{").unwrap();
        let hosts = BootHosts::new(Arc::new(files));
        assert_eq!(hosts.restore([mac].into_iter()).await.unwrap(), 0);
        assert_eq!(hosts.get(mac), None);
    }
}
