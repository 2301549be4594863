//! The table of the original's options is complete, and its defaults are the original's and ours.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use ironic_core::Config;
use serde_json::{Value, json};

const GROUPS: [&str; 4] = ["DEFAULT", "agent", "conductor", "deploy"];

/// By group and option: its default, and what stands for it here.
fn table() -> BTreeMap<(String, String), (Value, String)> {
    let mut rows = BTreeMap::new();
    let mut group = String::new();
    for line in include_str!("../src/config/options.md").lines() {
        if let Some(name) = line.strip_prefix("## `[") {
            name.trim_end_matches("]`").clone_into(&mut group);
        }
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let (option, row) = row.split_once("` | `").unwrap();
        let (default, here) = row.split_once("` | ").unwrap();
        let here = here.trim_end_matches(" |").to_owned();
        let default = serde_json::from_str(default).unwrap();
        let before = rows.insert((group.clone(), option.to_owned()), (default, here));
        assert!(before.is_none(), "[{group}] {option} is there twice");
    }
    rows
}

#[test]
fn every_option_of_the_original_is_in_the_table_with_its_default() {
    let surface = include_str!("vectors/api_surface.json");
    let surface: Value = serde_json::from_str(surface).unwrap();
    let mut table = table();
    for option in surface["config_options"].as_array().unwrap() {
        let text = |key: &str| option[key].as_str().unwrap().to_owned();
        if !GROUPS.contains(&text("group").as_str()) {
            continue;
        }
        let key = (text("group"), text("name"));
        let (default, here) = table
            .remove(&key)
            .unwrap_or_else(|| panic!("{key:?} is not in the table"));
        assert_eq!(default, option["default"], "{key:?}");
        assert!(!here.is_empty(), "{key:?} says nothing");
    }
    assert!(table.is_empty(), "not of the original: {table:?}");
}

fn seconds(duration: Duration) -> Value {
    assert_eq!(duration.subsec_nanos(), 0);
    json!(duration.as_secs())
}

