//! What a part of a flow would do to a machine, as an interface foresees it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Wait;
use crate::states::{NetworkRole, PowerTarget};
use crate::steps::Step;

/// Which part of a flow is foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part<'a> {
    /// What comes before the steps, or where there are none, all of it.
    Prepare,
    /// A step.
    Step(&'a Step),
    /// What comes after the steps, once they have succeeded.
    Finish,
}

/// Something done to a machine, or to what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deed {
    /// Its power is switched, unless it is as wanted already.
    Power {
        /// To what.
        target: PowerTarget,
    },
    /// Its ports are connected.
    Connect {
        /// What for.
        role: NetworkRole,
    },
    /// Its ports are cut off.
    Disconnect {
        /// From what.
        role: NetworkRole,
    },
    /// Its next boot starts the ramdisk.
    BootRamdisk,
    /// Its next and later boots start the instance.
    BootInstance,
    /// Its agent is told to do something.
    TellAgent {
        /// What.
        command: String,
    },
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Power { target } => match target {
                PowerTarget::On => f.write_str("power on"),
                PowerTarget::Off => f.write_str("power off"),
                PowerTarget::Reboot => f.write_str("reboot"),
                PowerTarget::SoftOff => f.write_str("ask the operating system to shut down"),
                PowerTarget::SoftReboot => f.write_str("ask the operating system to reboot"),
            },
            Self::Connect { role } => write!(f, "join the {role} network"),
            Self::Disconnect { role } => write!(f, "leave the {role} network"),
            Self::BootRamdisk => f.write_str("let the next boot start the ramdisk"),
            Self::BootInstance => f.write_str("let the next boots start the instance"),
            Self::TellAgent { command } => write!(f, "tell the agent: {command}"),
        }
    }
}

/// What a part of a flow would do, in order, and what it would then wait for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forecast {
    /// What would be done.
    pub deeds: Vec<Deed>,
    /// What it would answer: that it waits, or by default that it is done.
    pub wait: Option<Wait>,
}

impl Forecast {
    /// The same, and then this deed.
    #[must_use]
    pub fn then(mut self, deed: Deed) -> Self {
        self.deeds.push(deed);
        self
    }

    /// The same, and then power is switched.
    #[must_use]
    pub fn power(self, target: PowerTarget) -> Self {
        self.then(Deed::Power { target })
    }

    /// The same, and then the machine is connected.
    #[must_use]
    pub fn connect(self, role: NetworkRole) -> Self {
        self.then(Deed::Connect { role })
    }

    /// The same, and then the machine is cut off.
    #[must_use]
    pub fn disconnect(self, role: NetworkRole) -> Self {
        self.then(Deed::Disconnect { role })
    }

    /// The same, and in the end it waits.
    #[must_use]
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = Some(wait);
        self
    }
}
