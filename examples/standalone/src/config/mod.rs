//! The host's settings: a TOML file, over it the environment, over that what the command line
//! says.

mod access;
mod boot;
mod conductor;
mod console;
mod dhcp;
mod drivers;
mod edge;
mod error;
mod notifications;
mod policies;
mod put;
mod redfish;
mod sections;
mod tls;
mod unknown;
mod value;

pub(crate) use access::Strategy;
pub use access::{AccessSection, KeystoneSection};
pub use boot::{BootSection, HttpBootSection, TftpSection};
pub use conductor::{ConductorSection, SensorDataSection};
pub use console::ConsoleSection;
pub use dhcp::{DhcpMode, DhcpSection, StaticHost, StaticHosts};
pub use drivers::DriverSettings;
pub use edge::{
    CorsSection, HealthcheckSection, LimitsSection, LogSection, MetricsSection, MetricsSettings,
};
pub use error::ConfigError;
pub use notifications::NotificationsSection;
pub use redfish::RedfishSection;
pub use sections::{ApiSection, FakeSection, ServiceSection};
pub use tls::TlsSection;
pub use value::{Addresses, Delay, Names, Pairs, Seconds};

pub(crate) use unknown::nearest;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ironic_core::Config;
use ironic_core::secret::MASK;
use serde::Deserialize;

use crate::api::ApiSettings;
use crate::front::Cors;
use crate::serve::Limits;
use crate::webhook::WebhookSettings;

/// Reads an environment variable, for [`HostConfig::load`].
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a host is made from.
#[derive(Clone)]
#[non_exhaustive]
pub struct HostConfig {
    /// Where the API listens. Default `127.0.0.1:6385`; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where the records are: `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/NAME`, or `memory:`
    /// for none that outlive the process.
    /// Default `memory:`.
    pub database: String,
    /// The file to which every decision of the conductor is appended, for `ironic journal`. Once it
    /// is moved away, a new one is begun, so that it can be rotated without a signal. Default none.
    pub journal: Option<PathBuf>,
    /// How long a client may take to send the head of a request, also of the next one on a
    /// connection that it keeps. Default 30 s, more than 0.
    pub header_timeout: Duration,
    /// What clients may take of the service.
    pub limits: Limits,
    /// Which pages of other sites may use the API from a browser.
    pub cors: Cors,
    /// Whether and where numbers are told to Prometheus.
    pub metrics: MetricsSettings,
    /// Whether every request is logged when it has been answered. Default true.
    pub access_log: bool,
    /// How the API answers.
    pub api: ApiSettings,
    /// How the conductor works.
    pub conductor: Config,
    /// Where events are posted to, if anywhere.
    pub webhook: Option<WebhookSettings>,
    /// Which drivers nodes may have.
    pub drivers: DriverSettings,
    /// What machines boot over the network.
    pub boot: BootSection,
    /// The TFTP server.
    pub tftp: TftpSection,
    /// The HTTP server of boot files.
    pub http_boot: HttpBootSection,
    /// The DHCP server.
    pub dhcp: DhcpSection,
    /// How BMCs that speak Redfish are spoken to.
    pub redfish: RedfishSection,
    /// Where machines' consoles are reached.
    pub console: ConsoleSection,
    /// How long the fake drivers take.
    pub fake: FakeSection,
    /// Who is let in.
    pub access: AccessSection,
    /// The Identity service that vouches for tokens.
    pub keystone: KeystoneSection,
    /// Whether and how the API is served by TLS.
    pub tls: TlsSection,
}

impl fmt::Debug for HostConfig {
    /// Prints no URL that may have a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            listen,
            database,
            journal,
            header_timeout,
            limits,
            cors,
            metrics,
            access_log,
            api,
            conductor,
            webhook,
            drivers,
            boot,
            tftp,
            http_boot,
            dhcp,
            redfish,
            console,
            fake,
            access,
            keystone,
            tls,
        } = self;
        let open = ["sqlite:", "memory:"]
            .iter()
            .any(|plain| database.starts_with(plain));
        let database = if open { database } else { MASK };
        f.debug_struct("HostConfig")
            .field("listen", listen)
            .field("database", &database)
            .field("journal", journal)
            .field("header_timeout", header_timeout)
            .field("limits", limits)
            .field("cors", cors)
            .field("metrics", metrics)
            .field("access_log", access_log)
            .field("api", api)
            .field("conductor", conductor)
            .field("webhook", webhook)
            .field("drivers", drivers)
            .field("boot", boot)
            .field("tftp", tftp)
            .field("http_boot", http_boot)
            .field("dhcp", dhcp)
            .field("redfish", redfish)
            .field("console", console)
            .field("fake", fake)
            .field("access", access)
            .field("keystone", keystone)
            .field("tls", tls)
            .finish()
    }
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 6385)),
            database: "memory:".to_owned(),
            journal: None,
            header_timeout: Duration::from_secs(30),
            limits: Limits::default(),
            cors: Cors::default(),
            metrics: MetricsSettings::default(),
            access_log: true,
            api: ApiSettings::default(),
            conductor: Config::default(),
            webhook: None,
            drivers: DriverSettings::default(),
            boot: BootSection::default(),
            tftp: TftpSection::default(),
            http_boot: HttpBootSection::default(),
            dhcp: DhcpSection::default(),
            redfish: RedfishSection::default(),
            console: ConsoleSection::default(),
            fake: FakeSection::default(),
            access: AccessSection::default(),
            keystone: KeystoneSection::default(),
            tls: TlsSection::default(),
        }
    }
}

