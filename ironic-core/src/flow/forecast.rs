//! What a part of a flow would do to a machine, as an interface foresees it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Wait;
use crate::model::Node;
use crate::states::{FlowKind, NetworkRole, PowerTarget};
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

/// What a forecast is made from.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Outlook<'a> {
    /// The node as it would be by then.
    pub node: &'a Node,
    /// The kind of flow.
    pub flow: FlowKind,
    /// The part of it.
    pub part: Part<'a>,
    /// Whether the ramdisk runs by then and would be used as it is, without another boot.
    pub ramdisk_runs: bool,
    /// Whether a ramdisk that is not needed any more is left running for the next flow.
    pub ramdisk_stays: bool,
    /// Whether the power interface can switch the machine off and on, rather than only restart
    /// it.
    pub switches_off: bool,
}

impl<'a> Outlook<'a> {
    /// For a machine without a ramdisk, whose power can be switched.
    pub fn new(node: &'a Node, flow: FlowKind, part: Part<'a>) -> Self {
        Self {
            node,
            flow,
            part,
            ramdisk_runs: false,
            ramdisk_stays: false,
            switches_off: true,
        }
    }
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
    /// Whether power that is not spoken of is left alone, whatever the step declares.
    pub complete: bool,
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

    /// The same, and nothing else is done to the machine's power.
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.complete = true;
        self
    }

    /// The same, and in the end it waits.
    #[must_use]
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = Some(wait);
        self
    }
}
