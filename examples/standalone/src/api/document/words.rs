//! What fields mean, in a few words: the same name means the same wherever it stands.

/// The names of fields, in order, each with what it means. A field without words of its own is
/// told by its name alone.
const WORDS: &[(&str, &str)] = &[
    (
        "actions",
        "What is done; hidden where the rule is sensitive.",
    ),
    ("address", "The Ethernet address."),
    ("alive", "Whether it has been heard of lately."),
    ("allocation_uuid", "The allocation that has it."),
    ("allowable_values", "What it can be set to."),
    ("attribute_type", "Of what type it is."),
    (
        "automated_clean",
        "Whether it is cleaned between instances; null for the service's setting.",
    ),
    (
        "available_for_dynamic_portgroup",
        "Whether port groups may be made with it by need.",
    ),
    (
        "boot_index",
        "Its place among the volumes; 0 is booted from.",
    ),
    ("boot_mode", "How the firmware boots: bios or uefi."),
    (
        "candidate_nodes",
        "The nodes that come into question; none for any.",
    ),
    ("category", "What it is sorted by, at will."),
    ("chassis_uuid", "The chassis that it stands in."),
    ("clean_step", "The step that its cleaning is at."),
    ("component", "What of the machine has the firmware."),
    (
        "conditions",
        "When the rule applies; hidden where it is sensitive.",
    ),
    ("conductor", "The conductor that looks after it."),
    ("conductor_group", "Which conductors look after it."),
    (
        "connector_id",
        "The name by which storage knows the machine.",
    ),
    ("console_enabled", "Whether its console is running."),
    ("created_at", "When it came into being."),
    ("current_version", "What is installed."),
    ("deploy_step", "The step that its deployment is at."),
    ("description", "What people say of it."),
    ("disable_power_off", "Whether it is never switched off."),
    ("disable_ramdisk", "Whether the steps run without an agent."),
    ("driver", "Its hardware type."),
    (
        "driver_info",
        "How its BMC is reached and what drivers need; secrets are masked.",
    ),
    ("driver_internal_info", "What drivers remember of it."),
    ("drivers", "The hardware types that it has."),
    ("duration_seconds", "How long it took."),
    ("dynamic_portgroup", "Whether it was made by need."),
    ("event", "What has happened."),
    ("event_type", "Of what sort it is."),
    ("extra", "Whatever clients keep with it."),
    ("fault", "What has put it into maintenance."),
    ("health", "How the machine is, as its BMC says."),
    ("hostname", "Its name."),
    ("initial_version", "What was installed at first."),
    ("inspection_finished_at", "When the last inspection ended."),
    ("inspection_started_at", "When the last inspection began."),
    (
        "instance_info",
        "What is to be deployed; secrets are masked.",
    ),
    ("instance_name", "The name of its instance."),
    ("instance_uuid", "Its instance."),
    ("internal_info", "What the engine remembers of it."),
    ("is_smartnic", "Whether it is on a smart NIC."),
    ("last_error", "Why the last thing has failed."),
    ("last_version_flashed", "What was installed last."),
    ("lessee", "The project that it is lent to."),
    ("local_link_connection", "Where it is plugged in."),
    ("lower_bound", "The least that it can be."),
    ("maintenance", "Whether nothing is done to it."),
    ("maintenance_reason", "Why nothing is done to it."),
    ("max_length", "How many characters it can have."),
    ("min_length", "How many characters it must have."),
    ("mode", "How its ports share the work."),
    ("model", "Its model."),
    ("name", "Its name, which is nobody else's."),
    (
        "network_data",
        "The network configuration of instances and agents without DHCP.",
    ),
    ("node", "The node that is wanted."),
    ("node_ident", "The uuid or name of its node."),
    ("node_uuid", "Its node."),
    ("nodes", "Where its nodes are."),
    ("owner", "The project that it belongs to."),
    ("parent_node", "The node that it is within."),
    ("phase", "When in an inspection it applies."),
    ("physical_network", "The network that it is on."),
    ("portgroup_uuid", "The port group that it is in."),
    ("ports", "Where its ports are."),
    ("power_state", "Whether it is on, as its BMC has said last."),
    ("priority", "When its turn is: the highest first."),
    ("project", "The project of whoever asked for it."),
    ("properties", "What it is like."),
    (
        "protected",
        "Whether it is kept from being deleted and redeployed.",
    ),
    ("protected_reason", "Why it is kept."),
    ("provision_state", "Where in its life it is."),
    ("provision_updated_at", "When that has changed last."),
    ("public", "Whether every project may use it."),
    ("pxe_enabled", "Whether it is booted from."),
    ("raid_config", "The RAID that it has."),
    ("read_only", "Whether it cannot be set."),
    ("reservation", "The conductor that is at work on it."),
    ("reset_required", "Whether setting it takes a reboot."),
    ("resource_class", "What it is to those who want one."),
    ("retired", "Whether it is not to be used again."),
    ("retired_reason", "Why not."),
    ("secure_boot", "Whether the firmware checks what it boots."),
    (
        "sensitive",
        "Whether nobody is shown what it does; stays so.",
    ),
    ("serial_number", "Its serial number."),
    ("service_step", "The step that its service is at."),
    ("severity", "How bad it is."),
    ("shard", "The part of the fleet that it is in."),
    (
        "standalone_ports_supported",
        "Whether its ports work by themselves as well.",
    ),
    ("state", "How far it is."),
    ("steps", "What is done, in order; secrets in it are masked."),
    ("target_power_state", "What its power is being switched to."),
    ("target_provision_state", "What it is on its way to."),
    ("target_raid_config", "The RAID that it is to have."),
    ("traits", "What can be asked of it by name."),
    ("type", "Of what sort it is."),
    ("unique", "Whether each machine has its own."),
    ("updated_at", "When it has last been changed."),
    ("upper_bound", "The most that it can be."),
    ("user", "Who asked for it."),
    ("uuid", "What it is known by for good."),
    ("value", "What it is set to."),
    ("vendor", "Who has made it."),
    ("volume_id", "The name by which storage knows the volume."),
    ("volume_type", "How it is reached."),
];

/// What a field of this name means.
pub(super) fn of(field: &str) -> &'static str {
    if field.ends_with("_interface") {
        return "Which implementation does this part of the driver's work.";
    }
    let found = WORDS.binary_search_by_key(&field, |(name, _)| name);
    let words = found.ok().and_then(|at| WORDS.get(at));
    words.map_or("", |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::{WORDS, of};

    #[test]
    fn what_has_words_is_found() {
        assert!(WORDS.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(of("uuid"), "What it is known by for good.");
        assert!(!of("bios_interface").is_empty());
        assert_eq!(of("nosuch"), "");
    }
}