/// A settings file, section by section.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    service: ServiceSection,
    #[serde(default)]
    api: ApiSection,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    cors: CorsSection,
    #[serde(default)]
    healthcheck: HealthcheckSection,
    #[serde(default)]
    metrics: MetricsSection,
    #[serde(default)]
    log: LogSection,
    #[serde(default)]
    conductor: ConductorSection,
    #[serde(default)]
    sensor_data: SensorDataSection,
    #[serde(default)]
    notifications: NotificationsSection,
    #[serde(default)]
    drivers: DriverSettings,
    #[serde(default)]
    boot: BootSection,
    #[serde(default)]
    tftp: TftpSection,
    #[serde(default)]
    http_boot: HttpBootSection,
    #[serde(default)]
    dhcp: DhcpSection,
    #[serde(default)]
    redfish: RedfishSection,
    #[serde(default)]
    console: ConsoleSection,
    #[serde(default)]
    fake: FakeSection,
    #[serde(default)]
    access: AccessSection,
    #[serde(default)]
    keystone: KeystoneSection,
    #[serde(default)]
    tls: TlsSection,
}

impl HostConfig {
    /// The settings of a file, if one is given, and of the environment, which wins. A variable
    /// is named after section and key: `host` in `[conductor]` is `IRONIC_CONDUCTOR_HOST`; a
    /// list has commas. Variables that name no setting are left alone.
    ///
    /// # Errors
    /// [`ConfigError`] names the file and line, or the variable, and what is wrong there.
    pub fn load(file: Option<&Path>, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let mut settings = match file {
            Some(path) => read(path)?,
            None => File::default(),
        };
        settings.service.overlay(environment)?;
        settings.api.overlay(environment)?;
        settings.limits.overlay(environment)?;
        settings.cors.overlay(environment)?;
        settings.healthcheck.overlay(environment)?;
        settings.metrics.overlay(environment)?;
        settings.log.overlay(environment)?;
        settings.conductor.overlay(environment)?;
        settings.sensor_data.overlay(environment)?;
        settings.notifications.overlay(environment)?;
        settings.drivers.overlay(environment)?;
        settings.boot.overlay(environment)?;
        settings.tftp.overlay(environment)?;
        settings.http_boot.overlay(environment)?;
        settings.dhcp.overlay(environment)?;
        settings.redfish.overlay(environment)?;
        settings.console.overlay(environment)?;
        settings.fake.overlay(environment)?;
        settings.access.overlay(environment)?;
        settings.keystone.overlay(environment)?;
        settings.tls.overlay(environment)?;
        Self::from_file(settings)
    }

    /// The settings of a text in the format of the file.
    ///
    /// # Errors
    /// As [`HostConfig::load`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file = toml::from_str(text).map_err(|error| ConfigError::syntax(None, text, &error))?;
        Self::from_file(file)
    }

    fn from_file(file: File) -> Result<Self, ConfigError> {
        file.boot.check()?;
        file.dhcp.check()?;
        file.redfish.check()?;
        file.console.check()?;
        access::check(&file.access, &file.keystone)?;
        file.tls.settings()?;
        let mut config = Self {
            drivers: file.drivers,
            boot: file.boot,
            tftp: file.tftp,
            http_boot: file.http_boot,
            dhcp: file.dhcp,
            redfish: file.redfish,
            console: file.console,
            fake: file.fake,
            access: file.access,
            keystone: file.keystone,
            tls: file.tls,
            ..Self::default()
        };
        if let Some(listen) = file.service.listen {
            config.listen = listen;
        }
        if let Some(database) = file.service.database {
            config.database = database;
        }
        let journal = file.service.journal.filter(|path| !path.is_empty());
        config.journal = journal.map(PathBuf::from);
        if let Some(timeout) = file.service.header_timeout {
            config.header_timeout = timeout.0;
        }
        if config.header_timeout.is_zero() {
            let wrong = "header_timeout in [service] must be more than 0";
            return Err(ironic_core::Error::invalid(wrong).into());
        }
        file.api
            .apply(&mut config.api, &mut config.conductor.policy)?;
        file.limits.apply(&mut config.limits)?;
        file.cors.apply(&mut config.cors)?;
        file.healthcheck.apply(&mut config.api.healthcheck)?;
        file.metrics.apply(&mut config.metrics)?;
        config.access_log = file.log.access.unwrap_or(config.access_log);
        let checked = config.limits.check().and_then(|()| config.cors.check());
        checked.map_err(ironic_core::Error::invalid)?;
        if config.api.healthcheck.timeout.is_zero() {
            let wrong = "timeout in [healthcheck] must be more than 0";
            return Err(ironic_core::Error::invalid(wrong).into());
        }
        file.conductor.apply(&mut config.conductor)?;
        file.sensor_data.apply(&mut config.conductor)?;
        config.webhook = file.notifications.apply(&mut config.conductor)?;
        config.conductor = config.conductor.build()?;
        Ok(config)
    }
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::syntax(Some(path), &text, &error))
}

