//! Settings: plain structs, checked once.
//!
#![doc = include_str!("options.md")]

mod cleaning;
mod defect;
mod policy;
mod sensors;

pub use cleaning::{AutomatedCleaning, CleaningStepSource};
pub(crate) use defect::Defect;
pub use policy::Policy;
pub use sensors::SensorData;

use std::collections::BTreeSet;
use std::time::Duration;

use ironic_hashring::HashFunction;

use crate::Error;
use crate::notify::Level;
use crate::states::BootMode;

string_enum! {
    /// Whose project becomes the lessee of a machine that is deployed.
    #[non_exhaustive]
    pub enum LesseeSource("source of lessees") {
        /// The one that `instance_info` has as `project_id`.
        Instance = "instance",
        /// The one on whose behalf the deployment is asked for.
        Request = "request",
        /// Nobody's.
        None = "none",
    }
}

string_enum! {
    /// How passwords are hashed for a Unix login (crypt(5)).
    #[non_exhaustive]
    pub enum PasswordHash("password hash") {
        /// SHA-crypt with SHA-256, `$5$`.
        Sha256 = "sha256",
        /// SHA-crypt with SHA-512, `$6$`.
        Sha512 = "sha512",
    }
}

/// How one conductor works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The conductor's name on the ring and on the transport; unique among conductors that run
    /// at the same time. Default: `localhost` (`[DEFAULT] host`).
    pub host: String,
    /// The group of nodes that it looks after. Default: the empty group
    /// (`[conductor] conductor_group`).
    pub conductor_group: String,
    /// What decisions depend on.
    pub policy: Policy,
    /// How often the conductor says that it lives. Default 10 s, at least 10 ms
    /// (`[conductor] heartbeat_interval`).
    pub heartbeat_interval: Duration,
    /// How long after its last keep-alive a conductor counts as dead. Default 60 s; more than
    /// twice `heartbeat_interval` (`[conductor] heartbeat_timeout`).
    pub heartbeat_timeout: Duration,
    /// How long one command to a BMC may take. Default 30 s, less than
    /// `heartbeat_timeout`; a conductor sends nothing when this would pass the end of its lease.
    pub bmc_command_timeout: Duration,
    /// How many commands may be under way to one BMC. Default 1, at least 1.
    pub bmc_concurrency: usize,
    /// How often each node's power is read. Default 120 s; zero never
    /// (`[conductor] sync_power_state_interval`).
    pub sync_power_state_interval: Duration,
    /// How many readings in a row may fail before the node goes into maintenance. Default 3
    /// (`[conductor] power_state_sync_max_retries`).
    pub power_state_sync_max_retries: u32,
    /// Whether a machine found in another power state than recorded is put back into it, rather
    /// than the record changed. Default: true (`[conductor] force_power_state_during_sync`).
    pub force_power_state_during_sync: bool,
    /// How finely the ring spreads nodes: each conductor has 2 to the power of this partitions of
    /// it. Default 5; the same in the whole fleet (`[DEFAULT] hash_partition_exponent`).
    pub hash_partition_exponent: u8,
    /// What the ring hashes with. Default: MD5; the same in the whole fleet
    /// (`[DEFAULT] hash_ring_algorithm`).
    pub hash_ring_algorithm: HashFunction,
    /// How old what was seen of the conductors may be when a node's is looked for. Default 15 s
    /// (`[DEFAULT] hash_ring_reset_interval`).
    pub hash_ring_reset_interval: Duration,
    /// The most characters that a node's `last_error` and `maintenance_reason` have. Default 4096,
    /// at least 1 (`[DEFAULT] log_in_db_max_size`).
    pub log_in_db_max_size: usize,
    /// The boot modes, as `properties` name them, in which nothing may be deployed. Default: none
    /// (`[conductor] disallowed_deployment_boot_modes`).
    pub disallowed_deployment_boot_modes: BTreeSet<BootMode>,
    /// How often nodes are looked for whose instance another conductor looked after, to take it
    /// over; they are at once when conductors come or go. Default 180 s; zero never, not even then
    /// (`[conductor] sync_local_state_interval`).
    pub sync_local_state_interval: Duration,
    /// How many instances are taken over at a time. Default 8, at least 1
    /// (`[conductor] periodic_max_workers`).
    pub periodic_max_workers: usize,
    /// Which runbooks clean nodes.
    pub automated_cleaning: AutomatedCleaning,
    /// Whether a machine that is deployed and has no lessee gets one, for as long as it has the
    /// instance. Default: true (`[conductor] automatic_lessee`).
    pub automatic_lessee: bool,
    /// Which project that is. Default: the instance's (`[conductor] automatic_lessee_source`).
    pub automatic_lessee_source: LesseeSource,
    /// How many nodes' power is read at a time. Default 8, at least 1
    /// (`[conductor] sync_power_state_workers`).
    pub sync_power_state_workers: usize,
    /// How often the BMC of a node that is in maintenance because it did not answer is tried
    /// again. Default 5 min; zero never (`[conductor] power_failure_recovery_interval`).
    pub power_failure_recovery_interval: Duration,
    /// How long a machine may take to reach a power state unless the caller says. Default 60 s,
    /// at least 2 s (`[conductor] power_state_change_timeout`).
    pub power_state_change_timeout: Duration,
    /// The same for a machine whose operating system is asked to shut down or restart by itself.
    /// Default 10 min, at least 1 s (`[conductor] soft_power_off_timeout`).
    pub soft_power_off_timeout: Duration,
    /// What the inspect interface `agent` makes of what a ramdisk has found, of
    /// [`Config::INSPECTION_HOOKS`]. Default: all of these (`[inspector] hooks`, by default there
    /// `ramdisk-error`, `validate-interfaces`, `ports` and `architecture` alone).
    pub inspection_hooks: Vec<String>,
    /// Which sensors are read how often.
    pub sensors: SensorData,
    /// How many nodes may be worked on at a time. Default 300, at least 1
    /// (`[conductor] workers_pool_size`).
    pub workers: usize,
    /// The share of `workers`, in percent and rounded down, that is kept for requests:
    /// heartbeats leave these alone. Default 5, at most 50
    /// (`[conductor] reserved_workers_pool_percentage`).
    pub reserved_workers_percentage: u8,
    /// How many nodes may be deploying, or waiting for their agents in it, in the whole fleet,
    /// before further deployments are refused. Default 250, at least 1
    /// (`[conductor] max_concurrent_deploy`).
    pub max_concurrent_deploy: u64,
    /// How many nodes may be in removal or cleaning, or waiting for their agents in it, in the
    /// whole fleet, before further removals of instances and manual cleanings are refused.
    /// Default 50, at least 1 (`[conductor] max_concurrent_clean`).
    pub max_concurrent_clean: u64,
    /// Whether those two limits count the nodes of this conductor's group alone. Default: false
    /// (`[conductor] max_concurrent_per_conductor_group`).
    pub max_concurrent_per_conductor_group: bool,
    /// How often a request tries again on a locked node. Default 3
    /// (`[conductor] node_locked_retry_attempts`).
    pub node_locked_retry_attempts: u32,
    /// How long it waits in between. Default 1 s, at least 10 ms
    /// (`[conductor] node_locked_retry_interval`).
    pub node_locked_retry_interval: Duration,
    /// How long a stop waits for what is running. Default 60 s; zero waits for all of it
    /// (`[conductor] graceful_shutdown_timeout`).
    pub graceful_shutdown_timeout: Duration,
    /// How long a drain waits for what is running. Default 30 min; zero waits for all of it
    /// (`[DEFAULT] drain_shutdown_timeout`).
    pub drain_shutdown_timeout: Duration,
    /// How long ago a conductor that is no more must have been heard of last before its record is
    /// removed. Default 14 days; at least 60 s and three times `heartbeat_timeout`
    /// (`[conductor] conductor_cleanup_timeout`).
    pub conductor_cleanup_timeout: Duration,
    /// How often such records are looked for. Default 1 day; zero never
    /// (`[conductor] conductor_cleanup_interval`).
    pub conductor_cleanup_interval: Duration,
    /// How many of them are removed at a time. Default 50, at least 1
    /// (`[conductor] conductor_cleanup_batch_size`).
    pub conductor_cleanup_batch_size: u32,
    /// Whether nodes have a history: it is written no more where they have none, and pruned all the
    /// same. Default: true (`[conductor] node_history`).
    pub node_history: bool,
    /// How many events of a node's history are kept; 0 for all. Default 300
    /// (`[conductor] node_history_max_entries`).
    pub node_history_max_entries: usize,
    /// How often histories are pruned; zero for never. Default 1 day
    /// (`[conductor] node_history_cleanup_interval`).
    pub node_history_cleanup_interval: Duration,
    /// After how many events one pruning ends; 0 for none at all. Default 1000
    /// (`[conductor] node_history_cleanup_batch_count`).
    pub node_history_cleanup_batch_count: usize,
    /// How many days an event is kept at least. Default 0
    /// (`[conductor] node_history_minimum_days`).
    pub node_history_minimum_days: u32,
    /// The least level of events that the notifier is told of. Default: none, and then whoever
    /// the host has named as its notifier is told of everything (`[DEFAULT] notification_level`).
    pub notification_level: Option<Level>,
    /// Where agents reach the API, without `/v1`: `http://192.0.2.1:6385`. Default: none; nothing
    /// that boots a ramdisk works without (`[service_catalog] endpoint_override`).
    pub api_url: Option<String>,
    /// The mode of port groups that are created without one, 1 to 255 characters. Default:
    /// `active-backup` (`[DEFAULT] default_portgroup_mode`).
    pub default_portgroup_mode: String,
    /// Whether a step on a child node may still be going on when it counts as done: nobody is told
    /// what becomes of it. Default: false (`[conductor] permit_child_node_step_async_result`).
    pub permit_child_node_step_async_result: bool,
    /// Whether the health that BMCs report is read along with power, and each change of it kept in
    /// the node's history: one more command per node and interval. Default: true
    /// (`[conductor] enable_health_monitoring`).
    pub enable_health_monitoring: bool,
    /// How the password of the rescue user is hashed for the ramdisk. Default: SHA-256
    /// (`[conductor] rescue_password_hash_algorithm`).
    pub rescue_password_hash_algorithm: PasswordHash,
    /// Whether a ramdisk that refuses a hashed password is given none at all, rather than the
    /// password in clear. Default: true (`[conductor] require_rescue_password_hashed`).
    pub require_rescue_password_hashed: bool,
    /// Whether an image's checksum may not be the URL of a file of checksums. Default: false
    /// (`[conductor] disable_support_for_checksum_files`).
    pub disable_support_for_checksum_files: bool,
    /// How long an exchange with an agent may take. Default 60 s, at least 1 s
    /// (`[agent] command_timeout`).
    pub agent_command_timeout: Duration,
    /// How often an agent is given a command to which it does not answer; in between it is looked
    /// whether it has it already. Default 3, at least 1 (`[agent] max_command_attempts`).
    pub agent_max_command_attempts: u32,
    /// Whether MD5 will do as an image's checksum. Default: true (`[agent] allow_md5_checksum`).
    pub agent_allow_md5_checksum: bool,
    /// Whether agents that take commands over plain HTTP are turned away. Default: false; the
    /// original's is true, and its agent serves TLS by itself (`[agent] require_tls`).
    pub agent_require_tls: bool,
    /// How long a machine may take to switch off by itself once its agent has been told to.
    /// Default 2 min (`[agent] post_deploy_get_power_state_retries` times its interval).
    pub agent_power_off_timeout: Duration,
    /// How long a command that the agent runs may go unasked about. Default 5 s.
    pub agent_poll_interval: Duration,
    /// The heartbeat interval that agents are told, in whole seconds. Default 300 s
    /// (`[api] ramdisk_heartbeat_timeout`).
    pub ramdisk_heartbeat_timeout: Duration,
}

