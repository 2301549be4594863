use std::{fmt, sync::Arc};

use super::{MachineEvent, MachineState, simulated::Inner};

/// Tells what happens in one run of a machine; nothing more once that run has lost its power.
pub(crate) struct Reporter {
    machine: Arc<Inner>,
    boot: u64,
}

impl Reporter {
    pub(super) fn new(machine: Arc<Inner>, boot: u64) -> Self {
        Self { machine, boot }
    }

    /// Tells an event.
    pub(crate) fn report(&self, event: MachineEvent) {
        self.machine.report(self.boot, event, None);
    }

    /// Tells an event with which the machine comes into another state.
    pub(super) fn enter(&self, state: MachineState, event: MachineEvent) {
        self.machine.report(self.boot, event, Some(state));
    }

    /// Logs what went wrong where the boot goes on.
    pub(crate) fn note(&self, error: &dyn fmt::Display) {
        tracing::warn!(machine = self.machine.name(), boot = self.boot, %error, "boot goes on");
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter")
            .field("machine", &self.machine.name())
            .field("boot", &self.boot)
            .finish()
    }
}
