use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ReservedStep, StepName};
use crate::model::JsonMap;
use crate::states::InterfaceKind;

string_enum! {
    /// What may be done with a step, or any effect, that was begun but whose outcome is unknown
    /// because the conductor stopped.
    #[non_exhaustive]
    pub enum Replay("replay contract") {
        /// Running it again does no harm and gives the same result.
        Idempotent = "idempotent",
        /// Ask `step_progress` what became of it.
        Probe = "probe",
        /// It must not run twice, and nobody can tell: the flow fails.
        Never = "never",
    }
}

string_enum! {
    /// Who runs a step.
    #[non_exhaustive]
    pub enum StepSource("step source") {
        /// The interface itself, in the conductor.
        Driver = "driver",
        /// The ramdisk agent, on behalf of the interface.
        Agent = "agent",
        /// The conductor: the step is a reserved one.
        Conductor = "conductor",
    }
}

/// What a step does to the machine that cannot be undone or that others notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Data on the machine's disks is lost.
    pub erases_data: bool,
    /// The machine loses power or restarts.
    pub power_cycles: bool,
}

impl Impact {
    /// Nothing is lost and the machine stays up.
    pub const NONE: Self = Self {
        erases_data: false,
        power_cycles: false,
    };
    /// The machine restarts.
    pub const POWER: Self = Self {
        erases_data: false,
        power_cycles: true,
    };
    /// Data is lost.
    pub const ERASE: Self = Self {
        erases_data: true,
        power_cycles: false,
    };
}

/// A step that an interface offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepDef {
    /// The interface that offers it.
    pub interface: InterfaceKind,
    /// Its name.
    pub step: String,
    /// Where it runs in an automated flow: higher first, 0 only when asked for.
    pub priority: i64,
    /// The arguments it takes, each with whether it is required.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, bool>,
    /// Whether it may be aborted while it waits.
    pub abortable: bool,
    /// Whether the ramdisk has to be running.
    pub requires_ramdisk: bool,
    /// Who runs it.
    pub source: StepSource,
    /// What may be done after a crash.
    pub replay: Replay,
    /// What it does to the machine.
    pub impact: Impact,
}

impl StepDef {
    /// A step that the interface itself runs, without arguments, with the ramdisk running. What
    /// may be done after a crash, and what the step does to the machine, has no default.
    #[must_use]
    pub fn new(
        interface: InterfaceKind,
        step: &str,
        priority: i64,
        replay: Replay,
        impact: Impact,
    ) -> Self {
        Self {
            interface,
            step: step.to_owned(),
            priority,
            args: BTreeMap::new(),
            abortable: false,
            requires_ramdisk: true,
            source: StepSource::Driver,
            replay,
            impact,
        }
    }

    /// The same step, with an argument.
    #[must_use]
    pub fn arg(mut self, name: &str, required: bool) -> Self {
        self.args.insert(name.to_owned(), required);
        self
    }

    /// The same step, abortable while it waits.
    #[must_use]
    pub fn abortable(mut self) -> Self {
        self.abortable = true;
        self
    }

    /// The same step, without need of the ramdisk.
    #[must_use]
    pub fn without_ramdisk(mut self) -> Self {
        self.requires_ramdisk = false;
        self
    }

    /// The same step, run by the agent.
    #[must_use]
    pub fn by_agent(mut self) -> Self {
        self.source = StepSource::Agent;
        self
    }

    /// Its name in full.
    pub fn name(&self) -> StepName {
        StepName::new(self.interface, &self.step)
    }

    /// The step as it is planned.
    pub fn planned(&self, args: JsonMap) -> Step {
        Step {
            interface: self.interface,
            step: self.step.clone(),
            args,
            priority: self.priority,
            abortable: self.abortable,
            requires_ramdisk: self.requires_ramdisk,
            source: self.source,
            replay: self.replay,
            impact: self.impact,
            children: None,
        }
    }
}

/// A step in a plan.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// The interface that runs it.
    pub interface: InterfaceKind,
    /// Its name.
    pub step: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    pub args: JsonMap,
    /// Where it stands in the order: higher first.
    pub priority: i64,
    /// Whether it may be aborted while it waits.
    #[serde(default)]
    pub abortable: bool,
    /// Whether the ramdisk has to be running.
    #[serde(default)]
    pub requires_ramdisk: bool,
    /// Who runs it.
    pub source: StepSource,
    /// What may be done after a crash.
    pub replay: Replay,
    /// What it does to the machine.
    pub impact: Impact,
    /// For a step that runs on the node's children instead of the node: on which of them; none
    /// named stands for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Uuid>>,
}

masked_debug!(Step);

impl Step {
    /// Its name in full.
    pub fn name(&self) -> StepName {
        StepName::new(self.interface, &self.step)
    }

    /// The same step as it runs on each child.
    #[must_use]
    pub fn own(&self) -> Self {
        let reserved = self.step.parse::<ReservedStep>().is_ok();
        let source = if reserved {
            StepSource::Conductor
        } else {
            StepSource::Driver
        };
        Self {
            source,
            children: None,
            ..self.clone()
        }
    }

    /// The reserved step that it is, if the conductor runs it, on the node itself.
    pub fn reserved(&self) -> Option<ReservedStep> {
        match self.source {
            _ if self.children.is_some() => None,
            StepSource::Conductor => self.step.parse().ok(),
            StepSource::Driver | StepSource::Agent => None,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.interface, self.step)?;
        match &self.children {
            Some(_) => f.write_str(" on child nodes"),
            None => Ok(()),
        }
    }
}