/// Longer than anybody waits for anything; and so short that sums and multiples are times too.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            conductor_group: String::new(),
            policy: Policy::default(),
            heartbeat_interval: Duration::from_secs(10),
            heartbeat_timeout: Duration::from_secs(60),
            bmc_command_timeout: Duration::from_secs(30),
            bmc_concurrency: 1,
            sync_power_state_interval: Duration::from_secs(120),
            power_state_sync_max_retries: 3,
            force_power_state_during_sync: true,
            hash_partition_exponent: 5,
            hash_ring_algorithm: HashFunction::Md5,
            hash_ring_reset_interval: Duration::from_secs(15),
            log_in_db_max_size: 4096,
            disallowed_deployment_boot_modes: BTreeSet::new(),
            sync_local_state_interval: Duration::from_secs(180),
            periodic_max_workers: 8,
            automated_cleaning: AutomatedCleaning::default(),
            automatic_lessee: true,
            automatic_lessee_source: LesseeSource::Instance,
            sync_power_state_workers: 8,
            power_failure_recovery_interval: Duration::from_secs(300),
            power_state_change_timeout: Duration::from_secs(60),
            soft_power_off_timeout: Duration::from_secs(600),
            inspection_hooks: Self::INSPECTION_HOOKS
                .iter()
                .map(|hook| (*hook).to_owned())
                .collect(),
            sensors: SensorData::default(),
            workers: 300,
            reserved_workers_percentage: 5,
            max_concurrent_deploy: 250,
            max_concurrent_clean: 50,
            max_concurrent_per_conductor_group: false,
            node_locked_retry_attempts: 3,
            node_locked_retry_interval: Duration::from_secs(1),
            graceful_shutdown_timeout: Duration::from_secs(60),
            drain_shutdown_timeout: Duration::from_secs(1800),
            conductor_cleanup_timeout: Duration::from_secs(14 * 86_400),
            conductor_cleanup_interval: Duration::from_secs(86_400),
            conductor_cleanup_batch_size: 50,
            node_history: true,
            node_history_max_entries: 300,
            node_history_cleanup_interval: Duration::from_secs(24 * 3600),
            node_history_cleanup_batch_count: 1000,
            node_history_minimum_days: 0,
            notification_level: None,
            api_url: None,
            default_portgroup_mode: "active-backup".to_owned(),
            permit_child_node_step_async_result: false,
            enable_health_monitoring: true,
            rescue_password_hash_algorithm: PasswordHash::Sha256,
            require_rescue_password_hashed: true,
            disable_support_for_checksum_files: false,
            agent_command_timeout: Duration::from_secs(60),
            agent_max_command_attempts: 3,
            agent_allow_md5_checksum: true,
            agent_require_tls: false,
            agent_power_off_timeout: Duration::from_secs(120),
            agent_poll_interval: Duration::from_secs(5),
            ramdisk_heartbeat_timeout: Duration::from_secs(300),
        }
    }
}

