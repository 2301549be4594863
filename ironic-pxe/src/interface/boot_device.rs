//! Setting a machine's boot device, as its node's `driver_info` wants it.

use ironic_core::driver::Task;
use ironic_core::model::JsonMap;
use ironic_core::states::{BootDevice, ProvisionState};
use ironic_core::{Error, ErrorKind};
use serde_json::Value;

use crate::boot::{BootDeviceChange, NetworkBootDevice};

/// Sets the boot device; a machine that does not know UEFI HTTP boot by name is set to boot from
/// the network.
pub(super) async fn set(task: &mut Task, change: BootDeviceChange) -> Result<(), Error> {
    let device = match change.device {
        NetworkBootDevice::Pxe => BootDevice::Pxe,
        NetworkBootDevice::UefiHttp => BootDevice::UefiHttp,
        NetworkBootDevice::Disk => BootDevice::Disk,
    };
    match set_device(task, device, change.persistent).await {
        Err(error)
            if device == BootDevice::UefiHttp
                && matches!(
                    error.kind(),
                    ErrorKind::InvalidParameter | ErrorKind::Unsupported
                ) =>
        {
            tracing::warn!(node = %task.node_id(), %error, "uefihttp is no boot device of this machine, so it is set to pxe");
            set_device(task, BootDevice::Pxe, change.persistent).await
        }
        other => other,
    }
}

async fn set_device(task: &mut Task, device: BootDevice, persistent: bool) -> Result<(), Error> {
    let driver = task.driver();
    driver.management.validate(task).await?;
    // A machine that is taken in as it runs stays as it is.
    if task.node().provision_state == ProvisionState::Adopting {
        return Ok(());
    }
    let persistent = persistence(&task.node().driver_info, persistent);
    driver
        .management
        .set_boot_device(task, device, persistent)
        .await
}

/// What `force_persistent_boot_device` makes of a wish: `Always`, `Never`, `Default`, or of old
/// whatever reads as a yes.
fn persistence(driver_info: &JsonMap, wished: bool) -> bool {
    match driver_info.get("force_persistent_boot_device") {
        Some(Value::String(text)) => match text.as_str() {
            "Always" => true,
            "Never" => false,
            other => wished || is_yes(other),
        },
        Some(Value::Bool(forced)) => wished || *forced,
        Some(Value::Number(number)) => wished || number.as_i64() == Some(1),
        _ => wished,
    }
}

fn is_yes(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    ["1", "t", "true", "on", "y", "yes"].contains(&text.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn persistence_is_as_the_node_wants_it() {
        // What the node says, then what becomes of a wish for the next boot, and for every boot.
        for (said, once, every) in [
            (json!(null), false, true),
            (json!("Default"), false, true),
            (json!("Always"), true, true),
            (json!("Never"), false, false),
            (json!(true), true, true),
            (json!("True"), true, true),
            (json!(" yes "), true, true),
            (json!(1), true, true),
            (json!(false), false, true),
            (json!("never"), false, true),
            (json!("nonsense"), false, true),
            (json!(2), false, true),
        ] {
            let mut info = JsonMap::new();
            info.insert("force_persistent_boot_device".into(), said.clone());
            let became = [false, true].map(|wished| persistence(&info, wished));
            assert_eq!(became, [once, every], "{said}");
        }
        assert!(persistence(&JsonMap::new(), true) && !persistence(&JsonMap::new(), false));
    }
}
