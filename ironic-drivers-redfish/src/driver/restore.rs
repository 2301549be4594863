//! The boot device that a BMC does not keep by itself.

use ironic_core::Error;
use ironic_core::model::Node;
use ironic_core::states::BootDevice;
use serde_json::Value;

use super::bmc::Bmc;
use crate::model::BootSource;
use crate::system::System;

/// Where the device is remembered; the value is the engine's name of it.
const KEY: &str = "redfish_boot_device";

/// Names that nodes of earlier releases of the original still have there.
const OLD_NAMES: [(&str, BootSource); 3] = [
    ("hdd", BootSource::Hdd),
    ("cd", BootSource::Cd),
    ("bios setup", BootSource::BiosSetup),
];

/// Has `device` set again before every start, or with `None` no more.
pub(super) fn remember(node: &mut Node, device: Option<BootDevice>) {
    node.set_internal(
        KEY,
        device.map_or(Value::Null, |device| device.as_str().into()),
    );
}

/// Sets the remembered device for the next boot. A BMC that does not take it is not asked again:
/// the machine then boots in its configured order.
pub(super) async fn restore(
    bmc: &mut Bmc<'_>,
    system: &mut System,
    node: &Node,
) -> Result<(), Error> {
    let Some(name) = node.driver_internal_info.get(KEY).and_then(Value::as_str) else {
        return Ok(());
    };
    let Some(source) = source(name) else {
        tracing::error!(node = %node.uuid, device = name, "no boot device to restore has this name");
        return Ok(());
    };
    let vendor = bmc.vendor();
    let set = bmc.attempt(system.set_boot_device(source, false, None, vendor));
    if let Err(error) = set.await? {
        tracing::warn!(
            node = %node.uuid, device = name, %error,
            "the boot device cannot be restored, the machine boots in its configured order"
        );
    }
    Ok(())
}

fn source(name: &str) -> Option<BootSource> {
    let name = name.to_lowercase();
    let device = name.parse::<BootDevice>().ok();
    device.and_then(BootSource::for_device).or_else(|| {
        let old = OLD_NAMES.into_iter().find(|(old, _)| *old == name);
        old.map(|(_, source)| source)
    })
}

#[cfg(test)]
mod tests {
    use ironic_core::states::BootDevice;

    use super::source;
    use crate::model::BootSource;

    #[test]
    fn names_old_and_new() {
        for device in BootDevice::ALL {
            assert_eq!(source(device.as_str()), BootSource::for_device(*device));
        }
        for (name, expected) in [
            ("PXE", Some(BootSource::Pxe)),
            ("Hdd", Some(BootSource::Hdd)),
            ("cd", Some(BootSource::Cd)),
            ("BIOS Setup", Some(BootSource::BiosSetup)),
            ("tape", None),
        ] {
            assert_eq!(source(name), expected, "{name}");
        }
    }
}
