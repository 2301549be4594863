use super::{Books, Commit, Invariant};
use crate::notify::{Event, Notification};
use crate::states::{self, ProvisionState, TRANSITIONS};

/// `provision_state` follows the transition table, in the hands of whoever holds the node, and
/// generations only rise.
pub(super) struct Table;

impl Invariant for Table {
    fn name(&self) -> &'static str {
        "provision_state follows the table"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        for change in &commit.nodes {
            let (Some(before), Some(after)) = (&change.before, &change.after) else {
                continue;
            };
            let name = books.name(change.id);
            let (from, to) = (before.provision_state, after.provision_state);
            if after.generation < before.generation {
                return Err(format!(
                    "{name} went back from generation {} to {}",
                    before.generation, after.generation
                ));
            }
            if from == to && before.generation == after.generation {
                continue;
            }
            if commit.fence.is_none_or(|fence| fence.node != change.id) {
                return Err(format!("{name} went from {from} to {to} without its lock"));
            }
            if from != to && !within_two(from, to) {
                return Err(format!(
                    "{name} went from {from} to {to}, where no decision leads"
                ));
            }
        }
        for change in &commit.flows {
            let Some(flow) = &change.after else { continue };
            let generation = books.nodes.get(&change.id).map(|node| node.generation);
            if generation != Some(flow.generation) {
                return Err(format!(
                    "{} is at generation {generation:?} and has a flow of {}",
                    books.name(change.id),
                    flow.generation
                ));
            }
            if let Some(before) = &change.before
                && before.generation == flow.generation
                && before.next_seq > flow.next_seq
            {
                return Err(format!(
                    "effects that {} has begun have been forgotten",
                    books.name(change.id)
                ));
            }
        }
        Ok(())
    }

    fn event(&mut self, notification: &Notification) -> Result<(), String> {
        let Event::ProvisionSet { by, from, to, .. } = &notification.event else {
            return Ok(());
        };
        if TRANSITIONS.contains(&(*from, *by, *to)) {
            return Ok(());
        }
        Err(format!(
            "a node is said to have gone from {from} by {by} to {to}"
        ))
    }
}

/// A decision makes one step in the table, or two: what resumes may end at once.
fn within_two(from: ProvisionState, to: ProvisionState) -> bool {
    let next = |state: ProvisionState| {
        states::Event::ALL
            .iter()
            .filter_map(move |event| state.on(*event).ok())
    };
    next(from).any(|state| state == to || next(state).any(|state| state == to))
}
