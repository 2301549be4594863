use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::machine::Machine;
use super::rule::{Fault, Verdict};
use super::{Completion, FakeOperation, FakeRule};
use crate::Error;
use crate::driver::{SharedTask, Task};
use crate::flow::{BlockedReason, Progress, Resume, StepProgress, Wait};
use crate::model::JsonMap;
use crate::states::{Health, PowerState, PowerTarget};
use crate::steps::Step;

/// What a family of fake interfaces does, and the fake machines behind it.
///
/// A handle: clones share everything, among interfaces and among conductors, as the BMCs of a
/// fleet are shared. It may be changed at any time. Without rules everything succeeds at once,
/// and a call costs one look at a flag.
///
/// ```
/// use ironic_core::Error;
/// use ironic_core::driver::fake::{FakeBehaviour, FakeOperation, FakeRule};
///
/// let behaviour = FakeBehaviour::new();
/// behaviour.add(
///     FakeRule::fails(FakeOperation::SetPowerState, Error::driver("fake", "no answer")).nth(2),
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct FakeBehaviour {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Whether there are rules, or calls are recorded: looked at before anything is locked.
    scripted: AtomicBool,
    script: Mutex<Script>,
    machines: Mutex<BTreeMap<Uuid, Machine>>,
}

#[derive(Debug, Default)]
struct Script {
    rules: BTreeMap<FakeOperation, Vec<FakeRule>>,
    calls: Option<BTreeMap<Uuid, Vec<FakeCall>>>,
}

/// A call that a fake machine got.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeCall {
    /// What was asked for.
    pub operation: FakeOperation,
    /// With what, for example `power on`; empty where there is nothing to say.
    pub argument: String,
}

impl FakeBehaviour {
    /// Machines that do everything at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule, which counts from here on.
    pub fn add(&self, rule: FakeRule) {
        let mut script = self.script();
        let rules = script.rules.entry(rule.operation()).or_default();
        rules.push(rule);
        self.inner.scripted.store(true, Ordering::Release);
    }

    /// Takes the rules about an operation away.
    pub fn clear(&self, operation: FakeOperation) {
        let mut script = self.script();
        script.rules.remove(&operation);
        let scripted = !script.rules.is_empty() || script.calls.is_some();
        self.inner.scripted.store(scripted, Ordering::Release);
    }

    /// Remembers every call from here on.
    pub fn record(&self) {
        self.script().calls.get_or_insert_default();
        self.inner.scripted.store(true, Ordering::Release);
    }

    /// The calls about a node since [`FakeBehaviour::record`], in their order.
    pub fn calls(&self, node: Uuid) -> Vec<FakeCall> {
        let script = self.script();
        let calls = script.calls.as_ref().and_then(|calls| calls.get(&node));
        calls.cloned().unwrap_or_default()
    }

