use super::{
    NetworkBoot, NetworkBooter, NetworkError, NetworkLinux, boot::Session, program::Program,
};
use crate::{
    machine::{Firmware, MachineEvent},
    script::{
        Answer, Ending, FetchKind, IpxeSession, Location, ScriptError, Settings, Step, Value,
        is_script,
    },
};

impl NetworkBooter<'_> {
    /// What iPXE does once it runs: asks again, says who it is, and runs the script that it is given.
    pub(super) async fn ipxe(&self) -> Result<NetworkBoot, NetworkError> {
        let session = self.ask(true).await?;
        let script = match session.fetcher.script(&session.origin).await {
            Ok(content) => content,
            // A loader in place of a script, and one that the server does not even have.
            Err(error)
                if error.is_absence()
                    && Program::find(session.origin.path(), self.firmware).is_some() =>
            {
                return Err(no_script(&session));
            }
            Err(error) => return Err(error),
        };
        if !is_script(&script) {
            return Err(no_script(&session));
        }
        self.report_script(&session.origin);
        let failed = |source: ScriptError| NetworkError::script(&session.origin, source);
        let settings = self.settings(&session).map_err(failed)?;
        let mut ipxe =
            IpxeSession::new(&script, session.origin.clone(), settings).map_err(failed)?;
        let mut answer = Answer::Done;
        loop {
            answer = match ipxe.step(answer).map_err(failed)? {
                Step::Fetch {
                    location,
                    kind,
                    timeout,
                } => {
                    let fetched = self.ipxe_fetch(&session, &location, kind);
                    let fetched = match timeout.filter(|limit| !limit.is_zero()) {
                        Some(limit) => tokio::time::timeout(limit, fetched).await.ok(),
                        None => Some(fetched.await),
                    };
                    match fetched {
                        Some(Ok(answer)) => answer,
                        Some(Err(error)) => {
                            self.reporter.note(&error);
                            Answer::Failed
                        }
                        None => Answer::Failed,
                    }
                }
                Step::Pause(pause) => {
                    let pause = pause.min(self.timings.longest_pause);
                    tokio::time::sleep(pause).await;
                    Answer::Done
                }
                Step::BootDisk => match self.disks.find(self.firmware, None, self.power).await {
                    Ok(_) => return Ok(NetworkBoot::Disk { identifier: None }),
                    Err(error) => {
                        self.reporter.note(&error);
                        Answer::Failed
                    }
                },
                Step::Finish(ending) => return Ok(finish(ending, session)),
            };
        }
    }

    async fn ipxe_fetch(
        &self,
        session: &Session,
        location: &Location,
        kind: FetchKind,
    ) -> Result<Answer, NetworkError> {
        match kind {
            FetchKind::Script => {
                let script = session.fetcher.script(location).await?;
                self.report_script(location);
                Ok(Answer::Script(script))
            }
            FetchKind::Kernel | FetchKind::Initrd => {
                let is_kernel = kind == FetchKind::Kernel;
                self.load_image(&session.fetcher, location, is_kernel)
                    .await?;
                Ok(Answer::Done)
            }
        }
    }

    fn report_script(&self, location: &Location) {
        self.reporter.report(MachineEvent::LoadedConfig {
            location: location.to_string(),
        });
    }

    fn settings(&self, session: &Session) -> Result<Settings, ScriptError> {
        let lease = &session.lease;
        let mut settings = Settings::default();
        for (card, mac) in self.macs.iter().enumerate() {
            let mac = Value::Bytes(mac.as_bytes().to_vec());
            settings.set(&format!("net{card}/mac"), mac)?;
        }
        settings.set("mac", Value::Bytes(session.mac.as_bytes().to_vec()))?;
        let server = lease.next_server.unwrap_or(lease.server).to_string();
        let platform = match self.firmware {
            Firmware::Bios => "pcbios",
            Firmware::Uefi | Firmware::UefiHttp => "efi",
        };
        for (name, text) in [
            ("ip", lease.address.to_string()),
            ("next-server", server),
            ("filename", lease.boot_file.clone().unwrap_or_default()),
            ("uuid", self.machine.to_string()),
            ("platform", platform.to_owned()),
            (
                "buildarch",
                if self.arm { "arm64" } else { "x86_64" }.to_owned(),
            ),
            ("version", "1.21.1".to_owned()),
        ] {
            settings.set(name, Value::Text(text.clone()))?;
            settings.set(&format!("net{}/{name}", self.card), Value::Text(text))?;
        }
        Ok(settings)
    }
}

fn no_script(session: &Session) -> NetworkError {
    NetworkError::NoScript(session.lease.boot_file.clone().unwrap_or_default())
}

fn finish(ending: Ending, session: Session) -> NetworkBoot {
    match ending {
        Ending::Linux {
            command_line,
            ramdisks,
        } => NetworkBoot::Linux(NetworkLinux {
            command_line,
            ramdisks,
            lease: session.lease,
        }),
        Ending::NextDevice => NetworkBoot::NextDevice,
        Ending::Reboot => NetworkBoot::Reboot,
        Ending::PowerOff => NetworkBoot::PowerOff,
    }
}
