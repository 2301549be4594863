//! What the agent is told: kernel parameters with the original's names and defaults.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ironic_core::Secret;

use crate::cmdline::KernelParams;

/// Port of the command API when none is given.
pub const DEFAULT_PORT: u16 = 9999;

/// A kernel parameter that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The value does not read as what the parameter is.
    #[error("kernel parameter {name}: {value:?} is not {expected}")]
    Invalid {
        /// The parameter.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would have done.
        expected: &'static str,
    },
    /// The parameter asks for something this agent does not have.
    #[error("kernel parameter {name}: {what} is not supported")]
    Unsupported {
        /// The parameter.
        name: &'static str,
        /// What it asks for.
        what: &'static str,
    },
}

/// How one agent behaves; `from_cmdline` fills it, a host may change it before the start.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AgentConfig {
    /// `ipa-api-url`: roots of the Bare Metal API, tried in order. None: no lookup, no heartbeat.
    pub api_urls: Vec<String>,
    /// `ipa-inspection-callback-url`: where the inventory goes.
    pub inspection_urls: Vec<String>,
    /// `ipa-inspection-collectors`: `default,logs` when none are named.
    pub inspection_collectors: Option<Vec<String>>,
    /// `ipa-inspection-dhcp-wait-timeout`, 60 s; zero does not wait.
    pub dhcp_wait: Duration,
    /// `ipa-inspection-dhcp-all-interfaces`: wait for an address on every NIC, not only `BOOTIF`'s.
    pub dhcp_all_interfaces: bool,
    /// `ipa-listen-host`; none listens on every address.
    pub listen_host: Option<IpAddr>,
    /// `ipa-listen-port`, 9999; zero takes a free one.
    pub listen_port: u16,
    /// `ipa-advertise-host`: the callback URL's host; none finds the address that reaches the API.
    pub advertise_host: Option<String>,
    /// `ipa-advertise-port`; none advertises the port listened on.
    pub advertise_port: Option<u16>,
    /// `ipa-advertise-protocol`: scheme of the callback URL, for a TLS proxy in front; `http`.
    pub advertise_protocol: String,
    /// `ipa-ip-lookup-attempts`, 6, at least 1.
    pub ip_lookup_attempts: u32,
    /// `ipa-ip-lookup-timeout`: pause between those attempts, 10 s.
    pub ip_lookup_pause: Duration,
    /// `ipa-lookup-timeout`: how long a node may stay unknown, 600 s.
    pub lookup_timeout: Duration,
    /// `ipa-lookup-interval`: first pause between lookups, 1 s; it doubles up to 60 s.
    pub lookup_interval: Duration,
    /// `ipa-agent-token`: a token given ahead of the lookup, as virtual media can.
    pub agent_token: Option<Secret<String>>,
    /// `ipa-hardware-initialization-delay`: a pause before anything else; none.
    pub hardware_delay: Duration,
    /// `ipa-disk-wait-attempts`: how often to look for a root disk, 10; zero does not wait.
    pub disk_wait_attempts: u32,
    /// `ipa-disk-wait-delay`: pause between those attempts, 3 s.
    pub disk_wait_delay: Duration,
    /// `ipa-http-request-timeout`: limit of one call to the API, 30 s.
    pub request_timeout: Duration,
    /// `ipa-global-request-id`: sent along as `X-OpenStack-Request-ID`.
    pub request_id: Option<String>,
    /// `ipa-ironic-api-version`: skips the version negotiation.
    pub api_version: Option<(u32, u32)>,
    /// `ipa-insecure`: the host's HTTP client is not to check certificates.
    pub insecure: bool,
    /// `ipa-image-download-connection-timeout`: longest silence in a download, 60 s.
    pub download_timeout: Duration,
    /// `ipa-image-download-connection-retries`: repetitions of a failed download, 9.
    pub download_retries: u32,
    /// `ipa-image-download-connection-retry-interval`: pause before each, 10 s.
    pub download_retry_interval: Duration,
    /// `ipa-image-download-max-duration`: limit of a whole download; zero is none.
    pub download_max_duration: Duration,
    /// `ipa-guard-special-filesystems`: refuse to erase shared file systems; true.
    pub guard_special_filesystems: bool,
    /// `ipa-ignore-bootloader-failure`: an image counts as written without a boot entry.
    pub ignore_bootloader_failure: bool,
    /// Whether MD5 image checksums are good enough until the lookup says; true as in the original.
    pub md5_enabled: bool,
    /// Shortest time between two heartbeats, 5 s. No kernel parameter.
    pub min_heartbeat_interval: Duration,
    /// Largest command body in bytes: 192 MiB, room for a 64 MiB config drive sent twice. No kernel parameter.
    pub max_command_body: usize,
    /// The parameters themselves.
    pub params: KernelParams,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            api_urls: Vec::new(),
            inspection_urls: Vec::new(),
            inspection_collectors: None,
            dhcp_wait: Duration::from_secs(60),
            dhcp_all_interfaces: false,
            listen_host: None,
            listen_port: DEFAULT_PORT,
            advertise_host: None,
            advertise_port: None,
            advertise_protocol: "http".to_owned(),
            ip_lookup_attempts: 6,
            ip_lookup_pause: Duration::from_secs(10),
            lookup_timeout: Duration::from_secs(600),
            lookup_interval: Duration::from_secs(1),
            agent_token: None,
            hardware_delay: Duration::ZERO,
            disk_wait_attempts: 10,
            disk_wait_delay: Duration::from_secs(3),
            request_timeout: Duration::from_secs(30),
            request_id: None,
            api_version: None,
            insecure: false,
            download_timeout: Duration::from_secs(60),
            download_retries: 9,
            download_retry_interval: Duration::from_secs(10),
            download_max_duration: Duration::ZERO,
            guard_special_filesystems: true,
            ignore_bootloader_failure: false,
            md5_enabled: true,
            min_heartbeat_interval: Duration::from_secs(5),
            max_command_body: 192 << 20,
            params: KernelParams::default(),
        }
    }
}