    /// How often an operation was called since [`FakeBehaviour::record`], on all nodes.
    pub fn call_count(&self, operation: FakeOperation) -> usize {
        let script = self.script();
        let calls = script.calls.iter().flat_map(|calls| calls.values());
        calls
            .flatten()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// Whether a machine has power; `None` when nobody has set or asked for it yet.
    pub fn power_state(&self, node: Uuid) -> Option<PowerState> {
        self.machines().get(&node)?.power
    }

    /// Gives a machine power or takes it away, behind the back of its conductor.
    pub fn set_power_state(&self, node: Uuid, state: PowerState) {
        self.machines().entry(node).or_default().power = Some(state);
    }

    /// The firmware settings of a machine.
    pub fn bios_settings(&self, node: Uuid) -> BTreeMap<String, String> {
        let machines = self.machines();
        let machine = machines.get(&node);
        machine.map_or_else(BTreeMap::new, |machine| machine.bios.clone())
    }

    /// What a machine's sensors read, from here on.
    pub fn set_sensors(&self, node: Uuid, sensors: JsonMap) {
        self.machine(node, |machine| machine.sensors = sensors);
    }

    /// What a machine's BMC says of its health, from here on; at first it knows of none.
    pub fn set_health(&self, node: Uuid, health: Option<Health>) {
        self.machine(node, |machine| machine.health = Some(health));
    }

    /// Whether a machine's console runs.
    pub fn console_runs(&self, node: Uuid) -> bool {
        self.machines().get(&node).is_some_and(|m| m.console)
    }

    /// Forgets a machine, as when it has left the rack.
    pub fn forget(&self, node: Uuid) {
        self.machines().remove(&node);
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        let script = self.inner.script.lock();
        script.unwrap_or_else(PoisonError::into_inner)
    }

    fn machines(&self) -> MutexGuard<'_, BTreeMap<Uuid, Machine>> {
        let machines = self.inner.machines.lock();
        machines.unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the machine of a node.
    pub(super) fn machine<R>(&self, node: Uuid, with: impl FnOnce(&mut Machine) -> R) -> R {
        with(self.machines().entry(node).or_default())
    }

    /// Whether the machine has power: what was last set, else what the node was last seen with.
    pub(super) fn power(&self, task: &SharedTask) -> Option<PowerState> {
        self.power_state(task.node().uuid)
            .or(task.node().power_state)
    }

    pub(super) fn switch(&self, node: Uuid, target: PowerTarget) {
        self.set_power_state(node, target.result());
    }

    /// One call of an operation: recorded, as long as the rules say, and failing as they say.
    ///
    /// # Errors
    /// What a rule says.
    pub(super) async fn perform(
        &self,
        task: &SharedTask,
        operation: FakeOperation,
        argument: &(dyn Display + Sync),
    ) -> Result<Option<Completion>, Error> {
        if !self.inner.scripted.load(Ordering::Acquire) {
            return Ok(None);
        }
        let verdict = self.judge(task.node().uuid, operation, argument);
        for (least, most) in verdict.takes {
            tokio::time::sleep(pick(task, least, most)).await;
        }
        match verdict.fault {
            None => Ok(verdict.completion),
            Some(Fault::Fail(error)) => Err(error),
            Some(Fault::Panic(message)) => panic_as_told(operation, &message),
            Some(Fault::Hang) => std::future::pending().await,
        }
    }

    fn judge(
        &self,
        node: Uuid,
        operation: FakeOperation,
        argument: &(dyn Display + Sync),
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let mut script = self.script();
        if let Some(calls) = &mut script.calls {
            calls.entry(node).or_default().push(FakeCall {
                operation,
                argument: argument.to_string(),
            });
        }
        for rule in script.rules.get_mut(&operation).into_iter().flatten() {
            rule.judge(node, &mut verdict);
        }
        verdict
    }

    /// One call of an operation that ends at once.
    ///
    /// # Errors
    /// What a rule says.
    pub(super) async fn at_once(
        &self,
        task: &SharedTask,
        operation: FakeOperation,
    ) -> Result<(), Error> {
        self.perform(task, operation, &"").await.map(drop)
    }

    /// One call of an operation that need not end at once, and that is called again to see
    /// whether it has.
    ///
    /// # Errors
    /// What a rule says.
    pub(super) async fn progress(
        &self,
        task: &Task,
        operation: FakeOperation,
        argument: &(dyn Display + Sync),
    ) -> Result<Progress, Error> {
        let (node, generation) = (task.node().uuid, task.node().generation);
        match self.perform(task, operation, argument).await? {
            None => Ok(Progress::Done),
            Some(Completion::Heartbeat) => Ok(Progress::Wait(Wait::for_agent(operation.as_str()))),
            Some(Completion::Polls { times, every }) => {
                let ended = self.machine(node, |m| m.call_again(operation, generation, times));
                if ended {
                    return Ok(Progress::Done);
                }
                Ok(Progress::Wait(Wait {
                    why: BlockedReason::Hardware {
                        what: operation.to_string(),
                    },
                    deadline: None,
                    poll: Some(every),
                    resume: Resume::SameStep,
                }))
            }
        }
    }

    /// Runs a step.
    ///
    /// # Errors
    /// What a rule says.
    pub(super) async fn run_step(
        &self,
        task: &Task,
        operation: FakeOperation,
        step: &Step,
    ) -> Result<Progress, Error> {
        let (node, generation) = (task.node().uuid, task.node().generation);
        match self.perform(task, operation, step).await? {
            None => Ok(Progress::Done),
            Some(Completion::Heartbeat) => Ok(Progress::Wait(Wait::for_agent(step.to_string()))),
            Some(Completion::Polls { times, every }) => {
                self.machine(node, |m| m.begin(operation, generation, times));
                Ok(Progress::Wait(Wait::for_step(step, every)))
            }
        }
    }

    /// How far a step is: known of steps that wait to be asked, as long as the flow lasts.
    pub(super) fn step_progress(
        &self,
        task: &SharedTask,
        operation: FakeOperation,
    ) -> StepProgress {
        let generation = task.node().generation;
        self.machine(task.node().uuid, |m| m.ask(operation, generation))
    }
}

#[allow(clippy::panic, reason = "a test asked for a driver that panics")]
fn panic_as_told(operation: FakeOperation, message: &str) -> ! {
    panic!("{operation}: {message}")
}

/// A time between the two, with a triangular distribution that has its peak at the lesser.
fn pick(task: &SharedTask, least: Duration, most: Duration) -> Duration {
    let span = most.saturating_sub(least);
    if span.is_zero() {
        return least;
    }
    const STEPS: u64 = 1 << 32;
    #[allow(clippy::cast_precision_loss, reason = "both are below 2^53")]
    let uniform = task.entropy().below(STEPS) as f64 / STEPS as f64;
    least + span.mul_f64(1.0 - (1.0 - uniform).sqrt())
}
