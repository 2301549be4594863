//! `[redfish]`: how BMCs that speak Redfish are spoken to.

use std::time::Duration;

use ironic_core::Error;
use ironic_drivers_redfish::{AuthMethod, ClientOptions, DriverInfoDefaults, TlsVersion};

use super::ConfigError;
use super::sections::section;
use super::value::Seconds;

section! {
    /// `[redfish]`: how BMCs that speak Redfish are spoken to, where a node's `driver_info` says
    /// nothing else.
    pub struct RedfishSection("REDFISH") {
        /// Whether certificates are verified: `true`, `false`, or a file or folder of those to
        /// trust. Default `true`, by the roots that the system has.
        verify_ca: String,
        /// How a client says who it is: `auto`, `session`, `basic` or `none`. Default `auto`.
        auth_type: String,
        /// The lowest version of TLS: `1.2` or `1.3`. Default whatever the library takes.
        tls_minimum_version: String,
        /// How long one request may take. Default 60.
        request_timeout: Seconds,
        /// How long a request waits, over all its tries, for a BMC that says nothing. Default 60.
        silence_limit: Seconds,
        /// How often a request is tried, from 1 to 100. Default 5.
        connection_attempts: u32,
        /// The pause before the second try; it doubles with each further one. Default 1.
        connection_retry_interval: Seconds,
        /// The longest pause between tries. Default 16.
        connection_retry_limit: Seconds,
        /// Requests at the same time to one BMC, from 1 to 64. Default 4.
        concurrency: usize,
        /// For how many BMCs sessions are kept. Default 1000.
        connection_cache_size: usize,
        /// How long a machine may take to reach a power state. Default 60.
        power_state_change_timeout: Seconds,
        /// How often a BMC is asked how far an update of firmware is. Default 60.
        firmware_update_status_interval: Seconds,
        /// How long a step with updates of firmware may take. Default 7200.
        firmware_update_overall_timeout: Seconds,
    }
}

impl RedfishSection {
    /// Limits and patience of a client.
    pub(crate) fn client_options(&self) -> ClientOptions {
        let mut options = ClientOptions::new();
        let time = |setting: &mut Duration, value: Option<Seconds>| {
            if let Some(Seconds(value)) = value {
                *setting = value;
            }
        };
        time(&mut options.request_timeout, self.request_timeout);
        time(&mut options.silence_limit, self.silence_limit);
        time(&mut options.retry_delay, self.connection_retry_interval);
        time(&mut options.retry_delay_limit, self.connection_retry_limit);
        options.attempts = self.connection_attempts.unwrap_or(options.attempts);
        options.concurrency = self.concurrency.unwrap_or(options.concurrency);
        options
    }

    /// How often a BMC is asked how far an update is, and how long a step with updates may take.
    pub(crate) fn firmware_updates(&self) -> (Duration, Duration) {
        let or = |setting: Option<Seconds>, usual| {
            setting.map_or(Duration::from_secs(usual), |Seconds(time)| time)
        };
        let poll = or(self.firmware_update_status_interval, 60);
        (poll, or(self.firmware_update_overall_timeout, 7200))
    }

    /// What holds for nodes that say nothing themselves.
    pub(crate) fn driver_info(&self) -> DriverInfoDefaults {
        let mut defaults = DriverInfoDefaults::default();
        defaults.verify_ca.clone_from(&self.verify_ca);
        defaults
            .tls_minimum_version
            .clone_from(&self.tls_minimum_version);
        if let Some(auth) = self.auth_type.as_deref().and_then(auth_method) {
            defaults.auth = auth;
        }
        defaults
    }

    /// Refuses what no client could work with.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let options = self.client_options();
        let wrong = if !(1..=100).contains(&options.attempts) {
            "connection_attempts in [redfish] must be 1 to 100"
        } else if !(1..=64).contains(&options.concurrency) {
            "concurrency in [redfish] must be 1 to 64"
        } else if options.request_timeout.min(options.silence_limit) < Duration::from_millis(1) {
            "request_timeout and silence_limit in [redfish] must be at least a millisecond"
        } else if self.firmware_updates().0 < Duration::from_millis(1) {
            "firmware_update_status_interval in [redfish] must be at least a millisecond"
        } else if options.retry_delay_limit < options.retry_delay {
            "connection_retry_limit in [redfish] is below connection_retry_interval"
        } else if self
            .auth_type
            .as_deref()
            .is_some_and(|name| auth_method(name).is_none())
        {
            "auth_type in [redfish] must be auto, session, basic or none"
        } else if self
            .tls_minimum_version
            .as_deref()
            .is_some_and(|number| TlsVersion::from_number(number).is_none())
        {
            "tls_minimum_version in [redfish] must be 1.1, 1.2 or 1.3"
        } else {
            return Ok(());
        };
        Err(Error::invalid(wrong).into())
    }
}

fn auth_method(name: &str) -> Option<AuthMethod> {
    use AuthMethod as A;
    [A::Auto, A::Session, A::Basic, A::None]
        .into_iter()
        .find(|method| method.as_str() == name)
}
