//! What becomes of an inventory: ports are made, and the node's properties set.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::Error;
use crate::driver::Task;
use crate::model::{MacAddress, Port};

/// More interfaces than any machine has.
const MOST_INTERFACES: usize = 512;

/// Runs every hook on the inventory.
pub(super) async fn run(task: &mut Task, inventory: &Map<String, Value>) -> Result<(), Error> {
    architecture(task, inventory);
    make_ports(task, inventory).await
}

/// `cpu_arch`, `cpus`, `memory_mb`, `local_gb` and the boot mode, where nobody has set them
/// (the original's hooks `architecture`, `cpu`, `memory`, `root-device` and `boot-mode`).
fn architecture(task: &mut Task, inventory: &Map<String, Value>) {
    let at = |first: &str, then: &str| inventory.get(first).and_then(|value| value.get(then));
    let smallest_disk = inventory
        .get("disks")
        .and_then(Value::as_array)
        .and_then(|disks| {
            let sizes = disks.iter().filter_map(|disk| disk.get("size")?.as_u64());
            sizes.filter(|size| *size >= 4 << 30).min()
        });
    let facts = [
        (
            "cpu_arch",
            at("cpu", "architecture")
                .and_then(Value::as_str)
                .map(Value::from),
        ),
        (
            "cpus",
            at("cpu", "count")
                .and_then(Value::as_u64)
                .map(|count| Value::from(count.to_string())),
        ),
        (
            "memory_mb",
            at("memory", "physical_mb")
                .and_then(Value::as_u64)
                .map(|mb| Value::from(mb.to_string())),
        ),
        // One GiB is left for what partitioning needs, as in the original.
        (
            "local_gb",
            smallest_disk.map(|size| Value::from(((size >> 30).saturating_sub(1)).to_string())),
        ),
    ];
    let boot_mode = at("boot", "current_boot_mode")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let properties = &mut task.node_mut().properties;
    for (key, fact) in facts {
        if let Some(fact) = fact {
            properties.insert(key.to_owned(), fact);
        }
    }
    if let Some(mode) = boot_mode.filter(|mode| matches!(mode.as_str(), "bios" | "uefi")) {
        let capabilities = properties
            .get("capabilities")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if !capabilities
            .split(',')
            .any(|capability| capability.trim().starts_with("boot_mode:"))
        {
            let separator = if capabilities.is_empty() { "" } else { "," };
            properties.insert(
                "capabilities".to_owned(),
                Value::from(format!("{capabilities}{separator}boot_mode:{mode}")),
            );
        }
    }
}

/// Makes a port for each interface that has an address and a link, unless there is one; the
/// interface that the ramdisk booted from is the one to boot from.
async fn make_ports(task: &mut Task, inventory: &Map<String, Value>) -> Result<(), Error> {
    let interfaces = inventory
        .get("interfaces")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let known: BTreeSet<_> = task
        .ports()
        .iter()
        .map(|port| port.address.clone())
        .collect();
    let pxe = inventory
        .get("boot")
        .and_then(|boot| boot.get("pxe_interface"))
        .and_then(Value::as_str);
    let pxe: Option<MacAddress> = pxe.and_then(|mac| mac.parse().ok());
    for interface in interfaces.iter().take(MOST_INTERFACES) {
        let Some(mac) = interface
            .get("mac_address")
            .and_then(Value::as_str)
            .and_then(|mac| mac.parse::<MacAddress>().ok())
        else {
            continue;
        };
        let linked = interface
            .get("has_carrier")
            .and_then(Value::as_bool)
            .unwrap_or(true);
        let addressed = interface
            .get("ipv4_address")
            .and_then(Value::as_str)
            .is_some_and(|ip| !ip.is_empty())
            || interface
                .get("ipv6_address")
                .and_then(Value::as_str)
                .is_some_and(|ip| !ip.is_empty());
        if known.contains(&mac) || !(linked || addressed || pxe.as_ref() == Some(&mac)) {
            continue;
        }
        let mut port = Port::new(task.entropy().uuid(), task.node_id(), mac.clone());
        port.pxe_enabled = pxe.as_ref().is_none_or(|pxe| *pxe == mac);
        port.created_at = task.now();
        match task.add_port(port).await {
            Ok(()) => {}
            Err(Error::AlreadyExists { .. }) => {
                return Err(Error::StateConflict {
                    message: format!("a port with the address {mac} belongs to another node"),
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