#[cfg(test)]
mod tests {
    use ironic_core::states::InterfaceKind;

    use super::{Duration, HostConfig};

    #[test]
    fn the_environment_wins_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ironic.toml");
        let text = "[service]\nlisten = \"127.0.0.1:1\"\n[conductor]\nhost = \"a\"\n\
                    deploy_callback_timeout = 0.5\n[drivers]\nenabled_boot_interfaces = [\"pxe\"]\n";
        std::fs::write(&file, text).unwrap();
        let environment = |name: &str| match name {
            "IRONIC_CONDUCTOR_HOST" => Some("b".to_owned()),
            "IRONIC_DRIVERS_ENABLED_BOOT_INTERFACES" => Some("ipxe, pxe".to_owned()),
            _ => None,
        };
        let config = HostConfig::load(Some(&file), &environment).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.conductor.host, "b");
        let timeout = config.conductor.policy.deploy_callback_timeout;
        assert_eq!(timeout, Duration::from_millis(500));
        let boot = config.drivers.enabled(InterfaceKind::Boot).unwrap();
        assert_eq!(boot, ["ipxe", "pxe"]);
    }

    #[test]
    fn failures_ramdisks_and_take_over_go_by_the_file() {
        let text = "[conductor]\nfast_track = true\nfast_track_timeout = 30\n\
                    allow_provisioning_in_maintenance = false\npoweroff_in_cleanfail = true\n\
                    poweroff_in_servicefail = true\npower_off_after_deploy_failure = false\n\
                    sync_local_state_interval = 7\nperiodic_max_workers = 3\n";
        let set = HostConfig::parse(text).unwrap().conductor;
        assert!(set.policy.fast_track);
        assert_eq!(set.policy.fast_track_timeout, Duration::from_secs(30));
        assert!(!set.policy.allow_provisioning_in_maintenance);
        assert!(set.policy.poweroff_in_cleanfail);
        assert!(set.policy.poweroff_in_servicefail);
        assert!(!set.policy.power_off_after_deploy_failure);
        assert_eq!(set.sync_local_state_interval, Duration::from_secs(7));
        assert_eq!(set.periodic_max_workers, 3);
    }

    #[test]
    fn a_mistake_is_shown_with_its_key_and_line() {
        for (text, shown) in [
            (
                "[conductor]\nhots = \"a\"\n",
                [
                    "line 2: unknown key `hots` in [conductor]",
                    "did you mean `host`?",
                ],
            ),
            (
                "[api]\n\n[conductor]\nmax_concurent_deploy = 1\n",
                [
                    "line 4: unknown key `max_concurent_deploy` in [conductor]",
                    "did you mean `max_concurrent_deploy`?",
                ],
            ),
            (
                "conductor.hots = \"a\"\n",
                ["line 1: unknown key `hots` in [conductor]", "`host`"],
            ),
            (
                "[tftp]\ncolour = 1\n",
                ["unknown key `colour` in [tftp]; there are", "listen"],
            ),
            (
                "[conductors]\n",
                [
                    "line 1: unknown section [conductors]",
                    "did you mean [conductor]?",
                ],
            ),
            (
                "[notifications]\nlevel = \"loud\"\n",
                ["level in [notifications]", "loud"],
            ),
            (
                "[notifications]\nwebhook_url = \"ftp://x\"\n",
                ["webhook_url", "http"],
            ),
            ("[service]\n\nlisten = 5\n", ["listen", "line 3"]),
            (
                "[fake]\npower_delay = \"fast\"\n",
                ["power_delay", "line 2"],
            ),
            ("[api]\nmax_limit = 0\n", ["max_limit", "at least 1"]),
            (
                "[conductor]\nheartbeat_timeout = 1\n",
                ["heartbeat_timeout", "twice"],
            ),
        ] {
            let error = HostConfig::parse(text).unwrap_err().to_string();
            for part in shown {
                assert!(error.contains(part), "{text:?}: {error}");
            }
        }
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let environment =
            |name: &str| (name == "IRONIC_SERVICE_LISTEN").then(|| "nowhere".to_owned());
        let error = HostConfig::load(None, &environment).unwrap_err();
        assert!(
            error.to_string().contains("IRONIC_SERVICE_LISTEN"),
            "{error}"
        );
    }
}
