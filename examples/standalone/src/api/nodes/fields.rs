//! The fields of a node, by version.

use super::super::fields::{Empty, Field, Fields};

/// The fields of a node.
pub(super) const NODE: Fields = Fields(&[
    Field::new("allocation_uuid", 52, Empty::Null),
    Field::new("automated_clean", 47, Empty::Null),
    Field::new("bios_interface", 40, Empty::Null),
    Field::new("boot_interface", 31, Empty::Null),
    Field::new("boot_mode", 75, Empty::Null),
    Field::new("chassis_uuid", 1, Empty::Null),
    Field::new("clean_step", 7, Empty::Object),
    Field::new("conductor", 49, Empty::Null),
    Field::new("conductor_group", 46, Empty::Text),
    Field::new("console_enabled", 1, Empty::False),
    Field::new("console_interface", 31, Empty::Null),
    Field::new("created_at", 1, Empty::Null),
    Field::new("deploy_interface", 31, Empty::Null),
    Field::new("deploy_step", 44, Empty::Object),
    Field::new("description", 51, Empty::Null),
    Field::new("disable_power_off", 95, Empty::False),
    Field::new("driver", 1, Empty::Null),
    Field::new("driver_info", 1, Empty::Object),
    Field::new("driver_internal_info", 3, Empty::Object),
    Field::new("extra", 1, Empty::Object),
    Field::new("fault", 42, Empty::Null),
    Field::new("firmware_interface", 86, Empty::Null),
    Field::new("health", 109, Empty::Null),
    Field::new("inspect_interface", 31, Empty::Null),
    Field::new("inspection_finished_at", 6, Empty::Null),
    Field::new("inspection_started_at", 6, Empty::Null),
    Field::new("instance_info", 1, Empty::Object),
    Field::new("instance_name", 104, Empty::Null),
    Field::new("instance_uuid", 1, Empty::Null),
    Field::new("last_error", 1, Empty::Null),
    Field::new("lessee", 65, Empty::Null),
    Field::new("maintenance", 1, Empty::False),
    Field::new("maintenance_reason", 1, Empty::Null),
    Field::new("management_interface", 31, Empty::Null),
    Field::new("name", 5, Empty::Null),
    Field::new("network_data", 66, Empty::Object),
    Field::new("network_interface", 20, Empty::Null),
    Field::new("owner", 50, Empty::Null),
    Field::new("parent_node", 83, Empty::Null),
    Field::new("power_interface", 31, Empty::Null),
    Field::new("power_state", 1, Empty::Null),
    Field::new("properties", 1, Empty::Object),
    Field::new("protected", 48, Empty::False),
    Field::new("protected_reason", 48, Empty::Null),
    Field::new("provision_state", 1, Empty::Null),
    Field::new("provision_updated_at", 1, Empty::Null),
    Field::new("raid_config", 12, Empty::Object),
    Field::new("raid_interface", 31, Empty::Null),
    Field::new("rescue_interface", 38, Empty::Null),
    Field::new("reservation", 1, Empty::Null),
    Field::new("resource_class", 21, Empty::Null),
    Field::new("retired", 61, Empty::False),
    Field::new("retired_reason", 61, Empty::Null),
    Field::new("secure_boot", 75, Empty::Null),
    Field::new("service_step", 87, Empty::Object),
    Field::new("shard", 82, Empty::Null),
    Field::new("storage_interface", 33, Empty::Null),
    Field::new("target_power_state", 1, Empty::Null),
    Field::new("target_provision_state", 1, Empty::Null),
    Field::new("target_raid_config", 12, Empty::Object),
    Field::new("traits", 37, Empty::List),
    Field::new("updated_at", 1, Empty::Null),
    Field::new("uuid", 1, Empty::Null),
    Field::new("vendor_interface", 31, Empty::Null),
]);

/// What a list shows unless asked for more.
pub(super) const FEW: &[&str] = &[
    "instance_uuid",
    "maintenance",
    "power_state",
    "provision_state",
    "uuid",
    "name",
];

/// What cannot be asked for by name, though it is a field.
const NOT_SELECTABLE: &[&str] = &["created_at", "updated_at"];

/// What a list cannot be sorted by, though it is a field: it has no order, or is found out for
/// each node.
const NOT_SORTABLE: &[&str] = &[
    "allocation_uuid",
    "chassis_uuid",
    "clean_step",
    "conductor",
    "deploy_step",
    "driver_info",
    "driver_internal_info",
    "extra",
    "instance_info",
    "network_data",
    "properties",
    "raid_config",
    "service_step",
    "target_raid_config",
    "traits",
];

/// Whether `fields=` may name it.
pub(super) fn is_selectable(name: &str) -> bool {
    NODE.names().any(|field| field == name) && !NOT_SELECTABLE.contains(&name)
}

/// The place in the record of what `sort_key` names; `None` for the order of enrolment.
pub(super) fn sort_path(key: &str) -> Option<Option<String>> {
    if key == "id" {
        return Some(None);
    }
    let sortable = NODE.names().any(|field| field == key) && !NOT_SORTABLE.contains(&key);
    sortable.then(|| Some(record_path(key).join(".")))
}

/// The place in the record of a field.
pub(super) fn record_path(field: &str) -> Vec<String> {
    match field.strip_suffix("_interface") {
        Some(kind) => vec!["interfaces".to_owned(), kind.to_owned()],
        None => vec![field.to_owned()],
    }
}
