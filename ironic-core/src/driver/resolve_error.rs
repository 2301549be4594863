use crate::Error;
use crate::states::InterfaceKind;

/// Why a node's interfaces could not be found out. Each variant stands for one exception class of
/// the original, named in its description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The node's hardware type is not enabled (`DriverNotFound`).
    #[error(
        "hardware type {driver:?} could not be found: enabled are {}; add it to \
         enabled_hardware_types, or set the node's driver to one of these",
        list(enabled)
    )]
    DriverNotFound {
        /// What the node's `driver` says.
        driver: String,
        /// The hardware types that are enabled.
        enabled: Vec<String>,
    },
    /// Something is enabled that does not exist (`DriverNotFoundInEntrypoint`).
    #[error(
        "{what} {} could not be found: registered are {}; correct {option}",
        list(names),
        list(known)
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
        "{kind} interface {} is not enabled: enabled are {}; add it to \
         enabled_{kind}_interfaces, or set {} to one of these",
        quoted(name.as_deref()),
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
        "{kind} interface {name:?} does not work with hardware type {driver:?}: of what is \
         enabled, {} would; set the node's {kind}_interface to one of these",
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
}

impl ResolveError {
    /// Whether asking again could help: never, somebody has to change a name.
    pub fn is_retryable(&self) -> bool {
        false
    }
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
                format!(
                    "{driver} (enabled are {}; see enabled_hardware_types)",
                    list(enabled)
                ),
            ),
            ResolveError::NotRegistered {
                names,
                known,
                option,
                ..
            } => Self::not_found(
                "enabled driver or interface",
                format!(
                    "{} (registered are {}; see {option})",
                    list(names),
                    list(known)
                ),
            ),
            ResolveError::CannotLoad { .. } => Self::internal(error.to_string()),
            ResolveError::InterfaceNotEnabled { .. }
            | ResolveError::Incompatible { .. }
            | ResolveError::NoValidDefault { .. } => Self::invalid(error.to_string()),
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
                ["impi", "fake-hardware, ipmi", "enabled_hardware_types"],
            ),
            (
                ResolveError::NotRegistered {
                    what: "power interface".into(),
                    names: names(&["impitool"]),
                    known: names(&["fake", "ipmitool"]),
                    option: "enabled_power_interfaces".into(),
                },
                ErrorKind::NotFound,
                ["impitool", "fake, ipmitool", "enabled_power_interfaces"],
            ),
            (
                ResolveError::CannotLoad {
                    kind,
                    name: "autodetect".into(),
                    missing: names(&["ramdisk"]),
                    enabled: names(&["direct"]),
                },
                ErrorKind::Internal,
                ["autodetect", "ramdisk", "enabled_power_interfaces"],
            ),
            (
                ResolveError::InterfaceNotEnabled {
                    kind,
                    name: Some("agent".into()),
                    enabled: names(&["ipmitool"]),
                    by_default: true,
                },
                ErrorKind::InvalidParameter,
                ["agent", "ipmitool", "default_power_interface"],
            ),
            (
                ResolveError::Incompatible {
                    kind,
                    name: "redfish".into(),
                    driver: "ipmi".into(),
                    usable: names(&["ipmitool"]),
                },
                ErrorKind::InvalidParameter,
                ["redfish", "ipmitool", "the node's power_interface"],
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
                ["redfish", "supports ipmitool", "enabled_power_interfaces"],
            ),
        ];
        for (error, kind, words) in cases {
            let text = error.to_string();
            let converted = Error::from(error);
            assert_eq!(converted.kind(), kind, "{text}");
            for word in words {
                assert!(text.contains(word), "{text}: no {word}");
                assert!(
                    converted.to_string().contains(word),
                    "{converted}: no {word}"
                );
            }
        }
    }
}
