use std::net::Ipv4Addr;

use ironic_pxe::dhcp::code;

use super::{NetworkBoot, NetworkBooter, NetworkError, boot::Session};
use crate::script::{Location, PxelinuxConfig, PxelinuxEntry, pxelinux_configuration_names};

// What `ipappend` asks for, as a sum (pxelinux' documentation, "SYSAPPEND").
const IP: u32 = 1;
const BOOT_INTERFACE: u32 = 2;
const SYSTEM_ID: u32 = 4;

impl NetworkBooter<'_> {
    pub(super) async fn pxelinux(&self, session: Session) -> Result<NetworkBoot, NetworkError> {
        let base = self.prefix(&session)?;
        let names = self.pxelinux_names(&session, &base)?;
        let (location, text) = self.configuration(&session, &names).await?;
        let entry = PxelinuxConfig::parse(&text)
            .and_then(|config| config.entry())
            .map_err(|source| NetworkError::script(&location, source))?;
        match entry {
            PxelinuxEntry::Linux {
                mut linux,
                ip_append,
            } => {
                for word in self.appended(&session, ip_append) {
                    linux.command_line.push(' ');
                    linux.command_line.push_str(&word);
                }
                // Names in a configuration are read from where pxelinux is, not from where it stands.
                self.load(session, &base, linux).await
            }
            PxelinuxEntry::Disk { identifier } => Ok(NetworkBoot::Disk { identifier }),
            PxelinuxEntry::NextDevice => Ok(NetworkBoot::NextDevice),
        }
    }

    /// What stands before names: the folder of pxelinux itself, or what DHCP says (RFC 5071 §5).
    fn prefix(&self, session: &Session) -> Result<Location, NetworkError> {
        let options = &session.lease.message.options;
        match options.text(code::PXELINUX_PATH_PREFIX) {
            // A name has to stand behind it to be read from it.
            Some(prefix) => self.locate(&session.origin, &format!("{prefix}pxelinux.0")),
            None => Ok(session.origin.clone()),
        }
    }

    fn pxelinux_names(
        &self,
        session: &Session,
        base: &Location,
    ) -> Result<Vec<Location>, NetworkError> {
        let options = &session.lease.message.options;
        let given = options.text(code::PXELINUX_CONFIG_FILE).map(str::to_owned);
        given
            .into_iter()
            .chain(pxelinux_configuration_names(
                self.machine,
                session.mac,
                session.lease.address,
            ))
            .map(|name| self.locate(base, &name))
            .collect()
    }

    fn appended(&self, session: &Session, what: u32) -> Vec<String> {
        let lease = &session.lease;
        let mut words = Vec::new();
        if what & IP != 0 {
            let options = &lease.message.options;
            let mask = options.address(code::SUBNET_MASK);
            words.push(format!(
                "ip={}:{}:{}:{}",
                lease.address,
                lease.next_server.unwrap_or(lease.server),
                options
                    .addresses(code::ROUTERS)
                    .first()
                    .unwrap_or(&Ipv4Addr::UNSPECIFIED),
                mask.unwrap_or(Ipv4Addr::UNSPECIFIED),
            ));
        }
        if what & BOOT_INTERFACE != 0 {
            let mac = session.mac.to_string().replace(':', "-");
            words.push(format!("BOOTIF=01-{mac}"));
        }
        if what & SYSTEM_ID != 0 {
            words.push(format!("SYSUUID={}", self.machine));
        }
        words
    }
}
