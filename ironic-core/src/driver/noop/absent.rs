use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use crate::Error;
use crate::driver::{
    Bios, Console, ConsoleInfo, Firmware, Inspect, Interface, Properties, Raid, Rescue, SharedTask,
    Task, Vendor, VendorMethod, raid_disk_properties,
};
use crate::flow::Progress;
use crate::model::JsonMap;
use crate::states::InterfaceKind;

/// The answer to everything that is asked of what the machine does not have.
fn absent<T>(driver: &str, kind: InterfaceKind) -> Result<T, Error> {
    Err(Error::Unsupported {
        driver: driver.to_owned(),
        extension: kind.to_string(),
    })
}

macro_rules! absent {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default)]
        pub struct $name;

        impl $name {
            fn refuse<T>(task: &SharedTask) -> Result<T, Error> {
                absent(&task.node().driver, InterfaceKind::$kind)
            }
        }

        #[async_trait]
        impl Interface for $name {
            async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
                Self::refuse(task)
            }
        }
    )+};
}

absent! {
    /// `no-bios`: the firmware's settings cannot be changed. Reading them into the node's records
    /// is no error, since it is tried unasked; there are none to read.
    NoBios Bios;
    /// `no-console`: there is no console.
    NoConsole Console;
    /// `no-firmware`: firmware cannot be updated. Reading its versions into the node's records is
    /// no error, since it is tried unasked; there are none to read.
    NoFirmware Firmware;
    /// `no-inspect`: what the machine is made of has to be told.
    NoInspect Inspect;
    /// `no-raid`: there is nothing to build volumes with.
    NoRaid Raid;
    /// `no-rescue`: there is no rescue ramdisk.
    NoRescue Rescue;
    /// `no-vendor`: the vendor offers nothing of its own.
    NoVendor Vendor;
}

#[async_trait]
impl Bios for NoBios {
    async fn cache_settings(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Console for NoConsole {
    async fn start(&self, task: &mut Task) -> Result<(), Error> {
        Self::refuse(task)
    }

    async fn stop(&self, task: &mut Task) -> Result<(), Error> {
        Self::refuse(task)
    }

    async fn get(&self, task: &SharedTask) -> Result<ConsoleInfo, Error> {
        Self::refuse(task)
    }
}

#[async_trait]
impl Firmware for NoFirmware {
    async fn cache_components(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Inspect for NoInspect {
    fn can_abort(&self) -> bool {
        false
    }

    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error> {
        Self::refuse(task)
    }
}

#[async_trait]
impl Raid for NoRaid {
    fn validate_config(&self, _config: &JsonMap) -> Result<(), Error> {
        absent("no-raid", InterfaceKind::Raid)
    }

    fn logical_disk_properties(&self) -> Properties {
        raid_disk_properties()
    }
}

#[async_trait]
impl Rescue for NoRescue {
    async fn rescue(&self, task: &mut Task) -> Result<Progress, Error> {
        Self::refuse(task)
    }

    async fn unrescue(&self, task: &mut Task) -> Result<Progress, Error> {
        Self::refuse(task)
    }
}

#[async_trait]
impl Vendor for NoVendor {
    fn methods(&self) -> BTreeMap<String, VendorMethod> {
        BTreeMap::new()
    }

    async fn call(
        &self,
        task: &mut Task,
        _method: &str,
        _http_method: &str,
        _args: &JsonMap,
    ) -> Result<Value, Error> {
        Self::refuse(task)
    }
}
