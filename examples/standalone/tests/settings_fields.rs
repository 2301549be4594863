//! Every field of the conductor's configuration has a key in the settings file.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;

use ironic_core::Config;
use ironic_standalone::HostConfig;

/// A line of the settings file for each field, with another value than the field has by default.
/// A field that is missing here has no key, or a key that nobody tries.
const LINES: &[(&str, &str)] = &[
    ("agent_poll_interval", "conductor.agent_poll_interval = 1.5"),
    (
        "agent_power_off_timeout",
        "conductor.agent_power_off_timeout = 7",
    ),
    (
        "agent_allow_md5_checksum",
        "conductor.agent_allow_md5_checksum = false",
    ),
    (
        "agent_command_timeout",
        "conductor.agent_command_timeout = 7",
    ),
    (
        "agent_max_command_attempts",
        "conductor.agent_max_command_attempts = 7",
    ),
    ("agent_require_tls", "conductor.agent_require_tls = true"),
    (
        "default_portgroup_mode",
        "conductor.default_portgroup_mode = '802.3ad'",
    ),
    (
        "disable_support_for_checksum_files",
        "conductor.disable_support_for_checksum_files = true",
    ),
    (
        "enable_health_monitoring",
        "conductor.enable_health_monitoring = false",
    ),
    ("inspection_hooks", "conductor.inspection_hooks = ['ports']"),
    ("node_history", "conductor.node_history = false"),
    (
        "permit_child_node_step_async_result",
        "conductor.permit_child_node_step_async_result = true",
    ),
    (
        "policy.record_step_flows_in_history",
        "conductor.record_step_flows_in_history = false",
    ),
    (
        "require_rescue_password_hashed",
        "conductor.require_rescue_password_hashed = false",
    ),
    (
        "rescue_password_hash_algorithm",
        "conductor.rescue_password_hash_algorithm = 'sha512'",
    ),
    ("api_url", "conductor.api_url = 'http://192.0.2.1'"),
    (
        "automated_cleaning.runbook",
        "conductor.automated_cleaning_runbook = 'scrub'",
    ),
    (
        "automated_cleaning.runbook_by_resource_class",
        "conductor.automated_cleaning_runbook_by_resource_class = {gpu = 'scrub'}",
    ),
    (
        "automated_cleaning.runbook_from_node",
        "conductor.automated_cleaning_runbook_from_node = true",
    ),
    (
        "automated_cleaning.runbook_validate_traits",
        "conductor.automated_cleaning_runbook_validate_traits = false",
    ),
    (
        "automated_cleaning.step_source",
        "conductor.automated_cleaning_step_source = 'hybrid'",
    ),
    ("automatic_lessee", "conductor.automatic_lessee = false"),
    (
        "automatic_lessee_source",
        "conductor.automatic_lessee_source = 'request'",
    ),
    ("bmc_command_timeout", "conductor.bmc_command_timeout = 7"),
    ("bmc_concurrency", "conductor.bmc_concurrency = 7"),
    (
        "conductor_cleanup_batch_size",
        "conductor.conductor_cleanup_batch_size = 7",
    ),
    (
        "conductor_cleanup_interval",
        "conductor.conductor_cleanup_interval = 7",
    ),
    (
        "conductor_cleanup_timeout",
        "conductor.conductor_cleanup_timeout = 700",
    ),
    ("conductor_group", "conductor.conductor_group = 'rack'"),
    (
        "disallowed_deployment_boot_modes",
        "conductor.disallowed_deployment_boot_modes = ['bios']",
    ),
    (
        "drain_shutdown_timeout",
        "conductor.drain_shutdown_timeout = 7",
    ),
    (
        "force_power_state_during_sync",
        "conductor.force_power_state_during_sync = false",
    ),
    (
        "graceful_shutdown_timeout",
        "conductor.graceful_shutdown_timeout = 7",
    ),
    (
        "hash_partition_exponent",
        "conductor.hash_partition_exponent = 7",
    ),
    (
        "hash_ring_algorithm",
        "conductor.hash_ring_algorithm = 'sha256'",
    ),
    (
        "hash_ring_reset_interval",
        "conductor.hash_ring_reset_interval = 7",
    ),
    ("heartbeat_interval", "conductor.heartbeat_interval = 7"),
    ("heartbeat_timeout", "conductor.heartbeat_timeout = 70"),
    ("host", "conductor.host = 'h'"),
    ("log_in_db_max_size", "conductor.log_in_db_max_size = 7"),
    ("max_concurrent_clean", "conductor.max_concurrent_clean = 7"),
    (
        "max_concurrent_deploy",
        "conductor.max_concurrent_deploy = 7",
    ),
    (
        "max_concurrent_per_conductor_group",
        "conductor.max_concurrent_per_conductor_group = true",
    ),
    (
        "node_history_cleanup_batch_count",
        "conductor.node_history_cleanup_batch_count = 7",
    ),
    (
        "node_history_cleanup_interval",
        "conductor.node_history_cleanup_interval = 7",
    ),
    (
        "node_history_max_entries",
        "conductor.node_history_max_entries = 7",
    ),
    (
        "node_history_minimum_days",
        "conductor.node_history_minimum_days = 7",
    ),
    (
        "node_locked_retry_attempts",
        "conductor.node_locked_retry_attempts = 7",
    ),
    (
        "node_locked_retry_interval",
        "conductor.node_locked_retry_interval = 7",
    ),
    ("notification_level", "notifications.level = 'warning'"),
    ("periodic_max_workers", "conductor.periodic_max_workers = 7"),
    (
        "policy.allow_deleting_available_nodes",
        "conductor.allow_deleting_available_nodes = false",
    ),
    (
        "policy.automated_clean",
        "conductor.automated_clean = false",
    ),
    (
        "policy.clean_callback_timeout",
        "conductor.clean_callback_timeout = 7",
    ),
    (
        "policy.clean_step_priority_override",
        "conductor.clean_step_priority_override = {'deploy.erase_devices' = '7'}",
    ),
    (
        "policy.deploy_callback_timeout",
        "conductor.deploy_callback_timeout = 7",
    ),
    (
        "policy.disallow_clean_steps",
        "api.disallow_clean_steps = []",
    ),
    (
        "policy.disallow_deploy_steps",
        "api.disallow_deploy_steps = []",
    ),
    (
        "policy.disallow_service_steps",
        "api.disallow_service_steps = []",
    ),
    ("policy.fast_track", "conductor.fast_track = true"),
    (
        "policy.fast_track_timeout",
        "conductor.fast_track_timeout = 7",
    ),
    (
        "policy.allow_provisioning_in_maintenance",
        "conductor.allow_provisioning_in_maintenance = false",
    ),
    (
        "policy.poweroff_in_cleanfail",
        "conductor.poweroff_in_cleanfail = true",
    ),
    (
        "policy.poweroff_in_servicefail",
        "conductor.poweroff_in_servicefail = true",
    ),
    (
        "policy.power_off_after_deploy_failure",
        "conductor.power_off_after_deploy_failure = false",
    ),
    (
        "policy.inspect_wait_timeout",
        "conductor.inspect_wait_timeout = 7",
    ),
    (
        "policy.rescue_callback_timeout",
        "conductor.rescue_callback_timeout = 7",
    ),
    (
        "policy.service_callback_timeout",
        "conductor.service_callback_timeout = 7",
    ),
    (
        "policy.verify_step_priority_override",
        "conductor.verify_step_priority_override = {'management.reset' = '7'}",
    ),
    (
        "power_failure_recovery_interval",
        "conductor.power_failure_recovery_interval = 7",
    ),
    (
        "power_state_change_timeout",
        "conductor.power_state_change_timeout = 7",
    ),
    (
        "power_state_sync_max_retries",
        "conductor.power_state_sync_max_retries = 7",
    ),
    (
        "ramdisk_heartbeat_timeout",
        "conductor.ramdisk_heartbeat_timeout = 7",
    ),
    (
        "reserved_workers_percentage",
        "conductor.reserved_workers_percentage = 7",
    ),
    (
        "sensors.data_types",
        "sensor_data.data_types = ['Temperature']",
    ),
    ("sensors.enabled", "sensor_data.enabled = true"),
    ("sensors.for_conductor", "sensor_data.for_conductor = false"),
    ("sensors.for_nodes", "sensor_data.for_nodes = false"),
    (
        "sensors.for_undeployed_nodes",
        "sensor_data.for_undeployed_nodes = true",
    ),
    ("sensors.interval", "sensor_data.interval = 7"),
    ("sensors.wait_timeout", "sensor_data.wait_timeout = 7"),
    ("sensors.workers", "sensor_data.workers = 7"),
    (
        "soft_power_off_timeout",
        "conductor.soft_power_off_timeout = 7",
    ),
    (
        "sync_local_state_interval",
        "conductor.sync_local_state_interval = 7",
    ),
    (
        "sync_power_state_interval",
        "conductor.sync_power_state_interval = 7",
    ),
    (
        "sync_power_state_workers",
        "conductor.sync_power_state_workers = 7",
    ),
    ("workers", "conductor.workers = 7"),
];

