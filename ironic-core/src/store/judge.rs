//! Whether a batch may be applied: for stores that can look records up while nobody else writes.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Batch, Kind, Op, Record, StoreError, UniqueKey};

impl Batch {
    /// Judges the batch as the contract says: its fence, then its expectations, then its unique
    /// keys. `get` and `owner` answer from the state before the batch, which must not change
    /// until the batch has been applied.
    ///
    /// Answers what stands where each operation writes, in order: an update keeps its `created`,
    /// and its keys leave before those of the batch are set.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::Conflict`] or [`StoreError::Duplicate`] when the batch
    /// is refused; what `get` and `owner` fail with.
    pub fn judge<R: Borrow<Record>, E: From<StoreError>>(
        &self,
        get: impl Fn(Kind, Uuid) -> Result<Option<R>, E>,
        owner: impl Fn(Kind, &UniqueKey) -> Result<Option<Uuid>, E>,
    ) -> Result<Vec<Option<R>>, E> {
        if let Some(fence) = self.fence {
            let lock = get(Kind::Lock, fence.node)?;
            if !fence.holds(lock.as_ref().map(Borrow::borrow)) {
                let (node, epoch) = (fence.node, fence.epoch);
                return Err(StoreError::Fenced { node, epoch }.into());
            }
        }
        let mut targets = BTreeSet::new();
        let mut current = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let (kind, id) = op.target();
            let there = get(kind, id)?;
            let revision = there.as_ref().map(|record| record.borrow().revision);
            if !targets.insert((kind, id)) || !op.expect().is_met_by(revision) {
                return Err(StoreError::Conflict { kind, id }.into());
            }
            current.push(there);
        }
        let mut taken = BTreeMap::new();
        for op in &self.ops {
            let Op::Put { record, .. } = op else { continue };
            for key in &record.keys {
                let owner = match taken.insert((record.kind, key), record.id) {
                    Some(owner) => Some(owner),
                    // A record that the batch writes has the keys that the batch gives it, and no others.
                    None => owner(record.kind, key)?
                        .filter(|owner| !targets.contains(&(record.kind, *owner))),
                };
                if owner.is_some_and(|owner| owner != record.id) {
                    let (kind, key) = (record.kind, key.clone());
                    return Err(StoreError::Duplicate { kind, key }.into());
                }
            }
        }
        Ok(current)
    }
}
