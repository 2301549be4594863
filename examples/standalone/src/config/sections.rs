//! The sections of the settings file.

use std::net::SocketAddr;
use std::time::Duration;

use ironic_core::config::Policy;
use ironic_core::states::InterfaceKind;
use ironic_core::steps::PriorityOverrides;
use ironic_core::{Config, Error};

use super::value::{Delay, FromVariable, Names, Pairs, Seconds};
use super::{ConfigError, Environment};
use crate::api::ApiSettings;

/// Declares a section: keys that may be left out, each also an environment variable.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($section:literal) {
            $($(#[$doc:meta])* $key:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$doc])* pub $key: Option<$type>,)+
        }

        impl $name {
            /// Takes over what the environment says.
            pub(super) fn overlay(
                &mut self,
                environment: $crate::config::Environment<'_>,
            ) -> Result<(), $crate::config::ConfigError> {
                $(
                    let name = concat!("IRONIC_", $section, "_", stringify!($key));
                    $crate::config::sections::take(name, environment, &mut self.$key)?;
                )+
                Ok(())
            }
        }
    };
}
pub(super) use section;

/// Takes a setting over from the environment, if that has it.
pub(super) fn take<T: FromVariable>(
    name: &str,
    environment: Environment<'_>,
    setting: &mut Option<T>,
) -> Result<(), ConfigError> {
    let name = name.to_ascii_uppercase();
    if let Some(text) = environment(&name) {
        let read = T::from_variable(&text);
        *setting = Some(read.map_err(|message| ConfigError::Variable { name, message })?);
    }
    Ok(())
}

section! {
    /// `[service]`: the process.
    pub struct ServiceSection("SERVICE") {
        /// Where the API listens.
        listen: SocketAddr,
        /// Where the records are.
        database: String,
    }
}

section! {
    /// `[api]`: how the API answers.
    pub struct ApiSection("API") {
        /// Where clients reach the service, for links in answers.
        public_endpoint: String,
        /// How many items a list has at most.
        max_limit: u32,
        /// The resource class of nodes that are enrolled without one.
        default_resource_class: String,
        /// The conductor group of nodes that are enrolled without one.
        default_conductor_group: String,
        /// Clean steps that never run and cannot be asked for.
        disallow_clean_steps: Names,
        /// Deploy steps that never run and cannot be asked for.
        disallow_deploy_steps: Names,
        /// Service steps that never run and cannot be asked for.
        disallow_service_steps: Names,
    }
}

