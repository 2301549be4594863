use std::collections::BTreeMap;

use super::FakeOperation;
use crate::driver::{Component, IndicatorState, VirtualMediaDevice};
use crate::flow::StepProgress;
use crate::model::JsonMap;
use crate::states::{BootMode, Health, PowerState};

/// What a fake machine is like, and what it is busy with.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) power: Option<PowerState>,
    pub(super) bios: BTreeMap<String, String>,
    pub(super) boot_mode: Option<BootMode>,
    pub(super) secure_boot: Option<bool>,
    pub(super) lights: BTreeMap<(Component, String), IndicatorState>,
    pub(super) media: BTreeMap<VirtualMediaDevice, String>,
    pub(super) sensors: JsonMap,
    /// `None` where the BMC does not know of health, `Some(None)` where it does not say.
    pub(super) health: Option<Option<Health>>,
    pub(super) console: bool,
    busy: BTreeMap<FakeOperation, Busy>,
}

#[derive(Debug)]
struct Busy {
    /// The flow that began it; what an earlier one began is over.
    generation: u64,
    /// How often it still runs when it is asked.
    left: u32,
}

impl Machine {
    /// A step begins.
    pub(super) fn begin(&mut self, operation: FakeOperation, generation: u64, times: u32) {
        let left = times;
        self.busy.insert(operation, Busy { generation, left });
    }

    /// A step is asked how far it is. One that has ended says so as often as it is asked: the
    /// answer may get lost on its way.
    pub(super) fn ask(&mut self, operation: FakeOperation, generation: u64) -> StepProgress {
        let busy = self.busy.get_mut(&operation);
        match busy.filter(|busy| busy.generation == generation) {
            None => StepProgress::NotStarted,
            Some(Busy { left: 0, .. }) => StepProgress::Done,
            Some(busy) => {
                busy.left -= 1;
                StepProgress::Running {
                    detail: String::new(),
                }
            }
        }
    }

    /// Something that is no step is called, for the first time or again: whether it has ended.
    pub(super) fn call_again(
        &mut self,
        operation: FakeOperation,
        generation: u64,
        times: u32,
    ) -> bool {
        match self.busy.get_mut(&operation) {
            Some(busy) if busy.generation == generation && busy.left == 0 => {
                self.busy.remove(&operation);
                true
            }
            Some(busy) if busy.generation == generation => {
                busy.left -= 1;
                false
            }
            _ if times == 0 => true,
            _ => {
                self.begin(operation, generation, times - 1);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FakeOperation, Machine, StepProgress};

    #[test]
    fn a_step_runs_as_often_as_told_and_stays_done() {
        let (mut machine, op) = (Machine::default(), FakeOperation::Deploy);
        assert_eq!(machine.ask(op, 1), StepProgress::NotStarted);
        machine.begin(op, 1, 2);
        for _ in 0..2 {
            assert!(matches!(machine.ask(op, 1), StepProgress::Running { .. }));
        }
        assert_eq!(machine.ask(op, 1), StepProgress::Done);
        assert_eq!(machine.ask(op, 1), StepProgress::Done);
        assert_eq!(machine.ask(op, 2), StepProgress::NotStarted);
    }

    #[test]
    fn what_is_called_again_ends_after_as_many_calls_and_begins_anew() {
        let (mut machine, op) = (Machine::default(), FakeOperation::PrepareDeploy);
        for _ in 0..2 {
            let ended: Vec<_> = (0..3).map(|_| machine.call_again(op, 1, 2)).collect();
            assert_eq!(ended, [false, false, true]);
        }
        assert!(!machine.call_again(op, 1, 2));
        assert!(!machine.call_again(op, 2, 2), "another flow begins anew");
        assert!(machine.call_again(op, 3, 0));
    }
}