impl Config {
    /// The hooks of inspection that there are: a report of an error fails the inspection, and
    /// interfaces are checked, whether or not these two are named; the others set ports and the
    /// node's properties `cpu_arch`, `cpus`, `memory_mb`, `local_gb` and `capabilities`.
    pub const INSPECTION_HOOKS: &'static [&'static str] = &[
        "ramdisk-error",
        "validate-interfaces",
        "ports",
        "architecture",
        "cpus",
        "memory",
        "root-device",
        "boot-mode",
    ];

    /// The defaults, under this host name.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            ..Self::default()
        }
    }

    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] that names the setting and what it may be.
    pub fn build(self) -> Result<Self, Error> {
        let minimum = Duration::from_millis(10);
        let too_long = |time: Duration| time > LONGEST;
        let wrong = if self.host.is_empty() || self.host.len() > 255 {
            "host must have 1 to 255 characters"
        } else if self.heartbeat_interval < minimum {
            "heartbeat_interval must be at least 10 ms"
        } else if too_long(self.heartbeat_interval) || too_long(self.heartbeat_timeout) {
            "heartbeat_interval and heartbeat_timeout must be at most a year"
        } else if self.node_locked_retry_interval < minimum
            || too_long(self.node_locked_retry_interval)
        {
            "node_locked_retry_interval must be 10 ms to a year"
        } else if self.heartbeat_timeout <= self.heartbeat_interval * 2 {
            "heartbeat_timeout must be more than twice heartbeat_interval"
        } else if self.bmc_command_timeout >= self.heartbeat_timeout {
            "bmc_command_timeout must be less than heartbeat_timeout, or no command could ever be sent"
        } else if self.workers == 0 || self.bmc_concurrency == 0 {
            "workers and bmc_concurrency must be at least 1"
        } else if self.reserved_workers_percentage > 50 {
            "reserved_workers_percentage must be at most 50"
        } else if self.max_concurrent_deploy == 0 || self.max_concurrent_clean == 0 {
            "max_concurrent_deploy and max_concurrent_clean must be at least 1"
        } else if !self.conductor_cleanup_interval.is_zero()
            && (self.conductor_cleanup_timeout < Duration::from_secs(60)
                || self.conductor_cleanup_timeout < self.heartbeat_timeout * 3)
        {
            "conductor_cleanup_timeout must be at least 60 s and three times heartbeat_timeout"
        } else if self.conductor_cleanup_batch_size == 0 {
            "conductor_cleanup_batch_size must be at least 1"
        } else if self.log_in_db_max_size == 0 {
            "log_in_db_max_size must be at least 1"
        } else if self.sync_power_state_workers == 0 || self.sensors.workers == 0 {
            "sync_power_state_workers and sensors.workers must be at least 1"
        } else if self.policy.fast_track_timeout > Duration::from_secs(300) {
            "fast_track_timeout must be at most 300 s"
        } else if self.periodic_max_workers == 0 {
            "periodic_max_workers must be at least 1"
        } else if self.power_state_change_timeout < Duration::from_secs(2) {
            "power_state_change_timeout must be at least 2 s"
        } else if self.soft_power_off_timeout < Duration::from_secs(1) {
            "soft_power_off_timeout must be at least 1 s"
        } else if self.sensors.interval < Duration::from_secs(1) {
            "sensors.interval must be at least 1 s"
        } else if !(1..=255).contains(&self.default_portgroup_mode.chars().count()) {
            "default_portgroup_mode must have 1 to 255 characters"
        } else if let Some(unknown) = self
            .inspection_hooks
            .iter()
            .find(|hook| !Self::INSPECTION_HOOKS.contains(&hook.as_str()))
        {
            return Err(Error::invalid(format!(
                "there is no inspection hook {unknown:?}: there are {}",
                Self::INSPECTION_HOOKS.join(", ")
            )));
        } else if self.agent_command_timeout < Duration::from_secs(1) {
            "agent_command_timeout must be at least 1 s"
        } else if self.agent_max_command_attempts == 0 {
            "agent_max_command_attempts must be at least 1"
        } else if self.agent_poll_interval < minimum {
            "agent_poll_interval must be at least 10 ms"
        } else {
            return Ok(self);
        };
        Err(Error::invalid(wrong))
    }

    /// How long others wait, after they last saw this conductor's beat rise, before they take
    /// its nodes: its lease and one BMC command that was begun at the lease's end.
    pub fn take_over_after(&self) -> Duration {
        self.heartbeat_timeout + self.bmc_command_timeout
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Config;

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_refused() {
        assert!(Config::new("a").build().is_ok());
        assert!(Config::new("").build().is_err());
        let mut config = Config::new("a");
        config.heartbeat_timeout = config.heartbeat_interval;
        assert!(
            config
                .clone()
                .build()
                .unwrap_err()
                .to_string()
                .contains("heartbeat_timeout")
        );
        let named = |config: Config, name: &str| {
            let error = config.build().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        };
        config.heartbeat_timeout = Duration::MAX;
        named(config.clone(), "heartbeat_timeout");
        for interval in [Duration::ZERO, Duration::MAX] {
            let mut config = Config::new("a");
            config.node_locked_retry_interval = interval;
            named(config, "node_locked_retry_interval");
        }
        config.heartbeat_timeout = Duration::from_secs(21);
        assert!(
            config
                .build()
                .unwrap_err()
                .to_string()
                .contains("bmc_command_timeout")
        );
    }
}