impl AgentConfig {
    /// Reads a kernel command line; parameters that are not the agent's are kept but not judged.
    ///
    /// # Errors
    /// [`ConfigError`] names the first parameter whose value makes no sense.
    pub fn from_cmdline(cmdline: &str) -> Result<Self, ConfigError> {
        let params = KernelParams::parse(cmdline);
        let reader = Reader(&params);
        let base = Self::default();
        let config = Self {
            api_urls: reader.urls("ipa-api-url")?,
            inspection_urls: reader.urls("ipa-inspection-callback-url")?,
            inspection_collectors: params.get("ipa-inspection-collectors").map(words),
            dhcp_wait: reader.seconds("ipa-inspection-dhcp-wait-timeout", base.dhcp_wait)?,
            dhcp_all_interfaces: reader.flag("ipa-inspection-dhcp-all-interfaces", false)?,
            listen_host: reader.parsed("ipa-listen-host", "an IP address")?,
            listen_port: reader
                .parsed("ipa-listen-port", "a port")?
                .unwrap_or(base.listen_port),
            advertise_host: params.get("ipa-advertise-host").map(str::to_owned),
            advertise_port: reader.parsed("ipa-advertise-port", "a port")?,
            advertise_protocol: reader.protocol("ipa-advertise-protocol")?,
            ip_lookup_attempts: reader
                .parsed("ipa-ip-lookup-attempts", "a count")?
                .unwrap_or(base.ip_lookup_attempts)
                .max(1),
            ip_lookup_pause: reader.seconds("ipa-ip-lookup-timeout", base.ip_lookup_pause)?,
            lookup_timeout: reader.seconds("ipa-lookup-timeout", base.lookup_timeout)?,
            lookup_interval: reader.seconds("ipa-lookup-interval", base.lookup_interval)?,
            agent_token: params
                .get("ipa-agent-token")
                .map(|token| Secret::new(token.to_owned())),
            hardware_delay: reader
                .seconds("ipa-hardware-initialization-delay", base.hardware_delay)?,
            disk_wait_attempts: reader
                .parsed("ipa-disk-wait-attempts", "a count")?
                .unwrap_or(base.disk_wait_attempts),
            disk_wait_delay: reader.seconds("ipa-disk-wait-delay", base.disk_wait_delay)?,
            request_timeout: reader.seconds("ipa-http-request-timeout", base.request_timeout)?,
            request_id: params.get("ipa-global-request-id").map(str::to_owned),
            api_version: reader.version("ipa-ironic-api-version")?,
            insecure: reader.flag("ipa-insecure", false)?,
            download_timeout: reader.seconds(
                "ipa-image-download-connection-timeout",
                base.download_timeout,
            )?,
            download_retries: reader
                .parsed("ipa-image-download-connection-retries", "a count")?
                .unwrap_or(base.download_retries),
            download_retry_interval: reader.seconds(
                "ipa-image-download-connection-retry-interval",
                base.download_retry_interval,
            )?,
            download_max_duration: reader.seconds(
                "ipa-image-download-max-duration",
                base.download_max_duration,
            )?,
            guard_special_filesystems: reader.flag("ipa-guard-special-filesystems", true)?,
            ignore_bootloader_failure: reader.flag("ipa-ignore-bootloader-failure", false)?,
            ..base
        };
        Ok(Self { params, ..config })
    }

    /// Names of the collectors that an inspection runs.
    pub(crate) fn collectors(&self) -> Vec<String> {
        self.inspection_collectors
            .clone()
            .unwrap_or_else(|| words("default,logs"))
    }

