//! The network configuration of an instance: `network_data`, in the format of Nova's metadata
//! (`network_data.json`): links, networks on them, and services.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value};

use super::args::normal_mac;
use super::fault::Fault;

const LINK_TYPES: &[&str] = &[
    "bridge",
    "dvs",
    "hw_veb",
    "hyperv",
    "ovs",
    "tap",
    "vhostuser",
    "vif",
    "phy",
];
const BOND_MODES: &[&str] = &[
    "802.3ad",
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "balance-tlb",
    "balance-alb",
];

/// Checks a network configuration; an empty one is right.
///
/// # Errors
/// 400 that says where it is wrong.
pub fn check(data: &Value) -> Result<(), Fault> {
    if data.as_object().is_some_and(Map::is_empty) {
        return Ok(());
    }
    whole(data).map_err(|at| Fault::bad(format!("network_data is wrong at {at}")))
}

/// Where something is wrong.
type At = String;

fn whole(data: &Value) -> Result<(), At> {
    let list = |name: &str| {
        let list = data.get(name).and_then(Value::as_array);
        list.ok_or_else(|| name.to_owned())
    };
    each("links", list("links")?, link)?;
    each("networks", list("networks")?, network)?;
    each("services", list("services")?, |item| {
        service(item, is_ipv4).or_else(|_| service(item, is_ipv6))
    })
}

fn each(name: &str, items: &[Value], check: impl Fn(&Value) -> Result<(), At>) -> Result<(), At> {
    for (at, item) in items.iter().enumerate() {
        check(item).map_err(|field| format!("{name}/{at}/{field}"))?;
    }
    Ok(())
}

fn text<'a>(item: &'a Value, name: &str) -> Result<&'a str, At> {
    let value = item.get(name).and_then(Value::as_str);
    value.ok_or_else(|| name.to_owned())
}

/// A string member that satisfies `right`.
fn valid(item: &Value, name: &str, right: impl Fn(&str) -> bool) -> Result<(), At> {
    match text(item, name)? {
        value if right(value) => Ok(()),
        _ => Err(name.to_owned()),
    }
}

/// The same, if the member is there.
fn valid_if_given(item: &Value, name: &str, right: impl Fn(&str) -> bool) -> Result<(), At> {
    match item.get(name) {
        None => Ok(()),
        Some(_) => valid(item, name, right),
    }
}

fn any(_: &str) -> bool {
    true
}

fn is_mac(text: &str) -> bool {
    let mixed = text.contains(':') && text.contains('-');
    !mixed && normal_mac(&text.replace('-', ":")).is_some()
}

fn link(item: &Value) -> Result<(), At> {
    valid(item, "id", any)?;
    valid_if_given(item, "vif_id", any)?;
    mtu(item)?;
    match text(item, "type")? {
        "bond" => {
            valid(item, "ethernet_mac_address", is_mac)?;
            valid(item, "bond_mode", |mode| BOND_MODES.contains(&mode))?;
            let links = item.get("bond_links").and_then(Value::as_array);
            let right = links.is_some_and(|links| links.iter().all(Value::is_string));
            right.then_some(()).ok_or_else(|| "bond_links".to_owned())
        }
        "vlan" => {
            valid(item, "vlan_mac_address", is_mac)?;
            valid(item, "vlan_link", any)?;
            let id = item.get("vlan_id").and_then(Value::as_f64);
            let right = id.is_some_and(|id| id.fract() == 0.0);
            right.then_some(()).ok_or_else(|| "vlan_id".to_owned())
        }
        other if LINK_TYPES.contains(&other) => valid(item, "ethernet_mac_address", is_mac),
        _ => Err("type".to_owned()),
    }
}

fn mtu(item: &Value) -> Result<(), At> {
    let right = match item.get("mtu") {
        None | Some(Value::Null) => true,
        Some(value) => value
            .as_f64()
            .is_some_and(|mtu| (1.0..=65535.0).contains(&mtu)),
    };
    right.then_some(()).ok_or_else(|| "mtu".to_owned())
}

/// A kind of addresses: what a host address is, and a network or mask.
struct Family {
    host: fn(&str) -> bool,
    plain: fn(&str) -> bool,
    mask: fn(&str) -> bool,
    gateway: fn(&str) -> bool,
}

