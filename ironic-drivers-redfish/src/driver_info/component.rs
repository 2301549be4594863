//! Firmware components.

/// The kind of a firmware component that an update names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FirmwareComponentType {
    /// `bios`.
    Bios,
    /// `bmc`.
    Bmc,
    /// `nic:` and the name of an adapter.
    Nic,
}

impl FirmwareComponentType {
    /// The kind of `component`; `None` for what cannot be updated.
    pub fn of(component: &str) -> Option<Self> {
        match component {
            "bios" => Some(Self::Bios),
            "bmc" => Some(Self::Bmc),
            other => other.starts_with("nic:").then_some(Self::Nic),
        }
    }

    /// The name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Bmc => "bmc",
            Self::Nic => "nic",
        }
    }
}
