//! What arguments, bodies and patches must be: `validation.json`.

use ironic_core::model::{is_valid_conductor_group, lenient};
use ironic_standalone::api::patch::Patch;
use ironic_standalone::api::{
    Fault, Version, args, is_reserved_node_name, is_valid_node_name, link_connection, schema,
};
use serde_json::{Value, json};

use crate::tally::{Outcome, Tally, cases};

/// Kinds that other crates own.
const ELSEWHERE: &[&str] = &[
    "capabilities_to_dict",
    "get_node_capability",
    "instance_info_capabilities",
    "ipmi_driver_info",
    "ipmi_sensor_data",
    "ipmitool_args",
    "is_http_url",
    "is_loopback",
    "is_valid_no_proxy",
    "parse_kernel_params",
    "redfish_component_type",
    "redfish_driver_info",
    "trait",
    "updated_capabilities",
    "validate_capabilities",
    "validate_network_port",
];

#[test]
fn validation() {
    let mut tally = Tally::new("validation.json");
    for case in cases("validation.json") {
        let kind = case["kind"].as_str().unwrap();
        if ELSEWHERE.contains(&kind) {
            continue;
        }
        let outcome = run(kind, &case);
        assert!(outcome.is_some(), "kind {kind} is neither run nor listed");
        tally.count(&case, kind, outcome);
    }
    tally.end();
}

fn run(kind: &str, case: &Value) -> Outcome {
    let input = &case["input"];
    let argument = input.clone();
    let got = match kind {
        "args_boolean" => args::boolean("x", input).map(Value::from),
        "args_host_port" => args::host_port("x", input).map(Value::from),
        "args_integer" => args::integer("x", input).map(number),
        "args_mac_address" => args::mac_address("x", input).map(Value::from),
        "args_name" => args::name("x", input).map(Value::from),
        "args_patch" => Patch::from_request(input).map(|_| argument),
        "args_string" => args::text("x", input).map(Value::from),
        "args_string_list" => args::string_list("x", input).map(|list| json!(list)),
        // The answer is the argument as it came; what it means is seen where it is used.
        "args_uuid" => args::uuid("x", input).map(|_| argument),
        "args_uuid_or_name" => args::uuid_or_name("x", input).map(Value::from),
        "bool_lenient" => Ok(lenient::truth(input).unwrap_or(false).into()),
        "bool_strict" => lenient::truth(input).map(Value::from).ok_or_else(refusal),
        "is_uuid_like" => Ok(args::is_uuid_like(input).into()),
        "is_valid_logical_name" => Ok(named(input, args::is_logical_name)),
        "is_hostname_safe" => Ok(named(input, args::is_host_name)),
        "node_name_reserved" => Ok(named(input, is_reserved_node_name)),
        "api_is_valid_node_name" => {
            let version = version(&case["microversion"]);
            Ok(named(input, |name| is_valid_node_name(name, version)))
        }
        "validate_and_normalize_mac" => text(input, args::normal_mac),
        "validate_and_normalize_datapath_id" => text(input, args::normal_datapath_id),
        "is_valid_datapath_id" => return Some(datapath_id(case)),
        "validate_conductor_group" => match input.as_str() {
            Some(name) if is_valid_conductor_group(name) => Ok(Value::Null),
            _ => Err(refusal()),
        },
        "validate_limit" => {
            let asked = args::integer("limit", input).unwrap();
            args::limit(asked, 1000).map(Value::from)
        }
        "validate_sort_dir" => {
            args::descending(input.as_str().unwrap_or_default()).map(|_| argument)
        }
        "local_link_connection" => link_connection::normal(input),
        "node_schema" => schema::NODE.check_known(argument).map(|_| json!("valid")),
        "deploy_template_schema" => schema::DEPLOY_TEMPLATE
            .check(argument)
            .map(|_| json!("valid")),
        _ => return patches(kind, case),
    };
    Some(agrees(case, got))
}

fn patches(kind: &str, case: &Value) -> Outcome {
    let input = &case["input"];
    let got = match kind {
        "apply_jsonpatch" => {
            Patch::parse(&input["patch"]).and_then(|patch| patch.apply(&input["doc"]))
        }
        "get_patch_values" | "is_path_removed" | "is_path_updated" => {
            let path = input[1].as_str().unwrap();
            Patch::parse(&input[0]).map(|patch| match kind {
                "get_patch_values" => json!(patch.values(path)),
                // The original answers nothing where it finds nothing.
                "is_path_removed" => patch.removes(path).then_some(true).into(),
                _ if patch.is_empty() => Value::Null,
                _ => patch.updates(path).into(),
            })
        }
        _ => return None,
    };
    Some(agrees(case, got))
}

fn refusal() -> Fault {
    args::uuid("x", &json!("?")).unwrap_err()
}

fn version(text: &Value) -> Version {
    let minor = text.as_str().unwrap().strip_prefix("1.").unwrap();
    Version::new(minor.parse().unwrap()).unwrap()
}

fn named(input: &Value, is: impl Fn(&str) -> bool) -> Value {
    input.as_str().is_some_and(is).into()
}

fn text(input: &Value, normal: impl Fn(&str) -> Option<String>) -> Result<Value, Fault> {
    let normal = input.as_str().and_then(normal);
    normal.map(Value::from).ok_or_else(refusal)
}

/// A whole number as JSON has it here: beyond 64 bits as the nearest float.
fn number(number: Option<i128>) -> Value {
    match number {
        None => Value::Null,
        Some(whole) => match i64::try_from(whole) {
            Ok(whole) => whole.into(),
            #[allow(clippy::cast_precision_loss, reason = "as the parser has it")]
            Err(_) => (whole as f64).into(),
        },
    }
}

/// The original answers what its regular expression found; only whether it did counts.
fn datapath_id(case: &Value) -> Result<(), String> {
    let got = case["input"].as_str().and_then(args::normal_datapath_id);
    if got.is_some() != case["expect"]["ok"].is_null() {
        Ok(())
    } else {
        Err(format!("{got:?}"))
    }
}

fn agrees(case: &Value, got: Result<Value, Fault>) -> Result<(), String> {
    let expect = &case["expect"];
    match (got, expect.get("ok"), expect.get("valid")) {
        (Ok(got), Some(want), _) if got == *want => Ok(()),
        (Ok(_), None, Some(Value::Bool(true))) => Ok(()),
        // A crash of the original is refused here like anything else that is wrong.
        (Err(fault), None, None) if fault.status() == 400 => Ok(()),
        (got, ..) => Err(format!("{} gave {got:?}, expected {expect}", case["input"])),
    }
}
