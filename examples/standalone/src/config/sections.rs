//! The sections of the settings file.

use std::net::SocketAddr;

use ironic_core::Error;
use ironic_core::config::Policy;
use ironic_core::states::InterfaceKind;

use super::edge::BodySizes;
use super::put::put;
use super::value::{Delay, FromVariable, Names, Seconds};
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

/// Declares a section whose keys each go into a field of a struct.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($section:literal) of $target:ty {
            $($(#[$doc:meta])* $key:ident: $type:ty => $($field:ident).+,)+
        }
    ) => {
        $crate::config::sections::section! {
            $(#[$meta])*
            pub struct $name($section) {
                $($(#[$doc])* $key: $type,)+
            }
        }

        impl $name {
            /// Puts what is set where it belongs.
            pub(super) fn apply(
                self,
                target: &mut $target,
            ) -> Result<(), $crate::config::ConfigError> {
                $(
                    let field = &mut target.$($field).+;
                    $crate::config::put::put($section, stringify!($key), self.$key, field)?;
                )+
                Ok(())
            }
        }
    };
}
pub(super) use settings;

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
        /// The file to which every decision of the conductor is appended, a new one once it is moved
        /// away; empty for none.
        journal: String,
        /// How long a client may take to send the head of a request. Default 30.
        header_timeout: Seconds,
    }
}

section! {
    /// `[api]`: how the API answers.
    pub struct ApiSection("API") {
        /// Where clients reach the service, for links in answers.
        public_endpoint: String,
        /// How many items a list has at most.
        max_limit: u32,
        /// Whether `/openapi.json` and `/docs` tell everybody what there is. Default true.
        docs: bool,
        /// The resource class of nodes that are enrolled without one.
        default_resource_class: String,
        /// The conductor group of nodes that are enrolled without one.
        default_conductor_group: String,
        /// Whether projects enrol nodes of their own and remove them, as far as policies allow it.
        project_admin_can_manage_own_nodes: bool,
        /// Clean steps that never run and cannot be asked for.
        disallow_clean_steps: Names,
        /// Deploy steps that never run and cannot be asked for.
        disallow_deploy_steps: Names,
        /// Service steps that never run and cannot be asked for.
        disallow_service_steps: Names,
        /// How deep objects and lists may be nested in a body. Default 25, from 8 to 100.
        max_json_body_depth: usize,
        /// How many KiB a body may have. Default 1024, from 4.
        max_json_body_size: usize,
        /// How many KiB a body may have that brings a config drive. Default 65536, from 4.
        max_json_body_size_provision: usize,
        /// How many KiB a body may have that brings what an inspection has found. Default 16384,
        /// from 4.
        max_json_body_size_inspection: usize,
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
        let section = "api";
        let (clean, deploy, service) = (
            &mut policy.disallow_clean_steps,
            &mut policy.disallow_deploy_steps,
            &mut policy.disallow_service_steps,
        );
        put(
            section,
            "disallow_clean_steps",
            self.disallow_clean_steps,
            clean,
        )?;
        put(
            section,
            "disallow_deploy_steps",
            self.disallow_deploy_steps,
            deploy,
        )?;
        put(
            section,
            "disallow_service_steps",
            self.disallow_service_steps,
            service,
        )?;
        if self.max_limit == Some(0) {
            return Err(Error::invalid("max_limit in [api] must be at least 1").into());
        }
        if let Some(most) = self.max_limit {
            settings.max_limit = most;
        }
        if let Some(docs) = self.docs {
            settings.docs = docs;
        }
        if let Some(own) = self.project_admin_can_manage_own_nodes {
            settings.projects_manage_own_nodes = own;
        }
        let sizes = BodySizes {
            depth: self.max_json_body_depth,
            usual: self.max_json_body_size,
            provision: self.max_json_body_size_provision,
            inspection: self.max_json_body_size_inspection,
        };
        sizes.apply(&mut settings.bodies)?;
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        settings.public_endpoint = set(self.public_endpoint);
        settings.default_resource_class = set(self.default_resource_class);
        settings.default_conductor_group = set(self.default_conductor_group);
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
