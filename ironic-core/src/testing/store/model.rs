//! The simplest thing that could be right: a list of records that is copied, changed, and kept if
//! nothing is wrong with it.

use std::cmp::Ordering;

use serde_json::json;
use uuid::Uuid;

use super::judge::{matches, sorted};
use super::probe::body;
use crate::store::{Batch, Expect, Fence, Filter, Kind, Op, Query, Record, Revision, StoreError};

#[derive(Default, Clone)]
pub(super) struct Model {
    pub(super) records: Vec<Record>,
    /// What the last batch wrote, waiting for the revisions that the store answers.
    written: Vec<(Kind, Uuid)>,
    highest: Revision,
}

impl Model {
    pub(super) fn get(&self, kind: Kind, id: Uuid) -> Option<&Record> {
        let mut records = self.records.iter();
        records.find(|r| r.kind == kind && r.id == id)
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if let Some(Fence { node, epoch }) = batch.fence {
            let lock = self.get(Kind::Lock, node).map(body).unwrap_or_default();
            if lock["holder"].is_null() || lock["epoch"] != json!(epoch) {
                return Err(StoreError::Fenced { node, epoch });
            }
        }
        let mut after = self.clone();
        after.written.clear();
        for op in &batch.ops {
            let (kind, id) = op.target();
            let current = self.get(kind, id).map(|record| record.revision);
            let met = match op.expect() {
                Expect::Absent => current.is_none(),
                Expect::Revision(revision) => current == Some(revision),
                Expect::Any => true,
            };
            if !met || after.written.contains(&(kind, id)) {
                return Err(StoreError::Conflict { kind, id });
            }
            after.written.push((kind, id));
            after.records.retain(|r| (r.kind, r.id) != (kind, id));
        }
        for op in &batch.ops {
            let Op::Put { record, .. } = op else { continue };
            let mut record = record.clone();
            for key in &record.keys {
                let mut others = after.records.iter().filter(|r| r.kind == record.kind);
                if others.any(|r| r.keys.contains(key)) {
                    let (kind, key) = (record.kind, key.clone());
                    return Err(StoreError::Duplicate { kind, key });
                }
            }
            let before = self.get(record.kind, record.id);
            record.created = before.map_or(Revision(0), |r| r.created);
            after.records.push(record);
        }
        *self = after;
        Ok(())
    }

    /// Notes the revisions that the store gave, which have to be higher than all before.
    pub(super) fn took(&mut self, revisions: &[Revision]) -> Result<(), String> {
        let rise = revisions.iter().all(|revision| *revision > self.highest);
        if !rise || revisions.len() != self.written.len() {
            return Err(format!("{revisions:?} came after {:?}", self.highest));
        }
        for (target, revision) in self.written.iter().zip(revisions) {
            self.highest = self.highest.max(*revision);
            let mut records = self.records.iter_mut();
            if let Some(record) = records.find(|r| (r.kind, r.id) == *target) {
                record.revision = *revision;
                if record.created == Revision(0) {
                    record.created = *revision;
                }
            }
        }
        Ok(())
    }

    pub(super) fn matching(&self, kind: Kind, filter: &Filter) -> Vec<&Record> {
        let of_kind = self.records.iter().filter(|r| r.kind == kind);
        of_kind.filter(|r| matches(filter, &body(r))).collect()
    }

    pub(super) fn list(&self, query: &Query) -> Result<Vec<&Record>, StoreError> {
        let order = |a: &&Record, b: &&Record| {
            let by_creation = (a.created, a.id).cmp(&(b.created, b.id));
            sorted(&query.sort, &body(a), &body(b)).then(by_creation)
        };
        let mut found = self.matching(query.kind, &query.filter);
        if let Some(id) = query.marker {
            let kind = query.kind;
            let none = StoreError::NoMarker { kind, id };
            let marker = self.get(kind, id).ok_or(none)?;
            found.retain(|record| order(record, &marker) == Ordering::Greater);
        }
        found.sort_by(order);
        found.truncate(query.limit.map_or(usize::MAX, |limit| limit as usize));
        Ok(found)
    }
}
