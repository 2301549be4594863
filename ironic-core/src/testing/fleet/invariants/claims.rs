use uuid::Uuid;

use super::{Books, Commit, Invariant};
use crate::model::AllocationState;

/// A machine is claimed by one allocation, and both know of each other.
pub(super) struct Claims;

impl Invariant for Claims {
    fn name(&self) -> &'static str {
        "a machine is claimed by one"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        for change in &commit.allocations {
            let active = change
                .after
                .as_ref()
                .filter(|it| it.state == AllocationState::Active);
            let claimed = active.and_then(|it| it.node_uuid);
            if let Some(node) = claimed
                && claim(books, node) != Some(change.id)
            {
                return Err(format!(
                    "allocation {} has {}, which is another's: {:?}",
                    change.id,
                    books.name(node),
                    claim(books, node)
                ));
            }
        }
        for change in &commit.nodes {
            let id = change.after.as_ref().and_then(|it| it.allocation_uuid);
            let Some(id) = id else { continue };
            let allocation = books.allocations.get(&id);
            if allocation.and_then(|it| it.node_uuid) != Some(change.id) {
                return Err(format!(
                    "{} is claimed by allocation {id}, which does not have it",
                    books.name(change.id)
                ));
            }
        }
        // Who loses its node or its claim loses the other too.
        for change in &commit.nodes {
            let before = change.before.as_ref().and_then(|it| it.allocation_uuid);
            let Some(id) = before.filter(|id| claim(books, change.id) != Some(*id)) else {
                continue;
            };
            let left = books.allocations.get(&id).and_then(|it| it.node_uuid);
            if left == Some(change.id) {
                let name = books.name(change.id);
                return Err(format!(
                    "allocation {id} is left with {name}, which it lost"
                ));
            }
        }
        Ok(())
    }
}

fn claim(books: &Books, node: Uuid) -> Option<Uuid> {
    books.nodes.get(&node)?.allocation_uuid
}
