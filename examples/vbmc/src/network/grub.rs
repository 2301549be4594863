use std::collections::BTreeMap;

use super::{NetworkBoot, NetworkBooter, NetworkError, boot::Session};
use crate::script::{GrubSession, GrubStep, Linux, Location, grub_configuration_names};

/// Where GRUB's own folder is: that of its image, or the one that `grub-mknetdir` makes in it.
const FOLDERS: [&str; 2] = ["", "grub/"];

impl NetworkBooter<'_> {
    pub(super) async fn grub(&self, session: Session) -> Result<NetworkBoot, NetworkError> {
        let mut names = Vec::new();
        for folder in FOLDERS {
            let all = grub_configuration_names(self.machine, session.mac, session.lease.address);
            for name in all {
                names.push(self.locate(&session.origin, &format!("{folder}{name}"))?);
            }
        }
        let (mut location, text) = self.configuration(&session, &names).await?;
        let variables = self.grub_variables(&session);
        let mut grub = GrubSession::new(&text, variables)
            .map_err(|source| NetworkError::script(&location, source))?;
        loop {
            let step = grub
                .step()
                .map_err(|source| NetworkError::script(&location, source))?;
            match step {
                GrubStep::Load(name) => {
                    let wanted = self.grub_file(&session, &name)?;
                    let text = match session.fetcher.script(&wanted).await {
                        Ok(content) => Some(self.text(&wanted, content)),
                        Err(error) if error.is_absence() => None,
                        Err(error) => return Err(error),
                    };
                    let is_there = text.is_some();
                    grub.loaded(text.as_deref())
                        .map_err(|source| NetworkError::script(&wanted, source))?;
                    if is_there {
                        location = wanted;
                    }
                }
                GrubStep::Linux(linux) => {
                    let root = self.grub_file(&session, "/")?;
                    let device = |name: &str| without_device(name).to_owned();
                    let linux = Linux {
                        kernel: device(&linux.kernel),
                        initrds: linux.initrds.iter().map(|name| device(name)).collect(),
                        command_line: linux.command_line,
                    };
                    return self.load(session, &root, linux).await;
                }
                GrubStep::Disk => return Ok(NetworkBoot::Disk { identifier: None }),
                GrubStep::NextDevice => return Ok(NetworkBoot::NextDevice),
            }
        }
    }

    /// GRUB's names are all read from the server's root.
    fn grub_file(&self, session: &Session, name: &str) -> Result<Location, NetworkError> {
        let path = without_device(name).trim_start_matches('/');
        self.locate(&session.origin, &format!("/{path}"))
    }

    fn grub_variables(&self, session: &Session) -> BTreeMap<String, String> {
        let lease = &session.lease;
        let server = lease.next_server.unwrap_or(lease.server).to_string();
        [
            ("net_default_mac", session.mac.to_string()),
            ("net_default_ip", lease.address.to_string()),
            ("net_default_server", server),
            ("grub_platform", "efi".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// A name without the device before it, `(tftp)/path` or `(http,192.0.2.1)/path`: this machine has one network.
fn without_device(name: &str) -> &str {
    name.strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .map_or(name, |(_, path)| path)
}
