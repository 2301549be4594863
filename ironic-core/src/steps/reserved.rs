use super::{Impact, Replay, Step, StepSource, UserStep};
use crate::model::JsonMap;
use crate::states::PowerTarget;

string_enum! {
    /// A step that belongs to the flow itself and that the conductor runs, whatever interface it
    /// is asked of; no interface's step has its name.
    pub enum ReservedStep("reserved step") {
        /// Switches the machine on.
        PowerOn = "power_on",
        /// Switches the machine off.
        PowerOff = "power_off",
        /// Restarts the machine.
        Reboot = "reboot",
        /// Stops until somebody says `unhold`.
        Hold = "hold",
        /// Stops for some seconds, or until the agent's next call.
        Wait = "wait",
    }
}

impl ReservedStep {
    /// What it does to power, if that is what it does.
    pub const fn power(self) -> Option<PowerTarget> {
        match self {
            Self::PowerOn => Some(PowerTarget::On),
            Self::PowerOff => Some(PowerTarget::Off),
            Self::Reboot => Some(PowerTarget::Reboot),
            Self::Hold | Self::Wait => None,
        }
    }

    /// The arguments that it takes.
    pub const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Wait => &["seconds"],
            _ => &[],
        }
    }

    /// The step as it is planned.
    pub(super) fn planned(self, user: &UserStep, args: JsonMap, priority: i64) -> Step {
        let impact = if self.power().is_some() {
            Impact::POWER
        } else {
            Impact::NONE
        };
        Step {
            interface: user.interface,
            step: user.step.clone(),
            args,
            priority,
            // It is over at once, or waits for an agent that may never call.
            abortable: true,
            requires_ramdisk: false,
            source: StepSource::Conductor,
            replay: Replay::Idempotent,
            impact,
            children: None,
        }
    }
}