const IPV4: Family = Family {
    host: is_ipv4,
    plain: is_ipv4,
    mask: is_ipv4_mask,
    gateway: is_ipv4,
};
const IPV6: Family = Family {
    host: is_ipv6_with_prefix,
    plain: is_ipv6,
    mask: is_ipv6,
    gateway: is_ipv6,
};

fn network(item: &Value) -> Result<(), At> {
    let family = match text(item, "type")? {
        "ipv4" | "ipv4_dhcp" => IPV4,
        "ipv6" | "ipv6_dhcp" | "ipv6_slaac" => IPV6,
        _ => return Err("type".to_owned()),
    };
    for name in ["id", "link", "network_id"] {
        valid(item, name, any)?;
    }
    valid_if_given(item, "ip_address", family.host)?;
    valid_if_given(item, "netmask", family.mask)?;
    match item.get("routes") {
        None => Ok(()),
        Some(Value::Array(routes)) => each("routes", routes, |route| {
            valid(route, "gateway", family.gateway)?;
            valid(route, "netmask", family.mask)?;
            valid(route, "network", family.plain)?;
            services_of(route, family.host)
        }),
        Some(_) => Err("routes".to_owned()),
    }
}

fn services_of(route: &Value, host: fn(&str) -> bool) -> Result<(), At> {
    match route.get("services") {
        None => Ok(()),
        Some(Value::Array(items)) => each("services", items, |item| service(item, host)),
        Some(_) => Err("services".to_owned()),
    }
}

fn service(item: &Value, host: fn(&str) -> bool) -> Result<(), At> {
    valid(item, "address", host)?;
    valid(item, "type", |kind| kind == "dns")
}

fn is_ipv4(text: &str) -> bool {
    // Leading zeros are read as decimal here, which the standard library refuses.
    let octet = |part: &str| {
        (1..=3).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse::<u8>().is_ok()
    };
    text.split('.').count() == 4 && text.split('.').all(octet)
}

fn is_ipv4_mask(text: &str) -> bool {
    let mask = text.parse::<Ipv4Addr>().map(u32::from);
    // Ones, then zeros, and at least one zero or a full last octet.
    mask.is_ok_and(|mask| mask.leading_ones() + mask.trailing_zeros() == 32 && mask != u32::MAX)
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn is_ipv6_with_prefix(text: &str) -> bool {
    match text.split_once('/') {
        None => is_ipv6(text),
        Some((address, prefix)) => {
            is_ipv6(address)
                && (1..=2).contains(&prefix.len())
                && prefix.bytes().all(|b| b.is_ascii_digit())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn a_configuration_is_checked_to_the_leaves() {
        let right = json!({
            "links": [
                {"id": "eth0", "type": "phy", "ethernet_mac_address": "fa:16:3e:9c:bf:3d", "mtu": null},
                {"id": "v", "type": "vlan", "vlan_mac_address": "fa:16:3e:9c:bf:3d",
                 "vlan_link": "eth0", "vlan_id": 5},
            ],
            "networks": [{
                "id": "n", "link": "eth0", "network_id": "x", "type": "ipv4",
                "ip_address": "192.0.2.3", "netmask": "255.255.255.0",
                "routes": [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "192.0.2.1"}],
            }],
            "services": [{"type": "dns", "address": "2001:db8::1"}],
        });
        assert!(check(&right).is_ok());
        for (pointer, wrong) in [
            ("/links/0/type", json!("wifi")),
            ("/links/0/ethernet_mac_address", json!("fa:16")),
            ("/links/1/vlan_id", json!("5")),
            ("/networks/0/netmask", json!("255.0.255.0")),
            ("/networks/0/routes/0/gateway", json!("192.0.2.256")),
            ("/services/0/type", json!("ntp")),
            ("/services", json!({})),
        ] {
            let mut data = right.clone();
            *data.pointer_mut(pointer).unwrap() = wrong;
            let fault = check(&data).unwrap_err();
            let named = pointer.trim_start_matches('/');
            let parent = named.rsplit_once('/').map_or(named, |(parent, _)| parent);
            assert!(fault.message().contains(parent), "{pointer}: {fault}");
        }
    }
}
