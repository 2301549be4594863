//! Erasing disks.

use std::io;
use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Map, Value};

use crate::fault::{Fault, FaultKind};
use crate::hardware::{BlockDevice, Disk, wipe};
use crate::node::Node;
use crate::partition::{PartitionType, Table, destroy_metadata};
use crate::shared::Shared;

/// Most disks erased at a time, whatever the conductor says.
const MOST_AT_ONCE: u64 = 16;
/// Most random passes, whatever the conductor says.
const MOST_PASSES: u64 = 100;

/// Partition types of file systems that several machines share.
const SHARED_GPT: [(u128, &str); 2] = [
    (0x37AF_FC90_EF7D_4E96_91C3_2D7A_E055_B174, "GPFS"),
    (0xAA31_E02A_400F_11DB_9590_000C_2911_D1B8, "VMFS"),
];
const SHARED_MBR: (u8, &str) = (0xFB, "VMFS");

fn fault(device: &str, what: impl std::fmt::Display) -> Fault {
    Fault::new(
        FaultKind::BlockDeviceEraseError,
        format!("{device}: {what}"),
    )
}

/// Erases the whole content of every disk.
pub(super) async fn devices(shared: &Arc<Shared>, node: &Node) -> Result<Value, Fault> {
    let disks = open_all(shared, node, true).await?;
    let at_once = node
        .internal_count("disk_erasure_concurrency")
        .unwrap_or(1)
        .clamp(1, MOST_AT_ONCE);
    let jobs: Vec<_> = disks
        .into_iter()
        .map(|(device, disk)| erase(shared, node, device, disk).boxed())
        .collect();
    let results: Vec<_> = stream::iter(jobs)
        .buffered(usize::try_from(at_once).unwrap_or(1))
        .collect()
        .await;
    results
        .into_iter()
        .map(|outcome| outcome.map(|name| (name, Value::Null)))
        .collect::<Result<Map<_, _>, _>>()
        .map(Value::Object)
}

/// Erases one disk and returns its name.
async fn erase(
    shared: &Shared,
    node: &Node,
    device: BlockDevice,
    disk: Arc<dyn Disk>,
) -> Result<String, Fault> {
    let flag = |key: &str, default: bool| node.internal_flag(key).unwrap_or(default);
    if flag(secure_erase_switch(&device), true) {
        match disk.erase().await {
            Ok(true) => return Ok(device.name),
            Ok(false) => {}
            Err(error) => {
                let may_overwrite = node
                    .internal_flag("agent_continue_if_secure_erase_failed")
                    .unwrap_or_else(|| flag("agent_continue_if_ata_erase_failed", false));
                if !may_overwrite {
                    return Err(fault(&device.name, format!("secure erase failed: {error}")));
                }
                shared.journal.warn(&format!(
                    "{}: secure erase failed, overwriting: {error}",
                    device.name
                ));
            }
        }
    }
    let passes = node
        .internal_count("agent_erase_devices_iterations")
        .unwrap_or(1)
        .min(MOST_PASSES);
    let zeroize = flag("agent_erase_devices_zeroize", true);
    if passes == 0 && !zeroize {
        return Err(fault(
            &device.name,
            "neither secure erase nor overwriting is allowed",
        ));
    }
    wipe(&*disk, &*shared.entropy, passes, zeroize)
        .await
        .map_err(|error| fault(&device.name, error))?;
    Ok(device.name)
}

fn secure_erase_switch(device: &BlockDevice) -> &'static str {
    if is_nvme(device) {
        "agent_enable_nvme_secure_erase"
    } else {
        "agent_enable_ata_secure_erase"
    }
}

fn is_nvme(device: &BlockDevice) -> bool {
    device.name.starts_with("/dev/nvme")
}

/// Erases what tells the content of every disk.
pub(super) async fn metadata(shared: &Arc<Shared>, node: &Node) -> Result<Value, Fault> {
    let mut failed = Vec::new();
    for (device, disk) in open_all(shared, node, false).await? {
        if let Err(error) = destroy_metadata(&*disk).await {
            failed.push(format!("{}: {error}", device.name));
        }
    }
    finish(failed)
}

/// Erases NVMe disks by their own means and the metadata of all others.
pub(super) async fn express(shared: &Arc<Shared>, node: &Node) -> Result<Value, Fault> {
    let secure = node
        .internal_flag("agent_enable_nvme_secure_erase")
        .unwrap_or(true);
    let mut failed = Vec::new();
    for (device, disk) in open_all(shared, node, false).await? {
        let erased = if secure && is_nvme(&device) {
            disk.erase().await
        } else {
            Ok(false)
        };
        match erased {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => shared
                .journal
                .warn(&format!("{}: secure erase failed: {error}", device.name)),
        }
        if let Err(error) = destroy_metadata(&*disk).await {
            failed.push(format!("{}: {error}", device.name));
        }
    }
    finish(failed)
}

fn finish(failed: Vec<String>) -> Result<Value, Fault> {
    if failed.is_empty() {
        return Ok(Value::Null);
    }
    Err(Fault::new(
        FaultKind::BlockDeviceEraseError,
        failed.join("; "),
    ))
}

/// Opens every disk that may be erased, after a look at all of them: a protected one stops the
/// step before the first write. A read-only disk is passed over, or stops a full erasure unless
/// the conductor lets it pass.
async fn open_all(
    shared: &Shared,
    node: &Node,
    read_only_stops: bool,
) -> Result<Vec<(BlockDevice, Arc<dyn Disk>)>, Fault> {
    let may_skip = node
        .internal_flag("agent_erase_skip_read_only")
        .unwrap_or(false);
    let mut disks = Vec::new();
    for device in shared.disks(Some(node)).await? {
        if device.read_only {
            if read_only_stops && !may_skip {
                return Err(fault(&device.name, "the disk is read-only"));
            }
            continue;
        }
        let disk = shared
            .hardware
            .open_disk(&device.name)
            .await
            .map_err(|error| fault(&device.name, error))?;
        guard(shared, node, &device, &*disk).await?;
        disks.push((device, disk));
    }
    Ok(disks)
}

async fn guard(
    shared: &Shared,
    node: &Node,
    device: &BlockDevice,
    disk: &dyn Disk,
) -> Result<(), Fault> {
    let switched_off = node.internal_flag("wipe_special_filesystems") == Some(false);
    if !shared.config.guard_special_filesystems || switched_off {
        return Ok(());
    }
    match shared_filesystem(disk).await {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(Fault::new(
            FaultKind::ProtectedDeviceError,
            format!(
                "{} holds {what}, which other machines may share",
                device.name
            ),
        )),
        Err(error) => Err(fault(&device.name, error)),
    }
}

async fn shared_filesystem(disk: &dyn Disk) -> io::Result<Option<&'static str>> {
    let table = match Table::read(disk).await {
        Ok(Some(table)) => table,
        Err(crate::partition::PartitionError::Io(error)) => return Err(error),
        // What cannot be read as a table names no type.
        Ok(None) | Err(_) => return Ok(None),
    };
    Ok(table
        .partitions(disk.sector_size())
        .iter()
        .find_map(|partition| match partition.kind {
            PartitionType::Gpt(id) => SHARED_GPT
                .iter()
                .find(|(shared, _)| id.as_u128() == *shared)
                .map(|(_, name)| *name),
            PartitionType::Mbr(kind) => (kind == SHARED_MBR.0).then_some(SHARED_MBR.1),
        }))
}
