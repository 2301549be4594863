use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
use crate::states::InterfaceKind;

/// A step's name in full, written `interface.step`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepName {
    interface: InterfaceKind,
    step: String,
}

impl StepName {
    /// The name of the step `step` of an interface.
    pub fn new(interface: InterfaceKind, step: impl Into<String>) -> Self {
        Self {
            interface,
            step: step.into(),
        }
    }

    /// The interface that offers the step.
    pub const fn interface(&self) -> InterfaceKind {
        self.interface
    }

    /// The step's name within its interface.
    pub fn step(&self) -> &str {
        &self.step
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.interface, self.step)
    }
}

impl FromStr for StepName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('.').filter(|(_, step)| !step.is_empty());
        let named = parts.and_then(|(interface, step)| {
            Some(Self::new(interface.parse::<InterfaceKind>().ok()?, step))
        });
        named.ok_or_else(|| {
            let kinds: Vec<_> = InterfaceKind::ALL.iter().map(|k| k.as_str()).collect();
            Error::invalid(format!(
                "{text:?} is no step's name: that is interface.step, the interface one of {}",
                kinds.join(", ")
            ))
        })
    }
}

impl Serialize for StepName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StepName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::StepName;
    use crate::states::InterfaceKind;

    #[test]
    fn a_name_is_an_interface_and_a_step() {
        let name: StepName = "deploy.erase.devices".parse().unwrap();
        assert_eq!(name, StepName::new(InterfaceKind::Deploy, "erase.devices"));
        assert_eq!(
            (name.interface(), name.step()),
            (InterfaceKind::Deploy, "erase.devices")
        );
        assert_eq!(name.to_string(), "deploy.erase.devices");
        let text = serde_json::to_string(&name).unwrap();
        assert_eq!(serde_json::from_str::<StepName>(&text).unwrap(), name);
        for wrong in ["", "deploy", "deploy.", ".x", "nosuch.x", "Deploy.x"] {
            let error = wrong.parse::<StepName>().unwrap_err().to_string();
            assert!(error.contains("deploy"), "{wrong:?}: {error}");
            assert!(serde_json::from_str::<StepName>(&format!("{wrong:?}")).is_err());
        }
    }
}
