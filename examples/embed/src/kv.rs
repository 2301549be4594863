//! Five methods over a sorted map of bytes (that of redb): get, put, remove, scan, transaction.

use std::{error::Error, path::Path, sync::Arc};

use ironic_core::Uuid;
use ironic_core::store::{
    Batch, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

type Place = (&'static str, u128);
type Bytes = &'static [u8];
type Name = (&'static str, &'static str, &'static str);
/// From kind and id to the record.
const RECORDS: TableDefinition<Place, Bytes> = TableDefinition::new("records");
/// From kind, field and value of a unique key to the id of its record.
const KEYS: TableDefinition<Name, u128> = TableDefinition::new("keys");
/// The highest revision given so far.
const REVISION: TableDefinition<(), u64> = TableDefinition::new("revision");

/// Fails with what redb says, or with a [`StoreError`] as it goes to the caller.
type Done<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Keeps records in a file, which one process uses at a time.
pub struct KvStore {
    db: Arc<Database>,
    /// Commits pass one by one, in the order in which they come.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl KvStore {
    /// Opens the file, and creates it if there is none.
    ///
    /// # Errors
    /// When it is no such file, or in use.
    pub fn open(path: &Path) -> Result<Self, redb::Error> {
        if !path.exists() {
            // Made under another name: what a kill leaves half made is not found at this one.
            let new = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?;
            drop(Database::create(new.path())?);
            drop(new.persist_noclobber(path)); // fails when somebody else was faster
        }
        let (db, turn) = (Arc::new(Database::create(path)?), Arc::default());
        let tables = db.begin_write()?;
        drop((tables.open_table(RECORDS)?, tables.open_table(KEYS)?));
        tables.commit()?;
        Ok(Self { db, turn })
    }

    /// Does work that blocks, to its end even when nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let db = self.db.clone();
        let done = tokio::task::spawn_blocking(move || work(&db)).await;
        done.unwrap_or_else(|panic| Err(panic.into()))
            .map_err(|error| match error.downcast() {
                Ok(known) => *known,
                Err(other) => StoreError::unavailable(other),
            })
    }
}

#[async_trait::async_trait]
impl Store for KvStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.run(move |db| get(&db.begin_read()?.open_table(RECORDS)?, kind, id))
            .await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        let key = key.clone();
        self.run(move |db| {
            let snapshot = db.begin_read()?;
            let owner = owner(&snapshot.open_table(KEYS)?, kind, &key)?;
            owner.map_or(Ok(None), |id| get(&snapshot.open_table(RECORDS)?, kind, id))
        })
        .await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let query = query.clone();
        self.run(move |db| {
            let (kind, mut records) = (query.kind, Vec::new());
            let table = db.begin_read()?.open_table(RECORDS)?;
            for row in table.range((kind.as_str(), 0)..=(kind.as_str(), u128::MAX))? {
                let (key, value) = row?;
                let id = Uuid::from_u128(key.value().1);
                records.push(Record::decode(kind, id, value.value())?);
            }
            Ok(query.select(records)?)
        })
        .await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        let matching = Query::all(kind).filter(filter.clone());
        Ok(self.list(&matching).await?.len() as u64)
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let turn = self.turn.clone().lock_owned().await;
        self.run(move |db| (apply(db, batch), turn).0).await
    }
}

/// Judges and applies a batch in one transaction, which changes nothing if it is not committed.
fn apply(db: &Database, batch: Batch) -> Done<Vec<Revision>> {
    let transaction = db.begin_write()?;
    let mut records = transaction.open_table(RECORDS)?;
    let mut keys = transaction.open_table(KEYS)?;
    let mut counter = transaction.open_table(REVISION)?;
    let current = batch.judge(|k, id| get(&records, k, id), |k, key| owner(&keys, k, key))?;
    let at = Revision(1 + counter.get(())?.map_or(0, |highest| highest.value()));
    counter.insert((), at.0)?;
    // All that leaves first, so that a key that one operation frees is there for another.
    for record in current.iter().flatten() {
        records.remove((record.kind.as_str(), record.id.as_u128()))?;
        for key in &record.keys {
            keys.remove((record.kind.as_str(), &*key.field, &*key.value))?;
        }
    }
    for (op, current) in batch.ops.into_iter().zip(&current) {
        if let Op::Put { mut record, .. } = op {
            record.created = current.as_ref().map_or(at, |current| current.created);
            record.revision = at;
            let (kind, id) = (record.kind.as_str(), record.id.as_u128());
            records.insert((kind, id), &*record.encode()?)?;
            for key in &record.keys {
                keys.insert((kind, &*key.field, &*key.value), id)?;
            }
        }
    }
    drop((records, keys, counter));
    transaction.commit()?;
    Ok(vec![at; current.len()])
}

fn get(from: &impl ReadableTable<Place, Bytes>, kind: Kind, id: Uuid) -> Done<Option<Record>> {
    let value = from.get((kind.as_str(), id.as_u128()))?;
    let record = value.map(|value| Record::decode(kind, id, value.value()));
    Ok(record.transpose()?)
}

fn owner(keys: &impl ReadableTable<Name, u128>, kind: Kind, key: &UniqueKey) -> Done<Option<Uuid>> {
    let owner = keys.get((kind.as_str(), &*key.field, &*key.value))?;
    Ok(owner.map(|id| Uuid::from_u128(id.value())))
}
