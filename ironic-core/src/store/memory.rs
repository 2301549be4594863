use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use uuid::Uuid;

use super::evaluate::Matcher;
use super::{Batch, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey};

/// Keeps records in memory, for as long as the process lives: for tests, simulations and hosts
/// that build their fleet anew at each start.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    revision: u64,
    tables: BTreeMap<Kind, Table>,
}

/// The records of one kind, found in three ways.
#[derive(Debug, Default)]
struct Table {
    by_id: BTreeMap<Uuid, Arc<Record>>,
    by_creation: BTreeMap<(Revision, Uuid), Arc<Record>>,
    by_key: BTreeMap<UniqueKey, Uuid>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // Nothing under the lock waits or panics between two changes, so what a panicking thread
    // leaves behind is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All records of a kind, as they are now: queries run over this, outside of the lock.
    fn snapshot(&self, kind: Kind) -> Vec<Arc<Record>> {
        let state = self.state();
        let table = state.tables.get(&kind);
        table.map_or_else(Vec::new, |t| t.by_creation.values().cloned().collect())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        Ok(self
            .state()
            .get(kind, id)
            .map(|record| Record::clone(record)))
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        let state = self.state();
        let owner = state.owner(kind, key);
        Ok(owner
            .and_then(|id| state.get(kind, id))
            .map(|record| Record::clone(record)))
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        if query.filter == Filter::All && query.sort.is_empty() {
            return self.state().page(query);
        }
        let page = query.select(self.snapshot(query.kind))?;
        Ok(page.iter().map(|record| Record::clone(record)).collect())
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        if *filter == Filter::All {
            return Ok(self.state().count(kind));
        }
        let matcher = Matcher::new(filter);
        let mut count = 0;
        for record in self.snapshot(kind) {
            count += u64::from(matcher.matches_record(&record)?);
        }
        Ok(count)
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let mut state = self.state();
        let current = batch.judge(
            |kind, id| Ok::<_, StoreError>(state.get(kind, id).cloned()),
            |kind, key| Ok(state.owner(kind, key)),
        )?;
        Ok(state.apply(batch.ops, current))
    }
}

impl State {
    fn get(&self, kind: Kind, id: Uuid) -> Option<&Arc<Record>> {
        self.tables.get(&kind)?.by_id.get(&id)
    }

    fn owner(&self, kind: Kind, key: &UniqueKey) -> Option<Uuid> {
        self.tables.get(&kind)?.by_key.get(key).copied()
    }

    fn count(&self, kind: Kind) -> u64 {
        let table = self.tables.get(&kind);
        table.map_or(0, |table| table.by_id.len() as u64)
    }

    /// The records after the marker in the order of creation: no body is looked at.
    fn page(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let after = match query.marker {
            None => Bound::Unbounded,
            Some(id) => match self.get(query.kind, id) {
                Some(marker) => Bound::Excluded((marker.created, id)),
                None => {
                    return Err(StoreError::NoMarker {
                        kind: query.kind,
                        id,
                    });
                }
            },
        };
        let Some(table) = self.tables.get(&query.kind) else {
            return Ok(Vec::new());
        };
        let limit = query.limit.map_or(usize::MAX, |n| n as usize);
        let rows = table.by_creation.range((after, Bound::Unbounded));
        Ok(rows
            .take(limit)
            .map(|(_, record)| Record::clone(record))
            .collect())
    }

    /// Applies what has been judged, over what stands where each operation writes.
    fn apply(&mut self, ops: Vec<Op>, current: Vec<Option<Arc<Record>>>) -> Vec<Revision> {
        if ops.is_empty() {
            return Vec::new();
        }
        self.revision += 1;
        let revision = Revision(self.revision);
        let answer = vec![revision; ops.len()];
        // All that leaves first, so that a key that one operation frees is there for another.
        for record in current.iter().flatten() {
            self.remove(record);
        }
        for (op, current) in ops.into_iter().zip(current) {
            if let Op::Put { mut record, .. } = op {
                record.created = current.map_or(revision, |current| current.created);
                record.revision = revision;
                self.tables.entry(record.kind).or_default().insert(record);
            }
        }
        answer
    }

    fn remove(&mut self, record: &Record) {
        let Some(table) = self.tables.get_mut(&record.kind) else {
            return;
        };
        table.by_id.remove(&record.id);
        table.by_creation.remove(&(record.created, record.id));
        for key in &record.keys {
            table.by_key.remove(key);
        }
    }
}

impl Table {
    fn insert(&mut self, record: Record) {
        for key in &record.keys {
            self.by_key.insert(key.clone(), record.id);
        }
        let record = Arc::new(record);
        self.by_creation
            .insert((record.created, record.id), record.clone());
        self.by_id.insert(record.id, record);
    }
}
