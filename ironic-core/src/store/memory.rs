use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use uuid::Uuid;

use super::evaluate::Matcher;
use super::index::{Found, Index, Terms};
use super::{Batch, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey};

/// Keeps records in memory, for as long as the process lives: for tests, simulations and hosts
/// that build their fleet anew at each start.
///
/// A query by one of [`Kind::indexed_fields`] costs what the records with that value cost,
/// however many others there are; to count them costs less.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    /// How many bodies queries have read so far.
    #[cfg(any(test, feature = "testing"))]
    bodies_read: std::sync::atomic::AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    revision: u64,
    tables: BTreeMap<Kind, Table>,
}

/// The records of one kind, found in four ways.
#[derive(Debug)]
struct Table {
    by_id: BTreeMap<Uuid, Row>,
    by_creation: BTreeMap<(Revision, Uuid), Arc<Record>>,
    by_key: BTreeMap<UniqueKey, Uuid>,
    by_field: Index,
}

#[derive(Debug)]
struct Row {
    record: Arc<Record>,
    /// What it is found by in the index.
    terms: Terms,
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

    /// Records of a kind, as they are now, among which are all that match, and the marker: queries
    /// run over this, outside of the lock.
    fn snapshot(&self, kind: Kind, filter: &Filter, marker: Option<Uuid>) -> Vec<Arc<Record>> {
        let state = self.state();
        let records = state.tables.get(&kind);
        let records = records.map_or_else(Vec::new, |table| table.narrowed(filter, marker));
        #[cfg(any(test, feature = "testing"))]
        self.bodies_read
            .fetch_add(records.len() as u64, std::sync::atomic::Ordering::Relaxed);
        records
    }

    /// How many bodies queries have had to read so far, to tell whether they match or where they
    /// belong in an order: what a query costs, whatever machine it runs on.
    #[cfg(any(test, feature = "testing"))]
    pub fn bodies_read(&self) -> u64 {
        self.bodies_read.load(std::sync::atomic::Ordering::Relaxed)
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
        let page = query.select(self.snapshot(query.kind, &query.filter, query.marker))?;
        Ok(page.iter().map(|record| Record::clone(record)).collect())
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        if *filter == Filter::All {
            return Ok(self.state().count(kind));
        }
        if let Some(count) = self.state().counted(kind, filter) {
            return Ok(count);
        }
        let matcher = Matcher::new(filter);
        let mut count = 0;
        for record in self.snapshot(kind, filter, None) {
            count += u64::from(matcher.matches_record(&record)?);
        }
        Ok(count)
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        // Before the lock is taken, as bodies may be large.
        let terms = batch.ops.iter().map(Terms::written).collect();
        let mut state = self.state();
        let current = batch.judge(
            |kind, id| Ok::<_, StoreError>(state.get(kind, id).cloned()),
            |kind, key| Ok(state.owner(kind, key)),
        )?;
        Ok(state.apply(batch.ops, terms, current))
    }
}

impl State {
    fn get(&self, kind: Kind, id: Uuid) -> Option<&Arc<Record>> {
        let row = self.tables.get(&kind)?.by_id.get(&id)?;
        Some(&row.record)
    }

    fn owner(&self, kind: Kind, key: &UniqueKey) -> Option<Uuid> {
        self.tables.get(&kind)?.by_key.get(key).copied()
    }

    fn count(&self, kind: Kind) -> u64 {
        let table = self.tables.get(&kind);
        table.map_or(0, |table| table.by_id.len() as u64)
    }

    /// How many records match, where that can be told without looking at any.
    fn counted(&self, kind: Kind, filter: &Filter) -> Option<u64> {
        self.tables.get(&kind)?.by_field.count(filter)
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
    fn apply(
        &mut self,
        ops: Vec<Op>,
        terms: Vec<Terms>,
        current: Vec<Option<Arc<Record>>>,
    ) -> Vec<Revision> {
        if ops.is_empty() {
            return Vec::new();
        }
        self.revision += 1;
        let revision = Revision(self.revision);
        let answer = vec![revision; ops.len()];
        // All that leaves first, so that a key that one operation frees is there for another.
        for record in current.iter().flatten() {
            if let Some(table) = self.tables.get_mut(&record.kind) {
                table.remove(record);
            }
        }
        for ((op, terms), current) in ops.into_iter().zip(terms).zip(current) {
            if let Op::Put { mut record, .. } = op {
                record.created = current.map_or(revision, |current| current.created);
                record.revision = revision;
                let table = self.tables.entry(record.kind);
                let table = table.or_insert_with_key(|kind| Table::new(*kind));
                table.insert(record, terms);
            }
        }
        answer
    }
}

impl Table {
    fn new(kind: Kind) -> Self {
        Self {
            by_id: BTreeMap::new(),
            by_creation: BTreeMap::new(),
            by_key: BTreeMap::new(),
            by_field: Index::new(kind),
        }
    }

    fn insert(&mut self, record: Record, terms: Terms) {
        for key in &record.keys {
            self.by_key.insert(key.clone(), record.id);
        }
        let record = Arc::new(record);
        let place = (record.created, record.id);
        self.by_field.insert(place, &terms);
        self.by_creation.insert(place, record.clone());
        self.by_id.insert(record.id, Row { record, terms });
    }

    fn remove(&mut self, record: &Record) {
        let place = (record.created, record.id);
        if let Some(row) = self.by_id.remove(&record.id) {
            self.by_field.remove(place, row.terms);
        }
        self.by_creation.remove(&place);
        for key in &record.keys {
            self.by_key.remove(key);
        }
    }

    /// As few of the records as can be told from the index, all that match among them.
    fn narrowed(&self, filter: &Filter, marker: Option<Uuid>) -> Vec<Arc<Record>> {
        let Found::Among(mut places) = self.by_field.find(filter, usize::MAX) else {
            return self.by_creation.values().cloned().collect();
        };
        let marker = marker.and_then(|id| self.by_id.get(&id));
        places.extend(marker.map(|row| (row.record.created, row.record.id)));
        let records = places
            .iter()
            .filter_map(|place| self.by_creation.get(place));
        records.cloned().collect()
    }
}
