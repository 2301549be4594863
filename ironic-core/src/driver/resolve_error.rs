use super::alias::successor;
use super::similar::similar;
use crate::Error;
use crate::states::InterfaceKind;

/// Why a node's interfaces could not be found out. Each variant stands for one exception class of
/// the original, named in its description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The node's hardware type is not enabled (`DriverNotFound`).
    #[error(
        "hardware type {driver:?} could not be found: {}",
        instead_of_driver(driver, enabled)
    )]
    DriverNotFound {
        /// What the node's `driver` says.
        driver: String,
        /// The hardware types that are enabled.
        enabled: Vec<String>,
    },
    /// Something is enabled that does not exist (`DriverNotFoundInEntrypoint`).
    #[error(
        "{what} {} could not be found: {}",
        list(names),
        instead_of_names(names, known, option)
    )]
    NotRegistered {
        /// What sort of thing, for example `power interface`.
        what: String,
        /// The names that nothing has.
        names: Vec<String>,
        /// The names that could be used.
        known: Vec<String>,
        /// The setting at fault.
        option: String,
    },
    /// An interface is enabled without others that it requires (`DriverLoadError`).
    #[error(
        "{kind} interface {name:?} cannot be used: it requires {}, and enabled_{kind}_interfaces \
         lists {}; add what is missing",
        list(missing),
        list(enabled)
    )]
    CannotLoad {
        /// Which sort of interface.
        kind: InterfaceKind,
        /// The interface that requires others.
        name: String,
        /// The interfaces that it misses.
        missing: Vec<String>,
        /// What is enabled.
        enabled: Vec<String>,
    },
    /// The interface that the node or the configuration names is not enabled
    /// (`InterfaceNotFoundInEntrypoint`).
    #[error(
        "{kind} interface {} is not enabled{}: enabled are {}; add it to \
         enabled_{kind}_interfaces, or set {} to one of these",
        quoted(name.as_deref()),
        meant(name.as_deref(), enabled),
        list(enabled),
        setting(*kind, *by_default)
    )]
    InterfaceNotEnabled {
        /// Which sort of interface.
        kind: InterfaceKind,
        /// What was named; `None` when nothing was.
        name: Option<String>,
        /// What is enabled.
        enabled: Vec<String>,
        /// Whether the configuration named it, and not the node.
        by_default: bool,
    },
    /// The interface that the node names does not work on its hardware type
    /// (`IncompatibleInterface`).
    #[error(
        "{kind} interface {name:?} does not work with hardware type {driver:?}{}: of what is \
         enabled, {} would; set the node's {kind}_interface to one of these",
        meant(Some(name), usable),
        list(usable)
    )]
    Incompatible {
        /// Which sort of interface.
        kind: InterfaceKind,
        /// What the node names.
        name: String,
        /// The node's hardware type.
        driver: String,
        /// What is enabled and works on it.
        usable: Vec<String>,
    },
    /// The node names no interface, and nothing that is enabled or preferred works on its
    /// hardware type (`NoValidDefaultForInterface`).
    #[error("{}", no_default(*kind, driver, preferred.as_deref(), enabled, supported))]
    NoValidDefault {
        /// Which sort of interface.
        kind: InterfaceKind,
        /// The node's hardware type.
        driver: String,
        /// What the configuration prefers.
        preferred: Option<String>,
        /// What is enabled.
        enabled: Vec<String>,
        /// What would work on it.
        supported: Vec<String>,
    },
    /// The node names other interfaces than those that its driver, an old name of a hardware
    /// type, is made of (`MustBeNone`).
    #[error(
        "driver {driver:?} is made of fixed interfaces: {}; leave these out, or set the node's \
         driver to hardware type {hardware_type:?}, on which they can be chosen",
        contradicted(contradictions)
    )]
    Fixed {
        /// What the node's `driver` says.
        driver: String,
        /// The hardware type that this stands for.
        hardware_type: String,
        /// Which sorts of interface, each with what the node names and what it has.
        contradictions: Vec<(InterfaceKind, String, String)>,
    },
}

