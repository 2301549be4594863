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

fn plain(value: &impl serde::Serialize) -> Value {
    json!(value)
}

fn seconds(duration: &Duration) -> Value {
    assert_eq!(duration.subsec_nanos(), 0);
    json!(duration.as_secs())
}

/// Fields by the names that the table has for them, each shown by this function.
macro_rules! fields {
    ($owner:literal, $of:expr, $show:expr; $($field:ident),+) => {
        [$((concat!($owner, stringify!($field)), $show(&$of.$field))),+]
    };
}

/// The defaults of the fields that the table names.
fn defaults() -> BTreeMap<&'static str, Value> {
    let config = Config::default();
    let policy = &config.policy;
    assert_eq!(policy.clean_step_priority_override, Default::default());
    assert_eq!(policy.verify_step_priority_override, Default::default());
    assert!(config.disallowed_deployment_boot_modes.is_empty());
    let level = config.notification_level;
    let cleaning = &config.automated_cleaning;
    let mut fields = BTreeMap::from([
        ("Config::disallowed_deployment_boot_modes", json!([])),
        (
            "Config::hash_ring_algorithm",
            json!(config.hash_ring_algorithm.name()),
        ),
        (
            "Config::notification_level",
            json!(level.map(|level| level.as_str())),
        ),
        ("Policy::clean_step_priority_override", json!({})),
        ("Policy::verify_step_priority_override", json!({})),
    ]);
    fields.extend(fields! { "Config::", config, plain;
        agent_allow_md5_checksum, agent_max_command_attempts, api_url, automatic_lessee,
        automatic_lessee_source, conductor_cleanup_batch_size, conductor_group,
        default_portgroup_mode, disable_support_for_checksum_files, enable_health_monitoring,
        force_power_state_during_sync, hash_partition_exponent, log_in_db_max_size,
        max_concurrent_clean, max_concurrent_deploy, max_concurrent_per_conductor_group,
        node_history, node_history_cleanup_batch_count, node_history_max_entries,
        node_history_minimum_days, node_locked_retry_attempts, periodic_max_workers,
        permit_child_node_step_async_result, power_state_sync_max_retries,
        require_rescue_password_hashed, rescue_password_hash_algorithm,
        reserved_workers_percentage, sync_power_state_workers, workers
    });
    fields.extend(fields! { "Config::", config, seconds;
        agent_command_timeout, conductor_cleanup_interval, conductor_cleanup_timeout,
        drain_shutdown_timeout, graceful_shutdown_timeout, hash_ring_reset_interval,
        heartbeat_interval, heartbeat_timeout, node_history_cleanup_interval,
        node_locked_retry_interval, power_failure_recovery_interval, power_state_change_timeout,
        soft_power_off_timeout, sync_local_state_interval, sync_power_state_interval
    });
    fields.extend(fields! { "Policy::", policy, plain;
        allow_deleting_available_nodes, allow_provisioning_in_maintenance, automated_clean,
        fast_track, power_off_after_deploy_failure, poweroff_in_cleanfail,
        poweroff_in_servicefail, record_step_flows_in_history
    });
    fields.extend(fields! { "Policy::", policy, seconds;
        clean_callback_timeout, deploy_callback_timeout, fast_track_timeout,
        inspect_wait_timeout, rescue_callback_timeout, service_callback_timeout
    });
    fields.extend(fields! { "Config::automated_cleaning.", cleaning, plain;
        runbook, runbook_by_resource_class, runbook_from_node, runbook_validate_traits, step_source
    });
    fields
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