/// The fields of a configuration with their values, as far down as there are structs of ours.
fn fields(config: &Config) -> BTreeMap<String, String> {
    let text = format!("{config:#?}");
    let (mut found, mut within) = (BTreeMap::<String, String>::new(), Vec::new());
    let mut open: Option<(usize, String)> = None;
    for line in text.lines().skip(1) {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim_start();
        if let Some((at, name)) = &open {
            // The rest of a value that has several lines.
            found.get_mut(name).unwrap().push_str(line);
            if indent == *at {
                open = None;
            }
            continue;
        }
        let Some((name, value)) = line.split_once(": ") else {
            within.pop();
            continue;
        };
        if name == "defect" {
            // Only simulations have it, to put one back.
            continue;
        }
        let is_struct = ["Policy {", "SensorData {", "AutomatedCleaning {"].contains(&value);
        if is_struct {
            within.push(name.to_owned());
            continue;
        }
        let mut path = within.clone();
        path.push(name.to_owned());
        let path = path.join(".");
        found.insert(path.clone(), value.to_owned());
        if !value.ends_with(',') {
            open = Some((indent, path));
        }
    }
    found
}

#[test]
fn every_field_of_the_configuration_can_be_set() {
    let defaults = fields(&Config::default());
    assert!(defaults.len() > 60, "{defaults:#?}");
    let lines: BTreeMap<_, _> = LINES.iter().copied().collect();
    for (field, default) in &defaults {
        let line = lines
            .get(field.as_str())
            .unwrap_or_else(|| panic!("no key of the settings sets {field}"));
        let config = HostConfig::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let set = fields(&config.conductor);
        assert_ne!(&set[field], default, "{line} changes nothing");
        let others = |fields: &BTreeMap<String, String>| {
            let mut fields = fields.clone();
            fields.remove(field);
            fields
        };
        assert_eq!(others(&set), others(&defaults), "{line} changes more");
    }
    for (field, _) in LINES {
        assert!(defaults.contains_key(*field), "there is no field {field}");
    }
}
