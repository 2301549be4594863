//! The names that drivers had before there were hardware types.

use ironic_core::driver::{DriverAlias, RegistryBuilder};
use ironic_core::states::InterfaceKind as I;

/// Machines that boot over the network. Those of `pxe_*` were deployed over iSCSI, which is gone;
/// without `_socat` their consoles were in a browser, which is gone too.
const REAL: [&str; 6] = [
    "agent_ipmitool",
    "agent_ipmitool_socat",
    "agent_pyghmi",
    "pxe_ipminative",
    "pxe_ipmitool",
    "pxe_ipmitool_socat",
];

/// Fakes, but for power and management.
const FAKE: [&str; 3] = ["fake_ipminative", "fake_ipmitool", "fake_ipmitool_socat"];

pub(super) fn register(builder: RegistryBuilder) -> RegistryBuilder {
    let real = REAL.into_iter().map(|name| {
        common(name, "ipmi")
            .fixed(I::Boot, ["pxe"])
            .fixed(I::Deploy, ["direct"])
            .fixed(I::Raid, ["agent", "no-raid"])
    });
    let fake = FAKE.into_iter().map(|name| {
        common(name, "fake-hardware")
            .fixed(I::Boot, ["fake"])
            .fixed(I::Deploy, ["fake"])
    });
    real.chain(fake).fold(builder, RegistryBuilder::alias)
}

fn common(name: &str, hardware_type: &str) -> DriverAlias {
    DriverAlias::new(name, hardware_type)
        .fixed(I::Power, ["ipmitool"])
        .fixed(I::Management, ["ipmitool"])
        .fixed(I::Console, ["ipmitool-socat", "no-console"])
        .fixed(I::Vendor, ["ipmitool", "no-vendor"])
}
