//! The fields of a node, by version.

use super::super::fields::{Fields, fields};
use super::super::schema::{Is, TEXT};

/// The fields of a node; in front what a list shows, in the order in which links to next pages
/// name it.
pub(in super::super) const FIELDS: Fields = fields! {
    "instance_uuid" since 1, Null, takes(Is::Uuid), patchable, brief;
    "maintenance" since 1, False, takes(Is::Flag), patchable, brief;
    "power_state" since 1, Null, brief;
    "provision_state" since 1, Null, brief;
    "uuid" since 1, Null, takes(Is::Uuid), brief;
    "name" since 5, Null, takes(TEXT), patchable, brief;

    "allocation_uuid" since 52, Null, unordered;
    "automated_clean" since 47, Null, takes(Is::Flag), patchable;
    "bios_interface" since 40, Null, takes(TEXT), patchable;
    "boot_interface" since 31, Null, takes(TEXT), patchable;
    "boot_mode" since 75, Null, takes(TEXT);
    "chassis_uuid" since 1, Null, takes(Is::Uuid), patchable, unordered;
    "clean_step" since 7, Object, unordered;
    "conductor" since 49, Null, unordered;
    "conductor_group" since 46, Text, takes(TEXT), patchable;
    "console_enabled" since 1, False, takes(Is::Flag);
    "console_interface" since 31, Null, takes(TEXT), patchable;
    "created_at" since 1, Null, unselectable;
    "deploy_interface" since 31, Null, takes(TEXT), patchable;
    "deploy_step" since 44, Object, unordered;
    "description" since 51, Null, takes(Is::Text(0, 4096)), patchable;
    "disable_power_off" since 95, False, takes(Is::Flag), patchable;
    "driver" since 1, Null, takes(Is::RequiredText), required, patchable;
    "driver_info" since 1, Object, takes(Is::Object), patchable, unordered;
    "driver_internal_info" since 3, Object, unordered;
    // Asked for too early it is refused as a field is, though none has this name.
    "events" since 54, Null, write_only;
    "extra" since 1, Object, takes(Is::Object), patchable, unordered;
    "fault" since 42, Null;
    "firmware_interface" since 86, Null, takes(TEXT), patchable;
    "health" since 109, Null;
    "inspect_interface" since 31, Null, takes(TEXT), patchable;
    "inspection_finished_at" since 6, Null;
    "inspection_started_at" since 6, Null;
    "instance_info" since 1, Object, takes(Is::Object), patchable, unordered;
    "instance_name" since 104, Null, takes(Is::Text(1, 255)), patchable;
    "last_error" since 1, Null;
    "lessee" since 65, Null, takes(TEXT), patchable;
    "maintenance_reason" since 1, Null;
    "management_interface" since 31, Null, takes(TEXT), patchable;
    "network_data" since 66, Object, takes(Is::NetworkData), patchable, unordered;
    "network_interface" since 20, Null, takes(TEXT), patchable;
    "owner" since 50, Null, takes(TEXT), patchable;
    "parent_node" since 83, Null, takes(Is::Text(0, 36)), patchable;
    "power_interface" since 31, Null, takes(TEXT), patchable;
    "properties" since 1, Object, takes(Is::Object), patchable, unordered;
    "protected" since 48, False, takes(Is::Flag), patchable, by_patch_only;
    "protected_reason" since 48, Null, takes(TEXT), patchable, by_patch_only;
    "provision_updated_at" since 1, Null;
    "raid_config" since 12, Object, unordered;
    "raid_interface" since 31, Null, takes(TEXT), patchable;
    "rescue_interface" since 38, Null, takes(TEXT), patchable;
    "reservation" since 1, Null;
    "resource_class" since 21, Null, takes(Is::Text(0, 80)), patchable;
    "retired" since 61, False, takes(Is::Flag), patchable;
    "retired_reason" since 61, Null, takes(TEXT), patchable;
    "secure_boot" since 75, Null, takes(Is::Flag);
    "service_step" since 87, Object, unordered;
    "shard" since 82, Null, takes(TEXT), patchable;
    "storage_interface" since 33, Null, takes(TEXT), patchable;
    "target_power_state" since 1, Null;
    "target_provision_state" since 1, Null;
    "target_raid_config" since 12, Object, unordered;
    "traits" since 37, List, unordered;
    "updated_at" since 1, Null, unselectable;
    "vendor_interface" since 31, Null, takes(TEXT), patchable;
};

/// The place in the record of what `sort_key` names; `None` for the order of enrolment.
pub(super) fn sort_path(key: &str) -> Option<String> {
    (key != "id").then(|| record_path(key).join("."))
}

/// The place in the record of a field.
pub(super) fn record_path(field: &str) -> Vec<String> {
    match field.strip_suffix("_interface") {
        Some(kind) => vec!["interfaces".to_owned(), kind.to_owned()],
        None => vec![field.to_owned()],
    }
}
