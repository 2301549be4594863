use std::time::Duration;

use serde_json::Value;

use super::{Decision, Rejected, View, fast_track};
use crate::Error;
use crate::config::Policy;
use crate::flow::{Blocked, BlockedReason, Effect, Flow, Resume, Wait, Waiting};
use crate::model::{HistoryEvent, Node, Severity};
use crate::notify;
use crate::runtime::Timestamp;
use crate::states::{Event, FlowKind, ProvisionState};
use crate::steps::{Replay, StepCatalog};

/// A decision in the making.
pub(super) struct Draft<'a> {
    view: View<'a>,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    /// Who asks, where somebody does.
    pub(super) user: Option<String>,
    pub(super) node: Node,
    pub(super) flow: Option<Flow>,
    history: Vec<HistoryEvent>,
    events: Vec<notify::Event>,
    effects: Vec<(u64, Effect)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(view: &View<'a>, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            view: *view,
            policy,
            now,
            user: None,
            node: view.node.clone(),
            flow: view.flow.cloned(),
            history: Vec::new(),
            events: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> Decision {
        // A change of power that is given up together with what it stood beside has no outcome.
        let switches = |flow: &Flow| {
            let mut pending = flow.pending.iter();
            pending.any(|pending| matches!(pending.effect, Effect::SetPower { .. }))
        };
        let given_up =
            self.view.flow.is_some_and(switches) && !self.flow.as_ref().is_some_and(switches);
        if given_up {
            self.node.target_power_state = None;
        }
        Decision {
            node: self.node,
            flow: self.flow,
            history: self.history,
            events: self.events,
            effects: self.effects,
        }
    }

    /// The steps that the node's interfaces offer for this kind of flow.
    pub(super) fn catalog(&self, kind: FlowKind) -> StepCatalog {
        let catalog = self.view.catalogs.of(&self.node, kind);
        match self.policy.priority_overrides(kind) {
            Some(overrides) => catalog.overridden(overrides),
            None => catalog,
        }
    }

    /// The flow, which has to be there.
    pub(super) fn flow_mut(&mut self) -> Result<&mut Flow, Rejected> {
        self.flow.as_mut().ok_or(Rejected::Stale)
    }

    /// Moves the node by an event of the transition table.
    pub(super) fn event(
        &mut self,
        event: Event,
        target: Option<ProvisionState>,
    ) -> Result<(), Rejected> {
        let from = self.node.provision_state;
        let previous_target = self.node.target_provision_state;
        let target = target.or_else(|| self.kept_target(event));
        let (to, target) = from
            .advance(event, self.node.target_provision_state, target)
            .map_err(|error| Error::internal(error.to_string()))?;
        self.node.provision_state = to;
        // A node that rests is not on its way.
        self.node.target_provision_state = target.filter(|_| !to.is_stable());
        self.node.provision_updated_at = Some(self.now);
        self.node.updated_at = Some(self.now);
        // A failed node keeps what went wrong until it is asked for something again.
        if !to.is_failure() && to != ProvisionState::Error && to != ProvisionState::Enroll {
            self.node.last_error = None;
        }
        self.events.push(notify::Event::ProvisionSet {
            by: event,
            from,
            previous_target,
            to,
            error: self.node.last_error.clone(),
        });
        Ok(())
    }

    /// Given clean steps are on their way to `manageable`, not to `available` as the table has it
    /// for cleaning: that outlives every wait, and tells them from automated ones.
    fn kept_target(&self, event: Event) -> Option<ProvisionState> {
        let within = matches!(
            event,
            Event::Wait | Event::Resume | Event::Hold | Event::Unhold | Event::Fail | Event::Abort
        );
        let cleaning = self
            .flow
            .as_ref()
            .is_some_and(|flow| flow.kind == FlowKind::Clean);
        self.node
            .target_provision_state
            .filter(|target| within && cleaning && *target == ProvisionState::Manageable)
    }

    /// The same, where the state takes the event: a flow that works in one state may wait in
    /// another, or, as verification, in the same.
    pub(super) fn event_if_taken(
        &mut self,
        event: Event,
        target: Option<ProvisionState>,
    ) -> Result<(), Rejected> {
        match self.node.provision_state.on(event) {
            Ok(_) => self.event(event, target),
            Err(_) => Ok(()),
        }
    }

    pub(super) fn tell(&mut self, event: notify::Event) {
        self.events.push(event);
    }

    pub(super) fn note(
        &mut self,
        severity: Severity,
        kind: FlowKind,
        code: &str,
        text: impl Into<String>,
    ) {
        self.chronicle(severity, activity(kind), code, text);
    }

    /// Puts an event of this type into the node's history.
    pub(super) fn chronicle(
        &mut self,
        severity: Severity,
        event_type: &str,
        code: &str,
        text: impl Into<String>,
    ) {
        let node = self.node.uuid;
        let event = HistoryEvent::new(node, severity, event_type, code, text);
        let mut event = event.met_by(self.view.node, self.now);
        event.user = self.asked_by();
        self.history.push(event);
    }

    /// Who has asked for what happens: now, or as the flow began.
    fn asked_by(&self) -> Option<String> {
        let began = || self.flow.as_ref()?.user.clone();
        self.user.clone().or_else(began)
    }

    /// Begins a new flow of the node; the effects of an earlier one are stale from here on.
    pub(super) fn begin_flow(&mut self, kind: FlowKind) -> &mut Flow {
        self.node.generation += 1;
        let mut flow = Flow::new(self.node.uuid, kind, self.node.generation, self.now);
        flow.user = self.asked_by();
        self.flow.insert(flow)
    }

    /// The flow is over, and with it everything that was pending.
    pub(super) fn end_flow(&mut self) {
        self.flow = None;
    }

    /// Begins an effect of the flow.
    pub(super) fn effect(&mut self, effect: Effect, replay: Replay) -> Result<(), Rejected> {
        let now = self.now;
        let flow = self.flow_mut()?;
        flow.blocked = None;
        flow.deadline = None;
        let seq = flow.begin(effect.clone(), replay, now);
        self.effects.push((seq, effect));
        Ok(())
    }

    /// Records an effect that has nothing to be carried out but stands still from the start.
    pub(super) fn stand(&mut self, effect: Effect, wait: &Wait) -> Result<(), Rejected> {
        let now = self.now;
        let seq = self.flow_mut()?.begin(effect, Replay::Idempotent, now);
        self.wait(seq, wait)
    }

    /// Keeps the node from everybody until somebody has looked at it, for this reason.
    pub(super) fn fault(&mut self, fault: &str, message: &str) {
        self.node.maintenance = true;
        self.node.fault = Some(fault.to_owned());
        self.node
            .maintenance_reason
            .get_or_insert_with(|| message.to_owned());
    }

    /// Carries an effect that is pending already out, again or for the first time.
    pub(super) fn carry_out(&mut self, seq: u64, effect: Effect) {
        self.effects.push((seq, effect));
    }

    /// Records that the effect `seq` waits.
    pub(super) fn wait(&mut self, seq: u64, wait: &Wait) -> Result<(), Rejected> {
        let (now, policy) = (self.now, self.policy);
        let flow = self.flow_mut()?;
        // What waits for its time or for a person is not given up.
        let ends_by_itself = matches!(wait.resume, Resume::NextStep | Resume::SameStep);
        let by_policy = Some(callback_timeout(flow.kind, policy))
            .filter(|timeout| ends_by_itself && wait.deadline.is_none() && !timeout.is_zero());
        let timeout = wait.deadline.or(by_policy);
        let until = timeout.map(|timeout| now.saturating_add(timeout));
        let mut waiting = Waiting::new(wait, now);
        if counts_from_calls(flow.kind) {
            let millis = |timeout: Duration| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            waiting.patience_ms = by_policy.map(millis);
        }
        let mut blocked = Blocked::new(wait.why.clone(), now, advice(&wait.why));
        blocked.until = until;
        blocked.next_attempt = waiting.poll_at;
        let pending = flow
            .pending
            .iter_mut()
            .find(|pending| pending.seq == seq)
            .ok_or(Rejected::Stale)?;
        pending.waiting = Some(waiting);
        flow.deadline = until;
        flow.blocked = Some(blocked);
        Ok(())
    }

    /// What waited runs again: its wait is over.
    pub(super) fn awake(&mut self, seq: u64) -> Result<Option<Resume>, Rejected> {
        let flow = self.flow_mut()?;
        flow.blocked = None;
        flow.deadline = None;
        Ok(flow
            .pending
            .iter_mut()
            .find(|pending| pending.seq == seq)
            .and_then(|pending| pending.waiting.take())
            .map(|waiting| waiting.resume))
    }

    /// Forgets the agent of a ramdisk that is not going to be used again.
    pub(super) fn leave_agent(&mut self) {
        if !fast_track::able(&self.node, self.policy) {
            return self.forget_agent();
        }
        // What it has last been told stays: its list of commands goes on from there.
        for key in AGENTS_STEPS {
            self.node.set_internal(key, Value::Null);
        }
    }

    /// Forgets what must not outlive the ramdisk that it came from.
    pub(super) fn forget_agent(&mut self) {
        self.node.forget_agent_steps();
        for key in [
            "agent_url",
            "agent_secret_token",
            "agent_secret_token_pregenerated",
            "agent_verify_ca",
            "agent_version",
            "agent_command",
        ] {
            self.node.set_internal(key, Value::Null);
        }
        for key in AGENTS_STEPS {
            self.node.set_internal(key, Value::Null);
        }
    }
}

