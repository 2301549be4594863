//! What fields of records must be, against cases computed by running the original.

use ironic_core::Error;
use ironic_core::model::{
    JsonMap, capabilities, is_http_url, is_loopback, is_valid_no_proxy, is_valid_trait,
    network_port, parse_kernel_params,
};
use serde_json::{Value, json};

use crate::harness::check;

/// Kinds that other crates own.
const ELSEWHERE: &[&str] = &[
    "api_is_valid_node_name",
    "apply_jsonpatch",
    "args_boolean",
    "args_host_port",
    "args_integer",
    "args_mac_address",
    "args_name",
    "args_patch",
    "args_string",
    "args_string_list",
    "args_uuid",
    "args_uuid_or_name",
    "bool_lenient",
    "bool_strict",
    "deploy_template_schema",
    "get_patch_values",
    "ipmi_driver_info",
    "ipmi_sensor_data",
    "ipmitool_args",
    "is_hostname_safe",
    "is_path_removed",
    "is_path_updated",
    "is_uuid_like",
    "is_valid_datapath_id",
    "is_valid_logical_name",
    "local_link_connection",
    "node_name_reserved",
    "node_schema",
    "redfish_component_type",
    "redfish_driver_info",
    "validate_and_normalize_datapath_id",
    "validate_and_normalize_mac",
    "validate_conductor_group",
    "validate_limit",
    "validate_sort_dir",
];

/// Fields in which the capabilities have this value, if any.
fn fields(capabilities: &Value) -> JsonMap {
    let value = Some(capabilities).filter(|value| !value.is_null());
    let pairs = value.map(|value| ("capabilities".to_owned(), value.clone()));
    pairs.into_iter().collect()
}

/// The answer, where the kind is one of a rule here; null where only the absence of an error
/// counts.
fn run(kind: &str, input: &Value) -> Option<Result<Value, Error>> {
    let text = input.as_str();
    let wrong = || Error::invalid("no text");
    let is = |rule: fn(&str) -> bool| text.map(|text| rule(text).into()).ok_or_else(wrong);
    Some(match kind {
        "capabilities_to_dict" => capabilities::parse(input).map(|all| json!(all)),
        "get_node_capability" => {
            let name = input[1].as_str().unwrap();
            capabilities::of_node(&fields(&input[0]), name).map(|value| json!(value))
        }
        "updated_capabilities" => match input[1].as_object() {
            Some(new) => capabilities::updated(&input[0], new).map(Value::from),
            None => Err(wrong()),
        },
        "instance_info_capabilities" => {
            let info = [("capabilities".to_owned(), input.clone())];
            capabilities::of_instance(&info.into_iter().collect()).map(Value::from)
        }
        "validate_capabilities" => {
            capabilities::check(&fields(&input[0]), &fields(&input[1])).map(|()| Value::Null)
        }
        "validate_network_port" => network_port("port", input).map(Value::from),
        "parse_kernel_params" => match text {
            Some(text) => parse_kernel_params(text).map(|params| {
                let params = params.into_iter().map(|(name, value)| (name, value.into()));
                Value::Object(params.collect())
            }),
            None => Err(wrong()),
        },
        "is_http_url" => is(is_http_url),
        "is_loopback" => is(is_loopback),
        "is_valid_no_proxy" => Ok(text.is_some_and(is_valid_no_proxy).into()),
        "trait" => match text {
            Some(name) if is_valid_trait(name) => Ok(true.into()),
            _ => Err(wrong()),
        },
        _ => return None,
    })
}

#[test]
fn validation() {
    check("validation.json", &[], ELSEWHERE, |kind, case| {
        let got = run(kind, &case["input"])?;
        let expect = &case["expect"];
        let right = match &got {
            Ok(Value::Null) if expect["valid"] == true => true,
            Ok(value) => expect.get("ok") == Some(value),
            Err(_) => expect.get("error").is_some(),
        };
        Some(
            right
                .then_some(())
                .ok_or_else(|| format!("{} gave {got:?}", case["input"])),
        )
    });
}
