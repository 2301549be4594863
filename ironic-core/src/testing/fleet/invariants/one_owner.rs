use tokio::time::Instant;

use super::{Books, Commit, Invariant};

/// A node is owned by one conductor: who takes it finds it free, or takes it from one whose lease
/// has ended as far as anybody can know; and only who has it writes as its holder.
pub(super) struct OneOwner;

impl Invariant for OneOwner {
    fn name(&self) -> &'static str {
        "a node is owned by one conductor"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        let by = &commit.by.host;
        if let Some(fence) = commit.fence {
            let name = books.name(fence.node);
            match &commit.fenced_by {
                Some(lock) if lock.epoch == fence.epoch && lock.holder.as_ref() == Some(by) => {}
                lock => {
                    let now = lock.as_ref().map(|lock| (lock.epoch, lock.holder.clone()));
                    return Err(format!(
                        "{by} wrote to {name} as its holder at epoch {}, but its lock is {now:?}",
                        fence.epoch
                    ));
                }
            }
        }
        for change in &commit.locks {
            let Some(after) = change.after.as_ref().filter(|lock| lock.holder.is_some()) else {
                continue;
            };
            let name = books.name(change.id);
            let before = change.before.as_ref();
            let epoch = commit.epochs.get(&change.id).copied().unwrap_or_default();
            // A lock that is new may begin anywhere that no fence has been.
            if after.epoch <= epoch || before.is_some_and(|it| after.epoch != it.epoch + 1) {
                return Err(format!(
                    "{by} took {name} at epoch {} after {epoch}",
                    after.epoch
                ));
            }
            if after.holder.as_ref() != Some(by) {
                return Err(format!("{by} took {name} for {:?}", after.holder));
            }
            let Some(holder) = before.and_then(|before| before.holder.as_ref()) else {
                continue;
            };
            let earliest = books.taken_from_no_earlier_than(holder);
            let former = commit.held_by.get(&change.id);
            let restarted = holder == by && former.is_some_and(|former| books.is_dead(former));
            if !restarted && earliest.is_none_or(|earliest| Instant::now() < earliest) {
                let left = earliest.map(|earliest| earliest - Instant::now());
                return Err(format!(
                    "{by} took {name} from {holder}, which may act for {left:?} more"
                ));
            }
        }
        Ok(())
    }
}