/// What is remembered of an agent's steps.
const AGENTS_STEPS: [&str; 3] = [
    "agent_cached_deploy_steps",
    "agent_cached_clean_steps",
    "agent_cached_service_steps",
];

/// Whether the time for which a flow waits begins anew with each call of the agent: of one that
/// runs steps, as these may take long.
const fn counts_from_calls(kind: FlowKind) -> bool {
    matches!(kind, FlowKind::Clean | FlowKind::Deploy | FlowKind::Service)
}

/// How long a flow of this kind waits for its agent.
fn callback_timeout(kind: FlowKind, policy: &Policy) -> Duration {
    match kind {
        FlowKind::Clean => policy.clean_callback_timeout,
        FlowKind::Inspect => policy.inspect_wait_timeout,
        FlowKind::Rescue | FlowKind::Unrescue => policy.rescue_callback_timeout,
        FlowKind::Service => policy.service_callback_timeout,
        _ => policy.deploy_callback_timeout,
    }
}

/// What history calls the activity (the original's event types).
fn activity(kind: FlowKind) -> &'static str {
    match kind {
        FlowKind::Verify => "verify",
        FlowKind::Inspect => "introspection",
        FlowKind::Clean => "cleaning",
        FlowKind::Deploy => "deploying",
        FlowKind::TearDown => "unprovision",
        FlowKind::Service => "servicing",
        FlowKind::Rescue | FlowKind::Unrescue => "rescue",
        FlowKind::Adopt => "adoption",
        FlowKind::Power => "power",
    }
}

fn advice(reason: &BlockedReason) -> &'static str {
    match reason {
        BlockedReason::Agent { .. } => {
            "see the machine's console: it should boot the ramdisk and reach the API; abort to give up"
        }
        BlockedReason::Step { .. } | BlockedReason::Hardware { .. } => "wait, or abort to give up",
        BlockedReason::Hold => "unhold to go on, or abort to give up",
        _ => "see last_error",
    }
}
