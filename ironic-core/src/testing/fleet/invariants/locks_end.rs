use super::{Books, Commit, Invariant};

/// No lock outlives its owner: one that has stopped in good order holds none, a node that is gone
/// leaves none, and a lock is given back by who holds it.
pub(super) struct LocksEnd;

impl Invariant for LocksEnd {
    fn name(&self) -> &'static str {
        "no lock outlives its owner"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        let by = &commit.by.host;
        for change in &commit.locks {
            let held = |lock: &&crate::model::Lock| lock.holder.is_some();
            let before = change.before.as_ref().filter(held);
            let after = change.after.as_ref().filter(held);
            let holder = before.and_then(|lock| lock.holder.as_ref());
            if let (Some(holder), None) = (holder, after)
                && holder != by
            {
                let name = books.name(change.id);
                return Err(format!("{by} gave {name} back, which {holder} holds"));
            }
        }
        for gone in commit.nodes.iter().filter(|change| change.after.is_none()) {
            if books.locks.contains_key(&gone.id) {
                return Err(format!("{} is gone and has a lock", books.name(gone.id)));
            }
        }
        Ok(())
    }

    fn stopped(&mut self, host: &str, books: &Books) -> Result<(), String> {
        let mut locks = books.locks.iter();
        let held = locks.find(|(_, lock)| lock.holder.as_deref() == Some(host));
        match held {
            Some((node, _)) => {
                let name = books.name(*node);
                Err(format!("{host} has stopped in good order and holds {name}"))
            }
            None => Ok(()),
        }
    }
}