/// The defaults of the fields that the table names.
fn defaults() -> BTreeMap<&'static str, Value> {
    let config = Config::default();
    let policy = &config.policy;
    assert_eq!(policy.clean_step_priority_override, Default::default());
    assert_eq!(policy.verify_step_priority_override, Default::default());
    assert!(config.disallowed_deployment_boot_modes.is_empty());
    let level = config.notification_level;
    BTreeMap::from([
        (
            "Config::conductor_cleanup_batch_size",
            json!(config.conductor_cleanup_batch_size),
        ),
        (
            "Config::conductor_cleanup_interval",
            seconds(config.conductor_cleanup_interval),
        ),
        (
            "Config::conductor_cleanup_timeout",
            seconds(config.conductor_cleanup_timeout),
        ),
        ("Config::conductor_group", json!(config.conductor_group)),
        ("Config::disallowed_deployment_boot_modes", json!([])),
        (
            "Config::drain_shutdown_timeout",
            seconds(config.drain_shutdown_timeout),
        ),
        (
            "Config::force_power_state_during_sync",
            json!(config.force_power_state_during_sync),
        ),
        (
            "Config::graceful_shutdown_timeout",
            seconds(config.graceful_shutdown_timeout),
        ),
        (
            "Config::hash_partition_exponent",
            json!(config.hash_partition_exponent),
        ),
        (
            "Config::hash_ring_algorithm",
            json!(config.hash_ring_algorithm.name()),
        ),
        (
            "Config::hash_ring_reset_interval",
            seconds(config.hash_ring_reset_interval),
        ),
        (
            "Config::heartbeat_interval",
            seconds(config.heartbeat_interval),
        ),
        (
            "Config::heartbeat_timeout",
            seconds(config.heartbeat_timeout),
        ),
        (
            "Config::log_in_db_max_size",
            json!(config.log_in_db_max_size),
        ),
        (
            "Config::max_concurrent_clean",
            json!(config.max_concurrent_clean),
        ),
        (
            "Config::max_concurrent_deploy",
            json!(config.max_concurrent_deploy),
        ),
        (
            "Config::max_concurrent_per_conductor_group",
            json!(config.max_concurrent_per_conductor_group),
        ),
        (
            "Config::node_history_cleanup_batch_count",
            json!(config.node_history_cleanup_batch_count),
        ),
        (
            "Config::node_history_cleanup_interval",
            seconds(config.node_history_cleanup_interval),
        ),
        (
            "Config::node_history_max_entries",
            json!(config.node_history_max_entries),
        ),
        (
            "Config::node_history_minimum_days",
            json!(config.node_history_minimum_days),
        ),
        (
            "Config::node_locked_retry_attempts",
            json!(config.node_locked_retry_attempts),
        ),
        (
            "Config::node_locked_retry_interval",
            seconds(config.node_locked_retry_interval),
        ),
        (
            "Config::notification_level",
            json!(level.map(|level| level.as_str())),
        ),
        (
            "Config::power_state_sync_max_retries",
            json!(config.power_state_sync_max_retries),
        ),
        (
            "Config::reserved_workers_percentage",
            json!(config.reserved_workers_percentage),
        ),
        (
            "Config::sync_power_state_interval",
            seconds(config.sync_power_state_interval),
        ),
        (
            "Config::power_failure_recovery_interval",
            seconds(config.power_failure_recovery_interval),
        ),
        (
            "Config::power_state_change_timeout",
            seconds(config.power_state_change_timeout),
        ),
        (
            "Config::soft_power_off_timeout",
            seconds(config.soft_power_off_timeout),
        ),
        (
            "Config::sync_power_state_workers",
            json!(config.sync_power_state_workers),
        ),
        (
            "Config::sync_local_state_interval",
            seconds(config.sync_local_state_interval),
        ),
        (
            "Config::periodic_max_workers",
            json!(config.periodic_max_workers),
        ),
        (
            "Config::automated_cleaning.runbook",
            json!(config.automated_cleaning.runbook),
        ),
        (
            "Config::automated_cleaning.runbook_by_resource_class",
            json!(config.automated_cleaning.runbook_by_resource_class),
        ),
        (
            "Config::automated_cleaning.runbook_from_node",
            json!(config.automated_cleaning.runbook_from_node),
        ),
        (
            "Config::automated_cleaning.runbook_validate_traits",
            json!(config.automated_cleaning.runbook_validate_traits),
        ),
        (
            "Config::automated_cleaning.step_source",
            json!(config.automated_cleaning.step_source),
        ),
        ("Config::automatic_lessee", json!(config.automatic_lessee)),
        (
            "Config::automatic_lessee_source",
            json!(config.automatic_lessee_source),
        ),
        ("Config::node_history", json!(config.node_history)),
        (
            "Config::default_portgroup_mode",
            json!(config.default_portgroup_mode),
        ),
        (
            "Config::permit_child_node_step_async_result",
            json!(config.permit_child_node_step_async_result),
        ),
        (
            "Config::enable_health_monitoring",
            json!(config.enable_health_monitoring),
        ),
        (
            "Config::rescue_password_hash_algorithm",
            json!(config.rescue_password_hash_algorithm),
        ),
        (
            "Config::require_rescue_password_hashed",
            json!(config.require_rescue_password_hashed),
        ),
        (
            "Config::disable_support_for_checksum_files",
            json!(config.disable_support_for_checksum_files),
        ),
        (
            "Config::agent_command_timeout",
            seconds(config.agent_command_timeout),
        ),
        (
            "Config::agent_max_command_attempts",
            json!(config.agent_max_command_attempts),
        ),
        (
            "Config::agent_allow_md5_checksum",
            json!(config.agent_allow_md5_checksum),
        ),
        (
            "Policy::record_step_flows_in_history",
            json!(policy.record_step_flows_in_history),
        ),
        ("Config::workers", json!(config.workers)),
        ("Config::api_url", json!(config.api_url)),
        (
            "Policy::allow_deleting_available_nodes",
            json!(policy.allow_deleting_available_nodes),
        ),
        ("Policy::automated_clean", json!(policy.automated_clean)),
        (
            "Policy::clean_callback_timeout",
            seconds(policy.clean_callback_timeout),
        ),
        ("Policy::clean_step_priority_override", json!({})),
        (
            "Policy::deploy_callback_timeout",
            seconds(policy.deploy_callback_timeout),
        ),
        ("Policy::fast_track", json!(policy.fast_track)),
        (
            "Policy::fast_track_timeout",
            seconds(policy.fast_track_timeout),
        ),
        (
            "Policy::allow_provisioning_in_maintenance",
            json!(policy.allow_provisioning_in_maintenance),
        ),
        (
            "Policy::poweroff_in_cleanfail",
            json!(policy.poweroff_in_cleanfail),
        ),
        (
            "Policy::poweroff_in_servicefail",
            json!(policy.poweroff_in_servicefail),
        ),
        (
            "Policy::power_off_after_deploy_failure",
            json!(policy.power_off_after_deploy_failure),
        ),
        (
            "Policy::inspect_wait_timeout",
            seconds(policy.inspect_wait_timeout),
        ),
        (
            "Policy::rescue_callback_timeout",
            seconds(policy.rescue_callback_timeout),
        ),
        (
            "Policy::service_callback_timeout",
            seconds(policy.service_callback_timeout),
        ),
        ("Policy::verify_step_priority_override", json!({})),
    ])
}

#[test]
fn fields_that_stand_for_an_option_have_its_default() {
    let fields = defaults();
    let mut named = 0;
    for (option, (default, here)) in table() {
        let field = here
            .strip_prefix('`')
            .and_then(|here| here.strip_suffix('`'));
        let Some(field) =
            field.filter(|it| it.starts_with("Config::") || it.starts_with("Policy::"))
        else {
            continue;
        };
        let ours = fields
            .get(field)
            .unwrap_or_else(|| panic!("{option:?} names {field}, which this test does not know"));
        assert_eq!(*ours, default, "{option:?} is {field} here");
        named += 1;
    }
    assert_eq!(named, fields.len(), "each field stands for one option");
}