impl ResolveError {
    /// Whether asking again could help: never, somebody has to change a name.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

/// A question after a name that is nearly one of these.
fn meant(name: Option<&str>, candidates: &[String]) -> String {
    let near = name.and_then(|name| similar(name, candidates));
    near.map_or_else(String::new, |near| format!(" (did you mean {near:?}?)"))
}

/// What to do about a driver that is not enabled.
fn instead_of_driver(driver: &str, enabled: &[String]) -> String {
    let enabled_are = list(enabled);
    match (successor(driver), similar(driver, enabled)) {
        (_, Some(near)) => format!(
            "did you mean {near:?}? enabled are {enabled_are}; add it to \
             enabled_hardware_types, or set the node's driver to one of these"
        ),
        (Some(instead), None) => format!(
            "it is a driver of before there were hardware types; {instead}; enabled are \
             {enabled_are}, see enabled_hardware_types"
        ),
        (None, None) => format!(
            "enabled are {enabled_are}; add it to enabled_hardware_types, or set the node's \
             driver to one of these"
        ),
    }
}

/// What to do about names of which nothing is registered.
fn instead_of_names(names: &[String], known: &[String], option: &str) -> String {
    let hints = names.iter().filter_map(|name| {
        let near = similar(name, known).map(|near| format!("did you mean {near:?}? "));
        near.or_else(|| Some(format!("instead of {name}, {}; ", successor(name)?)))
    });
    let hints: String = hints.collect();
    format!("{hints}registered are {}; correct {option}", list(known))
}

fn contradicted(contradictions: &[(InterfaceKind, String, String)]) -> String {
    let shown = contradictions.iter().map(|(kind, named, fixed)| {
        format!("{kind}_interface is {fixed:?} and cannot be {named:?}")
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn quoted(name: Option<&str>) -> String {
    name.map_or_else(|| "(none given)".to_owned(), |name| format!("{name:?}"))
}

fn setting(kind: InterfaceKind, by_default: bool) -> String {
    if by_default {
        format!("default_{kind}_interface")
    } else {
        format!("the node's {kind}_interface")
    }
}

fn no_default(
    kind: InterfaceKind,
    driver: &str,
    preferred: Option<&str>,
    enabled: &[String],
    supported: &[String],
) -> String {
    let supported = list(supported);
    match preferred {
        Some(name) => format!(
            "default_{kind}_interface {name:?} does not work with hardware type {driver:?}, which \
             supports {supported}; change that default, or set the node's {kind}_interface"
        ),
        None => format!(
            "no {kind} interface that is enabled ({}) works with hardware type {driver:?}, which \
             supports {supported}; add one of these to enabled_{kind}_interfaces",
            list(enabled)
        ),
    }
}

impl From<ResolveError> for Error {
    /// Keeps the HTTP status of the original's class: 404, 400 or 500.
    fn from(error: ResolveError) -> Self {
        match &error {
            ResolveError::DriverNotFound { driver, enabled } => Self::not_found(
                "hardware type",
                format!("{driver} ({})", instead_of_driver(driver, enabled)),
            ),
            ResolveError::NotRegistered {
                what,
                names,
                known,
                option,
            } => {
                let instead = instead_of_names(names, known, option);
                Self::not_found("enabled", format!("{what} {} ({instead})", list(names)))
            }
            ResolveError::CannotLoad { .. } => Self::internal(error.to_string()),
            ResolveError::InterfaceNotEnabled { .. }
            | ResolveError::Incompatible { .. }
            | ResolveError::NoValidDefault { .. }
            | ResolveError::Fixed { .. } => Self::invalid(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ResolveError;
    use crate::error::{Error, ErrorKind};
    use crate::states::InterfaceKind;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_message_says_what_is_wrong_what_there_is_and_what_to_set() {
        let kind = InterfaceKind::Power;
        let cases = [
            (
                ResolveError::DriverNotFound {
                    driver: "impi".into(),
                    enabled: names(&["fake-hardware", "ipmi"]),
                },
                ErrorKind::NotFound,
                "hardware type \"impi\" could not be found: did you mean \"ipmi\"? enabled are \
                 fake-hardware, ipmi; add it to enabled_hardware_types, or set the node's driver \
                 to one of these",
            ),
            (
                ResolveError::DriverNotFound {
                    driver: "pxe_ssh".into(),
                    enabled: names(&["ipmi"]),
                },
                ErrorKind::NotFound,
                "hardware type \"pxe_ssh\" could not be found: it is a driver of before there \
                 were hardware types; virtual machines have a virtual BMC now: use hardware type \
                 ipmi; enabled are ipmi, see enabled_hardware_types",
            ),
            (
                ResolveError::DriverNotFound {
                    driver: "snmp".into(),
                    enabled: names(&["ipmi"]),
                },
                ErrorKind::NotFound,
                "hardware type \"snmp\" could not be found: enabled are ipmi; add it to \
                 enabled_hardware_types, or set the node's driver to one of these",
            ),
            (
                ResolveError::NotRegistered {
                    what: "power interface".into(),
                    names: names(&["impitool", "other"]),
                    known: names(&["fake", "ipmitool"]),
                    option: "enabled_power_interfaces".into(),
                },
                ErrorKind::NotFound,
                "power interface impitool, other could not be found: did you mean \"ipmitool\"? \
                 registered are fake, ipmitool; correct enabled_power_interfaces",
            ),
            (
                ResolveError::NotRegistered {
                    what: "driver".into(),
                    names: names(&["pxe_ilo"]),
                    known: names(&["pxe_ipmitool"]),
                    option: "enabled_drivers".into(),
                },
                ErrorKind::NotFound,
                "driver pxe_ilo could not be found: instead of pxe_ilo, use hardware type \
                 redfish, or ipmi where the BMC has no Redfish; registered are pxe_ipmitool; \
                 correct enabled_drivers",
            ),
            (
                ResolveError::CannotLoad {
                    kind,
                    name: "autodetect".into(),
                    missing: names(&["ramdisk"]),
                    enabled: names(&["direct"]),
                },
                ErrorKind::Internal,
                "power interface \"autodetect\" cannot be used: it requires ramdisk, and \
                 enabled_power_interfaces lists direct; add what is missing",
            ),
            (
                ResolveError::InterfaceNotEnabled {
                    kind,
                    name: Some("ipmitol".into()),
                    enabled: names(&["ipmitool"]),
                    by_default: true,
                },
                ErrorKind::InvalidParameter,
                "power interface \"ipmitol\" is not enabled (did you mean \"ipmitool\"?): enabled \
                 are ipmitool; add it to enabled_power_interfaces, or set default_power_interface \
                 to one of these",
            ),
            (
                ResolveError::InterfaceNotEnabled {
                    kind,
                    name: None,
                    enabled: names(&[]),
                    by_default: false,
                },
                ErrorKind::InvalidParameter,
                "power interface (none given) is not enabled: enabled are none; add it to \
                 enabled_power_interfaces, or set the node's power_interface to one of these",
            ),
            (
                ResolveError::Incompatible {
                    kind,
                    name: "redfish".into(),
                    driver: "ipmi".into(),
                    usable: names(&["ipmitool"]),
                },
                ErrorKind::InvalidParameter,
                "power interface \"redfish\" does not work with hardware type \"ipmi\": of what is \
                 enabled, ipmitool would; set the node's power_interface to one of these",
            ),
            (
                ResolveError::NoValidDefault {
                    kind,
                    driver: "ipmi".into(),
                    preferred: None,
                    enabled: names(&["redfish"]),
                    supported: names(&["ipmitool"]),
                },
                ErrorKind::InvalidParameter,
                "no power interface that is enabled (redfish) works with hardware type \"ipmi\", \
                 which supports ipmitool; add one of these to enabled_power_interfaces",
            ),
            (
                ResolveError::NoValidDefault {
                    kind,
                    driver: "ipmi".into(),
                    preferred: Some("redfish".into()),
                    enabled: names(&["redfish"]),
                    supported: names(&["ipmitool"]),
                },
                ErrorKind::InvalidParameter,
                "default_power_interface \"redfish\" does not work with hardware type \"ipmi\", \
                 which supports ipmitool; change that default, or set the node's power_interface",
            ),
            (
                ResolveError::Fixed {
                    driver: "pxe_ipmitool".into(),
                    hardware_type: "ipmi".into(),
                    contradictions: vec![(kind, "redfish".into(), "ipmitool".into())],
                },
                ErrorKind::InvalidParameter,
                "driver \"pxe_ipmitool\" is made of fixed interfaces: power_interface is \
                 \"ipmitool\" and cannot be \"redfish\"; leave these out, or set the node's driver \
                 to hardware type \"ipmi\", on which they can be chosen",
            ),
        ];
        for (error, kind, text) in cases {
            assert_eq!(error.to_string(), text);
            assert!(!error.is_retryable());
            let converted = Error::from(error.clone());
            assert_eq!(converted.kind(), kind, "{text}");
            // All that the text says after its colon, whatever the frame of the class.
            let told = text.split_once("found: ").map_or(text, |(_, told)| told);
            assert!(
                converted.to_string().contains(told),
                "{converted}: no {told}"
            );
        }
    }
}