section! {
    /// `[conductor]`: how the conductor works.
    pub struct ConductorSection("CONDUCTOR") {
        /// Its name; unique among conductors that run at the same time.
        host: String,
        /// The group of nodes that it looks after.
        conductor_group: String,
        /// Whether nodes are cleaned before they become available.
        automated_clean: bool,
        /// How long a deployment may wait for the agent; 0 waits for ever.
        deploy_callback_timeout: Seconds,
        /// How long cleaning may wait for the agent; 0 waits for ever.
        clean_callback_timeout: Seconds,
        /// How long inspection may wait for the agent; 0 waits for ever.
        inspect_wait_timeout: Seconds,
        /// How long rescuing may wait for the agent; 0 waits for ever.
        rescue_callback_timeout: Seconds,
        /// How long servicing may wait for the agent; 0 waits for ever.
        service_callback_timeout: Seconds,
        /// Whether an available node may be removed.
        allow_deleting_available_nodes: bool,
        /// Whether a ramdisk that still runs is used instead of booting another.
        fast_track: bool,
        /// How long ago the agent of such a ramdisk may have called last.
        fast_track_timeout: Seconds,
        /// Whether nodes in maintenance may become available, and what waits for their agents goes
        /// on after the maintenance.
        allow_provisioning_in_maintenance: bool,
        /// Whether a machine is switched off when cleaning it has failed.
        poweroff_in_cleanfail: bool,
        /// Whether a machine is switched off when servicing it has failed.
        poweroff_in_servicefail: bool,
        /// Whether a machine is switched off when its deployment has failed.
        power_off_after_deploy_failure: bool,
        /// How often instances are looked for that are to be taken over; 0 never.
        sync_local_state_interval: Seconds,
        /// How many instances are taken over at a time.
        periodic_max_workers: usize,
        /// Priorities of automated clean steps instead of their own: `interface.step` to a number.
        clean_step_priority_override: Pairs,
        /// Priorities of verify steps instead of their own.
        verify_step_priority_override: Pairs,
        /// How often the conductor says that it lives.
        heartbeat_interval: Seconds,
        /// How long after its last sign of life a conductor counts as dead.
        heartbeat_timeout: Seconds,
        /// How long one command to a BMC may take.
        bmc_command_timeout: Seconds,
        /// How many commands may be under way to one BMC.
        bmc_concurrency: usize,
        /// How often each node's power is read; 0 never.
        sync_power_state_interval: Seconds,
        /// How many readings in a row may fail before the node goes into maintenance.
        power_state_sync_max_retries: u32,
        /// Whether a machine is put back into the recorded power state.
        force_power_state_during_sync: bool,
        /// How many nodes may be worked on at a time.
        workers: usize,
        /// How often a request tries again on a locked node.
        node_locked_retry_attempts: u32,
        /// How long it waits in between.
        node_locked_retry_interval: Seconds,
        /// How long a stop waits for what is running.
        graceful_shutdown_timeout: Seconds,
        /// Where agents reach the API.
        api_url: String,
        /// How long a machine may take to switch itself off.
        agent_power_off_timeout: Seconds,
        /// How long a command that the agent runs may go unasked about.
        agent_poll_interval: Seconds,
        /// The heartbeat interval that agents are told.
        ramdisk_heartbeat_timeout: Seconds,
    }
}

section! {
    /// `[fake]`: how long the fake drivers take for everything that they are asked for.
    pub struct FakeSection("FAKE") {
        /// The `bios` interface.
        bios_delay: Delay,
        /// The `boot` interface.
        boot_delay: Delay,
        /// The `deploy` interface.
        deploy_delay: Delay,
        /// The `firmware` interface.
        firmware_delay: Delay,
        /// The `inspect` interface.
        inspect_delay: Delay,
        /// The `management` interface.
        management_delay: Delay,
        /// The `power` interface.
        power_delay: Delay,
        /// The `raid` interface.
        raid_delay: Delay,
        /// The `rescue` interface.
        rescue_delay: Delay,
        /// The `storage` interface.
        storage_delay: Delay,
        /// The `vendor` interface.
        vendor_delay: Delay,
    }
}

impl ApiSection {
    pub(super) fn apply(
        self,
        settings: &mut ApiSettings,
        policy: &mut Policy,
    ) -> Result<(), ConfigError> {
        for (disallowed, names) in [
            (&mut policy.disallow_clean_steps, &self.disallow_clean_steps),
            (
                &mut policy.disallow_deploy_steps,
                &self.disallow_deploy_steps,
            ),
            (
                &mut policy.disallow_service_steps,
                &self.disallow_service_steps,
            ),
        ] {
            if let Some(names) = names {
                let names = names.iter().map(|name| name.parse());
                *disallowed = names.collect::<Result<_, Error>>()?;
            }
        }
        if self.max_limit == Some(0) {
            return Err(Error::invalid("max_limit in [api] must be at least 1").into());
        }
        if let Some(most) = self.max_limit {
            settings.max_limit = most;
        }
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        settings.public_endpoint = set(self.public_endpoint);
        settings.default_resource_class = set(self.default_resource_class);
        settings.default_conductor_group = set(self.default_conductor_group);
        Ok(())
    }
}

