//! What becomes of an inventory: ports are made, and the node's properties set.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::interfaces::Interfaces;
use crate::Error;
use crate::driver::Task;
use crate::model::Port;

/// Runs the hooks on the inventory that the configuration names.
pub(super) async fn run(
    task: &mut Task,
    inventory: &Map<String, Value>,
    interfaces: &Interfaces,
) -> Result<(), Error> {
    let hooks = task.config().inspection_hooks.clone();
    let runs = |hook: &str| hooks.iter().any(|named| named == hook);
    set_properties(task, inventory, runs);
    if runs("ports") {
        make_ports(task, interfaces).await?;
    }
    Ok(())
}

/// The properties that the node gets, each by the hook of the original that sets it.
fn set_properties(task: &mut Task, inventory: &Map<String, Value>, runs: impl Fn(&str) -> bool) {
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
            "architecture",
            "cpu_arch",
            at("cpu", "architecture")
                .and_then(Value::as_str)
                .map(Value::from),
        ),
        (
            "cpus",
            "cpus",
            at("cpu", "count")
                .and_then(Value::as_u64)
                .map(|count| Value::from(count.to_string())),
        ),
        (
            "memory",
            "memory_mb",
            at("memory", "physical_mb")
                .and_then(Value::as_u64)
                .map(|mb| Value::from(mb.to_string())),
        ),
        // One GiB is left for what partitioning needs, as in the original.
        (
            "root-device",
            "local_gb",
            smallest_disk.map(|size| Value::from(((size >> 30).saturating_sub(1)).to_string())),
        ),
    ];
    let boot_mode = at("boot", "current_boot_mode")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let properties = &mut task.node_mut().properties;
    for (hook, key, fact) in facts {
        if let Some(fact) = fact.filter(|_| runs(hook)) {
            properties.insert(key.to_owned(), fact);
        }
    }
    if let Some(mode) =
        boot_mode.filter(|mode| runs("boot-mode") && matches!(mode.as_str(), "bios" | "uefi"))
    {
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

/// Makes a port for each interface that comes into question, unless there is one: for the one that
/// the ramdisk booted from, where that is known, else for all that are not the machine's own.
async fn make_ports(task: &mut Task, interfaces: &Interfaces) -> Result<(), Error> {
    let known: BTreeSet<_> = task
        .ports()
        .iter()
        .map(|port| port.address.clone())
        .collect();
    for mac in interfaces.addresses() {
        if known.contains(&mac) {
            continue;
        }
        let mut port = Port::new(task.entropy().uuid(), task.node_id(), mac.clone());
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