    /// Where the inventory goes, if it is to go anywhere: naming collectors is enough to send it
    /// to the API itself.
    pub(crate) fn inspection_targets(&self) -> Vec<String> {
        if !self.inspection_urls.is_empty() {
            return self.inspection_urls.clone();
        }
        if self.inspection_collectors.is_none() {
            return Vec::new();
        }
        self.api_urls
            .iter()
            .map(|url| format!("{url}/v1/continue_inspection"))
            .collect()
    }
}

fn words(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

struct Reader<'a>(&'a KernelParams);

impl Reader<'_> {
    fn invalid(name: &'static str, value: &str, expected: &'static str) -> ConfigError {
        ConfigError::Invalid {
            name,
            value: value.chars().take(128).collect(),
            expected,
        }
    }

    fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.0
            .get(name)
            .map(|value| {
                value
                    .parse()
                    .map_err(|_| Self::invalid(name, value, expected))
            })
            .transpose()
    }

    fn seconds(&self, name: &'static str, default: Duration) -> Result<Duration, ConfigError> {
        // A day is beyond any wait that helps, and keeps deadlines far from overflow.
        const MOST: u32 = 86_400;
        Ok(self
            .parsed::<u32>(name, "a number of seconds")?
            .map_or(default, |seconds| {
                Duration::from_secs(seconds.min(MOST).into())
            }))
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        let Some(value) = self.0.get(name) else {
            return Ok(default);
        };
        crate::hints::bool_from_text(value)
            .ok_or_else(|| Self::invalid(name, value, "a Boolean value"))
    }

    fn urls(&self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        let Some(value) = self.0.get(name) else {
            return Ok(Vec::new());
        };
        if value == "mdns" {
            return Err(ConfigError::Unsupported {
                name,
                what: "multicast DNS discovery",
            });
        }
        let urls = words(value);
        match urls
            .iter()
            .find(|url| !url.starts_with("http://") && !url.starts_with("https://"))
        {
            Some(url) => Err(Self::invalid(name, url, "an http or https URL")),
            None => Ok(urls
                .iter()
                .map(|url| url.trim_end_matches('/').to_owned())
                .collect()),
        }
    }

    fn protocol(&self, name: &'static str) -> Result<String, ConfigError> {
        match self.0.get(name) {
            None => Ok("http".to_owned()),
            Some(value @ ("http" | "https")) => Ok(value.to_owned()),
            Some(value) => Err(Self::invalid(name, value, "http or https")),
        }
    }

    fn version(&self, name: &'static str) -> Result<Option<(u32, u32)>, ConfigError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        crate::api::parse_version(value)
            .map(Some)
            .ok_or_else(|| Self::invalid(name, value, "an API version such as 1.68"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AgentConfig, ConfigError};

    #[test]
    fn names_and_defaults_are_the_originals() {
        let config = AgentConfig::from_cmdline(
            "root=/dev/ram0 ipa-api-url=http://192.0.2.1:6385/,https://api/v ipa-listen-port=0 \
             ipa-inspection-callback-url=http://192.0.2.1:6385/v1/continue_inspection \
             ipa-lookup-timeout=30 ipa-insecure=1 ipa-agent-token=t0k ipa-ironic-api-version=1.68",
        )
        .unwrap();
        assert_eq!(config.api_urls, ["http://192.0.2.1:6385", "https://api/v"]);
        assert_eq!(
            config.inspection_targets(),
            ["http://192.0.2.1:6385/v1/continue_inspection"]
        );
        assert_eq!(config.listen_port, 0);
        assert_eq!(config.lookup_timeout, Duration::from_secs(30));
        assert_eq!(config.lookup_interval, Duration::from_secs(1));
        assert!(config.insecure);
        assert_eq!(config.api_version, Some((1, 68)));
        assert!(!format!("{:?}", config.agent_token).contains("t0k"));
    }

    #[test]
    fn named_collectors_alone_send_the_inventory_to_the_api() {
        let bare = AgentConfig::from_cmdline("ipa-api-url=http://a").unwrap();
        assert!(bare.inspection_targets().is_empty());
        let named =
            AgentConfig::from_cmdline("ipa-api-url=http://a ipa-inspection-collectors=default")
                .unwrap();
        assert_eq!(
            named.inspection_targets(),
            ["http://a/v1/continue_inspection"]
        );
        assert_eq!(named.collectors(), ["default"]);
    }

    #[test]
    fn nonsense_is_an_error() {
        for cmdline in [
            "ipa-api-url=ftp://a",
            "ipa-api-url=mdns",
            "ipa-listen-port=99999",
            "ipa-lookup-timeout=-1",
            "ipa-insecure=perhaps",
            "ipa-advertise-protocol=gopher",
            "ipa-ironic-api-version=latest",
            "ipa-listen-host=example",
        ] {
            let error: ConfigError = AgentConfig::from_cmdline(cmdline).unwrap_err();
            let name = cmdline.split('=').next().unwrap();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