impl ConductorSection {
    pub(super) fn apply(self, config: &mut Config) -> Result<(), ConfigError> {
        fn put<T>(setting: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *setting = value;
            }
        }
        fn time(setting: &mut Duration, value: Option<Seconds>) {
            put(setting, value.map(|seconds| seconds.0));
        }
        put(&mut config.host, self.host);
        put(&mut config.conductor_group, self.conductor_group);
        let policy = &mut config.policy;
        put(&mut policy.automated_clean, self.automated_clean);
        put(
            &mut policy.allow_deleting_available_nodes,
            self.allow_deleting_available_nodes,
        );
        put(&mut policy.fast_track, self.fast_track);
        time(&mut policy.fast_track_timeout, self.fast_track_timeout);
        for (setting, set) in [
            (
                &mut policy.allow_provisioning_in_maintenance,
                self.allow_provisioning_in_maintenance,
            ),
            (
                &mut policy.poweroff_in_cleanfail,
                self.poweroff_in_cleanfail,
            ),
            (
                &mut policy.poweroff_in_servicefail,
                self.poweroff_in_servicefail,
            ),
            (
                &mut policy.power_off_after_deploy_failure,
                self.power_off_after_deploy_failure,
            ),
        ] {
            put(setting, set);
        }
        time(
            &mut config.sync_local_state_interval,
            self.sync_local_state_interval,
        );
        put(&mut config.periodic_max_workers, self.periodic_max_workers);
        for (overrides, pairs) in [
            (
                &mut policy.clean_step_priority_override,
                &self.clean_step_priority_override,
            ),
            (
                &mut policy.verify_step_priority_override,
                &self.verify_step_priority_override,
            ),
        ] {
            if let Some(pairs) = pairs {
                let pairs = pairs.iter().map(|(step, n)| (step.as_str(), n.as_str()));
                *overrides = PriorityOverrides::parse(pairs)?;
            }
        }
        time(
            &mut policy.deploy_callback_timeout,
            self.deploy_callback_timeout,
        );
        time(
            &mut policy.clean_callback_timeout,
            self.clean_callback_timeout,
        );
        time(&mut policy.inspect_wait_timeout, self.inspect_wait_timeout);
        time(
            &mut policy.rescue_callback_timeout,
            self.rescue_callback_timeout,
        );
        time(
            &mut policy.service_callback_timeout,
            self.service_callback_timeout,
        );
        time(&mut config.heartbeat_interval, self.heartbeat_interval);
        time(&mut config.heartbeat_timeout, self.heartbeat_timeout);
        time(&mut config.bmc_command_timeout, self.bmc_command_timeout);
        put(&mut config.bmc_concurrency, self.bmc_concurrency);
        time(
            &mut config.sync_power_state_interval,
            self.sync_power_state_interval,
        );
        put(
            &mut config.power_state_sync_max_retries,
            self.power_state_sync_max_retries,
        );
        put(
            &mut config.force_power_state_during_sync,
            self.force_power_state_during_sync,
        );
        put(&mut config.workers, self.workers);
        put(
            &mut config.node_locked_retry_attempts,
            self.node_locked_retry_attempts,
        );
        time(
            &mut config.node_locked_retry_interval,
            self.node_locked_retry_interval,
        );
        time(
            &mut config.graceful_shutdown_timeout,
            self.graceful_shutdown_timeout,
        );
        put(&mut config.api_url, self.api_url.map(Some));
        time(
            &mut config.agent_power_off_timeout,
            self.agent_power_off_timeout,
        );
        time(&mut config.agent_poll_interval, self.agent_poll_interval);
        time(
            &mut config.ramdisk_heartbeat_timeout,
            self.ramdisk_heartbeat_timeout,
        );
        Ok(())
    }
}

impl FakeSection {
    /// What is set, by the interface that it is about.
    pub fn delays(&self) -> impl Iterator<Item = (InterfaceKind, Delay)> {
        use InterfaceKind as I;
        [
            (I::Bios, self.bios_delay),
            (I::Boot, self.boot_delay),
            (I::Deploy, self.deploy_delay),
            (I::Firmware, self.firmware_delay),
            (I::Inspect, self.inspect_delay),
            (I::Management, self.management_delay),
            (I::Power, self.power_delay),
            (I::Raid, self.raid_delay),
            (I::Rescue, self.rescue_delay),
            (I::Storage, self.storage_delay),
            (I::Vendor, self.vendor_delay),
        ]
        .into_iter()
        .filter_map(|(kind, delay)| Some((kind, delay?)))
    }
}
