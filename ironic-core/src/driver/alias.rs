use std::collections::BTreeMap;

use crate::states::InterfaceKind;

/// One of the fixed compositions by which nodes named their drivers before there were hardware
/// types (`pxe_ipmitool`, `agent_ipmitool`, …), as a hardware type with interfaces that cannot be
/// chosen.
///
/// A node with `driver: pxe_ipmitool` works as one with `driver: ipmi` does whose interfaces were
/// set to those of the composition; of the kinds that it leaves open the node has what it chooses,
/// or what the hardware type gets by default. Some of the old interfaces are gone (deployment over
/// iSCSI, consoles by shellinabox): the composition has what came in their place.
///
/// Old names are not enabled by what enables hardware types:
/// [`RegistryBuilder::enable_aliases`](super::RegistryBuilder::enable_aliases) does that, as the
/// old option `enabled_drivers` did. Their interfaces need not be enabled besides.
///
/// To move a node to its hardware type, set `driver` to it: its interfaces are recorded in the
/// node and stay what they are.
///
/// | old driver | hardware type | boot | deploy | power, management | console | raid |
/// | --- | --- | --- | --- | --- | --- | --- |
/// | `pxe_ipmitool`, `agent_ipmitool`, with or without `_socat`; `pxe_ipminative`, `agent_pyghmi` | `ipmi` | `pxe` | `direct` | `ipmitool` | `ipmitool-socat`, else `no-console` | `agent`, else `no-raid` |
/// | `fake`, `fake_soft_power` | `fake-hardware` | `fake` | `fake` | `fake` | `fake` | `fake` |
/// | `fake_agent`, `fake_pxe` | `fake-hardware` | `pxe` | `direct` | `fake` | open | `agent`, else `no-raid`; open |
/// | `fake_ipmitool`, with or without `_socat`; `fake_ipminative` | `fake-hardware` | `fake` | `fake` | `ipmitool` | `ipmitool-socat`, else `no-console` | open |
///
/// The drivers of machines that nothing here reaches have no alias; what enables or names one of
/// them is refused with what to use instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct DriverAlias {
    pub(super) name: String,
    pub(super) hardware_type: String,
    pub(super) fixed: BTreeMap<InterfaceKind, Vec<String>>,
}

impl DriverAlias {
    /// The old name of a hardware type, with every interface open.
    pub fn new(name: impl Into<String>, hardware_type: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            hardware_type: hardware_type.into(),
            fixed: BTreeMap::new(),
        }
    }

    /// The same, with this interface of a kind: the first of these names that is registered.
    pub fn fixed<S: Into<String>>(
        mut self,
        kind: InterfaceKind,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        self.fixed.insert(kind, names);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hardware type that it stands for.
    pub fn hardware_type(&self) -> &str {
        &self.hardware_type
    }
}

/// What to use instead of a driver of before there were hardware types that has no alias here.
pub(super) fn successor(name: &str) -> Option<&'static str> {
    // Families of names: the interfaces came first, the machines after them.
    let (family, rest) = name.split_once('_')?;
    let machine = match (family, rest) {
        ("pxe" | "agent" | "fake" | "iscsi", machine) => machine,
        _ => return None,
    };
    let machine = machine.strip_prefix("pxe_").unwrap_or(machine);
    Some(match machine {
        "ssh" | "vbox" | "libvirt" => {
            "virtual machines have a virtual BMC now: use hardware type ipmi"
        }
        "ilo" | "drac" | "drac_inspector" | "irmc" | "ucs" | "iscsi_cimc" | "agent_cimc"
        | "cimc" | "oneview" | "seamicro" | "amt" => {
            "use hardware type redfish, or ipmi where the BMC has no Redfish"
        }
        "snmp" | "iboot" | "wol" => {
            "nothing here switches power outlets: use hardware type manual-management"
        }
        "ipmitool" | "ipmitool_socat" | "ipminative" | "pyghmi" => {
            "add it to enabled_drivers, or use hardware type ipmi with boot interface pxe"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::successor;

    #[test]
    fn old_names_have_a_successor() {
        for (name, word) in [
            ("pxe_ssh", "ipmi"),
            ("agent_ssh", "virtual BMC"),
            ("iscsi_ilo", "redfish"),
            ("agent_pxe_oneview", "redfish"),
            ("pxe_iscsi_cimc", "redfish"),
            ("pxe_snmp", "manual-management"),
            ("agent_ipmitool_socat", "enabled_drivers"),
        ] {
            assert!(successor(name).unwrap().contains(word), "{name}");
        }
        for name in ["", "ssh", "pxe", "pxe_", "ipmi", "other_ssh", "pxe_nosuch"] {
            assert_eq!(successor(name), None, "{name}");
        }
    }
}
