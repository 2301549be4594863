//! Files of which few rules are here yet: every kind is listed, so that none is forgotten.

use ironic_core::driver::validate_raid_config;
use ironic_core::model::InspectionRule;

use crate::harness::check;

/// Lists the kinds of a file; those `elsewhere` are another crate's.
fn later(name: &str, kinds: &[&str], elsewhere: &[&str]) {
    check(name, kinds, elsewhere, |_, _| None);
}

#[test]
fn inspection_rules() {
    let kinds = ["apply", "parse_operator", "normalize_path"];
    check("inspection_rules.json", &kinds, &[], |kind, case| {
        (kind == "validate").then(|| {
            let built_in = case["built_in"] == true;
            let rule = case["rule"].as_object().unwrap();
            let valid = InspectionRule::from_json(rule, built_in).is_ok();
            let wanted = case["expect"]["valid"] == true;
            match valid == wanted {
                true => Ok(()),
                false => Err(format!("valid: {valid}")),
            }
        })
    });
}

#[test]
fn raid() {
    let agent = [
        "agent_validate",
        "pick_disks",
        "partition_sectors",
        "raid_start",
        "create_raid_device",
        "create_configuration",
    ];
    check(
        "raid.json",
        &["filter_target", "update_raid_info"],
        &agent,
        |kind, case| {
            (kind == "schema").then(|| {
                let config = case["config"].as_object();
                let valid = config.is_some_and(|config| validate_raid_config(config).is_ok());
                let wanted = case["expect"]["valid"] == true;
                if valid == wanted {
                    Ok(())
                } else {
                    Err(format!("valid: {valid}"))
                }
            })
        },
    );
}

#[test]
fn lldp() {
    let kinds = [
        "local_link_connection",
        "parse_lldp",
        "parse_lldp_hook",
        "local_link_connection_hook",
    ];
    later("lldp.json", &kinds, &["ipa_frame"]);
}

#[test]
fn device_hints() {
    later(
        "device_hints.json",
        &["root_device_hook"],
        &["parse", "find", "match", "guess_root_disk"],
    );
}
