//! What the interfaces that a ramdisk reports say: which there are, and which are the machine's
//! own (the original's hook `validate-interfaces`).

use serde_json::{Map, Value};

use crate::model::{MacAddress, is_loopback};

/// More interfaces than any machine has.
const MOST_INTERFACES: usize = 512;

/// The interfaces that an inventory tells of.
#[derive(Debug)]
pub(super) struct Interfaces {
    /// The address of the one that the ramdisk booted from.
    pxe: Option<MacAddress>,
    all: Map<String, Value>,
}

impl Interfaces {
    /// Reads the first 512 of them; what has no name or no address is none.
    pub(super) fn of(inventory: &Map<String, Value>) -> Self {
        let pxe = pxe_address(inventory);
        let all = all(inventory, pxe.as_ref());
        Self { pxe, all }
    }

    /// Those that come into question for ports, by name.
    fn valid(&self) -> impl Iterator<Item = (&String, &Value)> {
        let valid =
            |(name, interface): &(&String, &Value)| is_valid(name, interface, self.pxe.is_some());
        self.all.iter().filter(valid)
    }

    /// The addresses to make ports for.
    pub(super) fn addresses(&self) -> Vec<MacAddress> {
        let address =
            |(_, interface): (_, &Value)| interface.get("mac_address")?.as_str()?.parse().ok();
        self.valid().filter_map(address).collect()
    }

    /// Adds to what else a ramdisk has found its interfaces by name: all that are read, those
    /// that come into question for ports, and the addresses of these.
    pub(super) fn describe(self, plugin_data: &mut Map<String, Value>) {
        let valid: Map<_, _> = self
            .valid()
            .map(|(name, interface)| (name.clone(), interface.clone()))
            .collect();
        let address = |interface: &Value| interface.get("mac_address").cloned();
        let macs = valid.values().filter_map(address).collect();
        plugin_data.insert("macs".to_owned(), macs);
        plugin_data.insert("all_interfaces".to_owned(), self.all.into());
        plugin_data.insert("valid_interfaces".to_owned(), valid.into());
    }
}

/// The address of the interface that the ramdisk booted from; PXELINUX writes it with hyphens,
/// behind the type of the hardware.
fn pxe_address(inventory: &Map<String, Value>) -> Option<MacAddress> {
    let address = inventory.get("boot")?.get("pxe_interface")?.as_str()?;
    match address.split_once('-') {
        Some((_, address)) => address.replace('-', ":").parse().ok(),
        None => address.parse().ok(),
    }
}

fn all(inventory: &Map<String, Value>, pxe: Option<&MacAddress>) -> Map<String, Value> {
    let reported = inventory.get("interfaces").and_then(Value::as_array);
    let mut read = Map::new();
    let reported = reported.into_iter().flatten().take(MOST_INTERFACES);
    for interface in reported.filter_map(Value::as_object) {
        let text = |name: &str| interface.get(name).and_then(Value::as_str);
        let name = text("name").filter(|name| !name.is_empty());
        let address = text("mac_address").and_then(|mac| mac.parse::<MacAddress>().ok());
        let (Some(name), Some(address)) = (name, address) else {
            continue;
        };
        let mut interface = interface.clone();
        // Addresses of a link may name it behind a percent sign.
        let ipv6 = text("ipv6_address").map(|ip| ip.split('%').next().unwrap_or(ip));
        let ipv6 = ipv6.map_or(Value::Null, Value::from);
        interface.insert("ipv6_address".to_owned(), ipv6);
        let boots = pxe == Some(&address);
        interface.insert("pxe_enabled".to_owned(), boots.into());
        read.insert(name.to_owned(), interface.into());
    }
    read
}

/// Whether it is none that every machine has for itself, and where one is known to boot from the
/// network, that one.
fn is_valid(name: &str, interface: &Value, pxe_known: bool) -> bool {
    let ip = ["ipv4_address", "ipv6_address"]
        .iter()
        .filter_map(|field| interface.get(*field)?.as_str())
        .find(|ip| !ip.is_empty());
    let boots = interface.get("pxe_enabled") == Some(&Value::Bool(true));
    name != "lo" && !ip.is_some_and(is_loopback) && (boots || !pxe_known)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Interfaces, MOST_INTERFACES};

    fn described(inventory: &Value) -> Map<String, Value> {
        let mut found = Map::new();
        Interfaces::of(inventory.as_object().unwrap()).describe(&mut found);
        found
    }

    #[test]
    fn the_interface_that_booted_is_the_valid_one() {
        let found = described(&json!({
            "boot": {"pxe_interface": "01-52-54-00-12-34-56"},
            "interfaces": [
                {"name": "lo", "mac_address": "00:00:00:00:00:00", "ipv4_address": "127.0.0.1"},
                {"name": "a", "mac_address": "52:54:00:12:34:56", "ipv6_address": "fe80::1%a"},
                {"name": "b", "mac_address": "52:54:00:12:34:57"},
                {"name": "c", "mac_address": "nonsense"},
                {"mac_address": "52:54:00:12:34:58"},
                5,
            ],
        }));
        let names = |field: &str| {
            let interfaces = found[field].as_object().unwrap();
            interfaces.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names("all_interfaces"), ["a", "b", "lo"]);
        assert_eq!(names("valid_interfaces"), ["a"]);
        assert_eq!(found["macs"], json!(["52:54:00:12:34:56"]));
        assert_eq!(found["all_interfaces"]["a"]["ipv6_address"], "fe80::1");
        assert_eq!(found["all_interfaces"]["b"]["pxe_enabled"], false);
    }

    #[test]
    fn without_one_that_booted_all_but_loops_are_valid() {
        let found = described(&json!({
            "interfaces": [
                {"name": "lo", "mac_address": "00:00:00:00:00:00"},
                {"name": "a", "mac_address": "52:54:00:12:34:56", "ipv4_address": "127.0.0.2"},
                {"name": "b", "mac_address": "52:54:00:12:34:57"},
            ],
        }));
        assert_eq!(found["macs"], json!(["52:54:00:12:34:57"]));
        assert_eq!(described(&json!({}))["macs"], json!([]));
    }

    #[test]
    fn no_ramdisk_can_report_any_number_of_them() {
        let many = (0..2 * MOST_INTERFACES).map(|n| {
            json!({"name": format!("eth{n}"), "mac_address": format!("52:54:00:00:{:02x}:{:02x}", n >> 8, n & 255)})
        });
        let found = described(&json!({"interfaces": many.collect::<Vec<_>>()}));
        let count = |field: &str| found[field].as_object().unwrap().len();
        assert_eq!(count("all_interfaces"), MOST_INTERFACES);
        assert_eq!(count("valid_interfaces"), MOST_INTERFACES);
    }
}
