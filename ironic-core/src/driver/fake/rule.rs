use std::time::Duration;

use uuid::Uuid;

use super::FakeOperation;
use crate::Error;

/// What a fake machine does differently when it is asked for something, and when.
///
/// A rule counts the calls that it is about, from 1, and applies to those that it was told to;
/// unless told, to all of them, on all nodes.
#[derive(Debug, Clone)]
#[must_use = "a rule does nothing until a behaviour has it"]
pub struct FakeRule {
    operation: FakeOperation,
    node: Option<Uuid>,
    first: u64,
    last: u64,
    seen: u64,
    effect: Effect,
}

#[derive(Debug, Clone)]
enum Effect {
    Take(Duration, Duration),
    Fault(Fault),
    Complete(Completion),
}

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    Fail(Error),
    Panic(String),
    Hang,
}

/// How something ends that does not end at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Completion {
    /// After having been asked so many times how far it is.
    Polls {
        /// How often it still runs when it is asked.
        times: u32,
        /// How often it wants to be asked.
        every: Duration,
    },
    /// When the node's agent calls.
    Heartbeat,
}

/// What the rules say about one call.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) takes: Vec<(Duration, Duration)>,
    pub(super) fault: Option<Fault>,
    pub(super) completion: Option<Completion>,
}

impl FakeRule {
    fn new(operation: FakeOperation, effect: Effect) -> Self {
        Self {
            operation,
            node: None,
            first: 1,
            last: u64::MAX,
            seen: 0,
            effect,
        }
    }

    /// The operation takes this long.
    pub fn takes(operation: FakeOperation, time: Duration) -> Self {
        Self::takes_between(operation, time, time)
    }

    /// The operation takes this long: any time in between, the shorter the more likely.
    pub fn takes_between(operation: FakeOperation, least: Duration, most: Duration) -> Self {
        Self::new(operation, Effect::Take(least, most.max(least)))
    }

    /// The operation fails.
    pub fn fails(operation: FakeOperation, error: Error) -> Self {
        Self::new(operation, Effect::Fault(Fault::Fail(error)))
    }

    /// The operation panics, as a driver with a defect does.
    pub fn panics(operation: FakeOperation, message: impl Into<String>) -> Self {
        Self::new(operation, Effect::Fault(Fault::Panic(message.into())))
    }

    /// The operation never returns, as a driver with a defect does not.
    pub fn hangs(operation: FakeOperation) -> Self {
        Self::new(operation, Effect::Fault(Fault::Hang))
    }

    /// The operation does not end at once. Only steps and what answers
    /// [`Progress`](crate::flow::Progress) can do that; with others the rule does nothing.
    pub fn completes(operation: FakeOperation, completion: Completion) -> Self {
        Self::new(operation, Effect::Complete(completion))
    }

    /// Only on this node; the calls of others are not counted.
    pub fn on(mut self, node: Uuid) -> Self {
        self.node = Some(node);
        self
    }

    /// Only the call of this number, counted from 1.
    pub fn nth(mut self, call: u64) -> Self {
        (self.first, self.last) = (call, call);
        self
    }

    /// Only the first so many calls.
    pub fn first(mut self, calls: u64) -> Self {
        (self.first, self.last) = (1, calls);
        self
    }

    pub(super) fn operation(&self) -> FakeOperation {
        self.operation
    }

    /// Adds to the verdict on a call, if the rule is about it. Of several faults the first rule's
    /// counts, of several completions the last one's.
    pub(super) fn judge(&mut self, node: Uuid, verdict: &mut Verdict) {
        if self.node.is_some_and(|on| on != node) {
            return;
        }
        self.seen += 1;
        if !(self.first..=self.last).contains(&self.seen) {
            return;
        }
        match &self.effect {
            Effect::Take(least, most) => verdict.takes.push((*least, *most)),
            Effect::Fault(fault) => {
                verdict.fault.get_or_insert_with(|| fault.clone());
            }
            Effect::Complete(completion) => verdict.completion = Some(*completion),
        }
    }
}
