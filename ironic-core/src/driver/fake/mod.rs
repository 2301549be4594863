//! Machines that are not there: for tests, for simulations, and for trying things out.
//!
//! The interfaces have the names, the properties and the steps of the original's. What they do is
//! in a [`FakeBehaviour`] that they share: by default everything succeeds at once; by
//! [`FakeRule`]s it takes time, fails, panics, hangs, or waits to be asked or for the agent.

#[macro_use]
mod macros;
#[macro_use]
mod steps;
mod behaviour;
mod bios;
mod boot;
mod console;
mod deploy;
#[cfg(test)]
mod fact_tests;
mod firmware;
mod hardware;
mod inspect;
mod machine;
mod management;
mod network;
mod operation;
mod power;
mod raid;
mod rescue;
mod rule;
mod settings;
mod storage;
#[cfg(test)]
mod tests;
mod vendor;

pub use behaviour::{FakeBehaviour, FakeCall};
pub use bios::FakeBios;
pub use boot::FakeBoot;
pub use console::FakeConsole;
pub use deploy::FakeDeploy;
pub use firmware::FakeFirmware;
pub use hardware::FakeHardware;
pub use inspect::FakeInspect;
pub use management::FakeManagement;
pub use network::FakeNetwork;
pub use operation::FakeOperation;
pub use power::FakePower;
pub use raid::FakeRaid;
pub use rescue::FakeRescue;
pub use rule::{Completion, FakeRule};
pub use storage::FakeStorage;
pub use vendor::FakeVendor;

use std::sync::Arc;

use super::{DriverAlias, RegistryBuilder, noop};
use crate::states::InterfaceKind;

/// Registers the fake family and what [`noop::register`] does, and enables the hardware type
/// `fake-hardware` with the configuration that the original's API was recorded with: of each kind
/// `fake` and its `no-*` or `noop`, `fake` by default; networks and volumes `noop` by default.
///
/// A network interface `fake` is registered but not enabled. What is registered, enabled or
/// preferred afterwards takes the place of what this does.
///
/// ```
/// use ironic_core::driver::fake::{self, FakeBehaviour};
/// use ironic_core::driver::Registry;
/// use ironic_core::model::NodeInterfaces;
/// use ironic_core::states::InterfaceKind;
///
/// let registry = fake::register(Registry::builder(), &FakeBehaviour::new()).build()?;
/// let names = registry.resolve("fake-hardware", &NodeInterfaces::default())?;
/// assert_eq!(names.get(InterfaceKind::Power), "fake");
/// # Ok::<(), ironic_core::Error>(())
/// ```
pub fn register(builder: RegistryBuilder, behaviour: &FakeBehaviour) -> RegistryBuilder {
    use InterfaceKind as I;
    aliases(noop::register(builder))
        .hardware(Arc::new(FakeHardware))
        .bios("fake", Arc::new(FakeBios::new(behaviour)))
        .boot("fake", Arc::new(FakeBoot::new(behaviour)))
        .console("fake", Arc::new(FakeConsole::new(behaviour)))
        .deploy("fake", Arc::new(FakeDeploy::new(behaviour)))
        .firmware("fake", Arc::new(FakeFirmware::new(behaviour)))
        .inspect("fake", Arc::new(FakeInspect::new(behaviour)))
        .management("fake", Arc::new(FakeManagement::new(behaviour)))
        .network("fake", Arc::new(FakeNetwork::new(behaviour)))
        .power("fake", Arc::new(FakePower::new(behaviour)))
        .raid("fake", Arc::new(FakeRaid::new(behaviour)))
        .rescue("fake", Arc::new(FakeRescue::new(behaviour)))
        .storage("fake", Arc::new(FakeStorage::new(behaviour)))
        .vendor("fake", Arc::new(FakeVendor::new(behaviour)))
        .enable_hardware_types(["fake-hardware"])
        .enable(I::Bios, ["fake", "no-bios"])
        .enable(I::Boot, ["fake"])
        .enable(I::Console, ["fake", "no-console"])
        .enable(I::Deploy, ["fake"])
        .enable(I::Firmware, ["fake", "no-firmware"])
        .enable(I::Inspect, ["fake", "no-inspect"])
        .enable(I::Management, ["fake", "noop"])
        .enable(I::Network, ["noop"])
        .enable(I::Power, ["fake"])
        .enable(I::Raid, ["fake", "no-raid"])
        .enable(I::Rescue, ["fake", "no-rescue"])
        .enable(I::Storage, ["fake", "noop"])
        .enable(I::Vendor, ["fake", "no-vendor"])
        .default_interface(I::Network, "noop")
        .default_interface(I::Storage, "noop")
}

/// The old compositions of fakes; those that boot and deploy for real can be enabled where
/// interfaces `pxe` and `direct` are registered.
fn aliases(builder: RegistryBuilder) -> RegistryBuilder {
    use InterfaceKind as I;
    let alias = |name: &str| DriverAlias::new(name, "fake-hardware");
    let all = [
        I::Boot,
        I::Console,
        I::Deploy,
        I::Inspect,
        I::Management,
        I::Power,
        I::Raid,
        I::Rescue,
        I::Vendor,
    ];
    let fake = |name| {
        all.into_iter()
            .fold(alias(name), |alias, kind| alias.fixed(kind, ["fake"]))
    };
    let booted = |name| {
        alias(name)
            .fixed(I::Boot, ["pxe"])
            .fixed(I::Deploy, ["direct"])
            .fixed(I::Management, ["fake"])
            .fixed(I::Power, ["fake"])
    };
    builder
        .alias(fake("fake"))
        .alias(fake("fake_soft_power"))
        .alias(booted("fake_agent").fixed(I::Raid, ["agent", "no-raid"]))
        .alias(booted("fake_pxe"))
}
