use uuid::Uuid;

use super::{Books, Commit, Invariant};
use crate::model::AllocationState;
use crate::states::ProvisionState as S;

/// Every node is in a stable state, or is being worked on, or has a deadline or a reason.
pub(super) struct Reason;

impl Invariant for Reason {
    fn name(&self) -> &'static str {
        "every node rests, or has a deadline or a reason"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        let touched = commit.nodes.iter().map(|change| change.id);
        let touched = touched.chain(commit.locks.iter().map(|change| change.id));
        for id in touched {
            let Some(node) = books.nodes.get(&id) else {
                continue;
            };
            let held = books
                .locks
                .get(&id)
                .is_some_and(|lock| lock.holder.is_some());
            if held {
                continue;
            }
            let (name, state) = (books.name(id), node.provision_state);
            match books.flows.get(&id) {
                None if !at_rest(state) => {
                    return Err(format!("{name} is {state}, and nothing is recorded of it"));
                }
                Some(flow)
                    if flow.is_waiting() && flow.deadline.is_none() && flow.blocked.is_none() =>
                {
                    return Err(format!(
                        "{name} is {state} and waits without a reason or an end"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether nothing but a caller moves a node from here.
fn at_rest(state: S) -> bool {
    state.is_stable() || state.is_failure()
}

fn held_on_request(state: S) -> bool {
    matches!(state, S::CleanHold | S::DeployHold | S::ServiceHold)
}

/// Why an allocation does not rest, and of whom that is; `None` when all do.
pub(in crate::testing::fleet) fn adrift(books: &Books) -> Option<String> {
    let looking = |state: &AllocationState| *state == AllocationState::Allocating;
    let mut all = books.allocations.iter();
    let (id, allocation) = all.find(|(_, allocation)| looking(&allocation.state))?;
    let host = allocation.conductor.as_deref().unwrap_or("nobody");
    Some(format!("allocation {id} is looked for by {host}"))
}

/// Why a node does not rest; `None` when it does.
pub(in crate::testing::fleet) fn restless(books: &Books, id: Uuid) -> Option<String> {
    let Some(node) = books.nodes.get(&id) else {
        return Some("has not been enrolled".to_owned());
    };
    let state = node.provision_state;
    let lock = books.locks.get(&id).and_then(|lock| {
        let holder = lock.holder.as_ref()?;
        Some(format!(
            "held by {holder} for \"{}\"",
            lock.purpose.as_deref().unwrap_or_default()
        ))
    });
    let flow = books.flows.get(&id).map(|flow| {
        let waits = if flow.is_waiting() { "waits" } else { "runs" };
        let blocked = flow
            .blocked
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        format!("its {} {waits}: {blocked}", flow.kind)
    });
    let power = node
        .target_power_state
        .map(|to| format!("its power is going to be {to}"));
    let quiet = lock.is_none() && power.is_none();
    if quiet && (held_on_request(state) || (at_rest(state) && flow.is_none())) {
        return None;
    }
    let why: Vec<_> = [lock, flow, power].into_iter().flatten().collect();
    Some(format!("is {state}: {}", why.join(", ")))
}
