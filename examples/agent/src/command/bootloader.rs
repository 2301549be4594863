use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Params, Work, read};
use crate::fault::{Fault, FaultKind};
use crate::hardware::{BootMode, Bootloader};
use crate::root_device;
use crate::shared::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstallBootloader {
    root_uuid: Option<String>,
    #[serde(default)]
    efi_system_part_uuid: Option<String>,
    #[serde(default, rename = "prep_boot_part_uuid")]
    _prep_boot_part_uuid: Option<String>,
    #[serde(default)]
    target_boot_mode: Option<String>,
    #[serde(default)]
    ignore_bootloader_failure: Option<bool>,
}

pub(super) fn prepare(
    shared: &Arc<Shared>,
    method: &str,
    params: Params,
) -> Result<Option<Work>, Fault> {
    if method != "install_bootloader" {
        return Ok(None);
    }
    let given: InstallBootloader = read(params)?;
    let shared = Arc::clone(shared);
    Ok(Some(Work::background("install_bootloader", async move {
        let ignore = given
            .ignore_bootloader_failure
            .unwrap_or(shared.config.ignore_bootloader_failure);
        match install(&shared, given).await {
            Err(fault) if ignore => {
                shared
                    .journal
                    .warn(&format!("boot loader failure ignored: {fault}"));
                Ok(Value::Null)
            }
            outcome => outcome.map(|()| Value::Null),
        }
    })))
}

async fn install(shared: &Shared, given: InstallBootloader) -> Result<(), Fault> {
    let node = shared.node();
    let disks = shared.disks(node.as_ref()).await?;
    let device = root_device::install_device(&disks, node.as_ref())?;
    let mode = shared.inventory().await?.boot.current_boot_mode;
    let target = given.target_boot_mode.as_deref().unwrap_or("bios");
    if target != mode.as_str() {
        shared.journal.warn(&format!(
            "boot mode is {}, the instance wants {target}",
            mode.as_str()
        ));
    }
    if mode == BootMode::Uefi {
        let request = Bootloader {
            device: device.name.clone(),
            efi_system_part_uuid: given.efi_system_part_uuid,
            target_boot_mode: target.to_owned(),
        };
        let installed = shared.hardware.install_bootloader(&request).await;
        if installed.map_err(|e| Fault::new(FaultKind::CommandExecutionError, e.to_string()))? {
            return Ok(());
        }
    }
    match given.root_uuid.as_deref() {
        // A whole-disk image brings its own boot loader.
        None | Some("0x00000000") => Ok(()),
        Some(_) => Err(Fault::new(
            FaultKind::InvalidImage,
            "installing a legacy boot loader is not supported",
        )),
    }
}
