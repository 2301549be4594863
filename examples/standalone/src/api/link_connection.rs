//! Where a port is plugged in: `local_link_connection`.

use serde_json::{Map, Value};

use super::args::{normal_datapath_id, normal_mac};
use super::fault::Fault;

/// Every member that there is; all are strings.
pub(super) const MEMBERS: &[&str] = &[
    "hostname",
    "network_type",
    "port_id",
    "switch_id",
    "switch_info",
    "vtep-logical-switch",
    "vtep-physical-switch",
];

/// The members that a connection to a hardware VXLAN gateway has.
pub(super) const VTEP_MEMBERS: [&str; 2] = ["vtep-logical-switch", "vtep-physical-switch"];

/// Which members tell where the port is, besides none at all.
const COMPLETE: &[&[&str]] = &[
    &["port_id", "switch_id"],
    &["port_id", "hostname"],
    &["port_id", "vtep-logical-switch", "vtep-physical-switch"],
];

/// The connection of a port in its normal form: the switch by its MAC address or datapath id in
/// lower case.
///
/// # Errors
/// 400 when it does not tell where the port is, or tells something else besides.
pub fn normal(connection: &Value) -> Result<Value, Fault> {
    let members = connection
        .as_object()
        .ok_or_else(|| Fault::bad("local_link_connection must be a JSON object"))?;
    check_members(members)?;
    let has = |name: &&str| members.contains_key(*name);
    let network = members.get("network_type").and_then(Value::as_str);
    let complete = members.is_empty()
        || network == Some("unmanaged")
        || COMPLETE.iter().any(|needed| needed.iter().all(has));
    if !complete {
        return Err(Fault::bad(
            "local_link_connection must have port_id and switch_id, or port_id and hostname, or \
             port_id and the two vtep switches, or network_type unmanaged, or nothing",
        ));
    }
    if VTEP_MEMBERS.iter().filter(|name| has(name)).count() == 1 {
        return Err(Fault::bad(
            "local_link_connection must have both vtep switches, or neither",
        ));
    }
    let mut normal = members.clone();
    if let Some(switch) = members.get("switch_id").and_then(Value::as_str) {
        let id = normal_mac(switch).or_else(|| normal_datapath_id(switch));
        let id = id.ok_or_else(|| {
            Fault::bad("switch_id must be a MAC address or an OpenFlow datapath id")
        })?;
        normal.insert("switch_id".to_owned(), id.into());
    }
    Ok(Value::Object(normal))
}

fn check_members(members: &Map<String, Value>) -> Result<(), Fault> {
    for (name, value) in members {
        if !MEMBERS.contains(&name.as_str()) {
            let shown: String = name.chars().take(80).collect();
            return Err(Fault::bad(format!(
                "local_link_connection has no member {shown:?}"
            )));
        }
        let text = value
            .as_str()
            .ok_or_else(|| Fault::bad(format!("{name} must be a string")))?;
        if name == "network_type" && !matches!(text, "managed" | "unmanaged") {
            return Err(Fault::bad("network_type must be managed or unmanaged"));
        }
    }
    Ok(())
}

/// Whether it tells where a smart NIC is.
pub(super) fn is_of_smart_nic(connection: Option<&Value>) -> bool {
    match connection {
        None | Some(Value::Null) => true,
        Some(connection) => ["port_id", "hostname"]
            .iter()
            .all(|name| connection.get(name).is_some_and(Value::is_string)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::normal;

    #[test]
    fn a_gateway_has_both_its_switches_or_none() {
        let mut link = json!({"port_id": "p", "hostname": "h", "vtep-logical-switch": "l"});
        let fault = normal(&link).unwrap_err();
        assert!(fault.message().contains("both vtep switches"), "{fault}");
        link["vtep-physical-switch"] = json!("s");
        assert_eq!(normal(&link).unwrap(), link);
    }
}
