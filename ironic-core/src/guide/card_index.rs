use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ironic_core::Uuid;
use ironic_core::store::{
    Batch, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};

/// Keeps records as some keep cards: in one drawer, sorted by kind and id.
#[derive(Default)]
pub struct CardIndex {
    drawer: Mutex<Drawer>,
}

#[derive(Default)]
struct Drawer {
    cards: BTreeMap<(Kind, Uuid), Record>,
    highest: u64,
}

impl CardIndex {
    fn open(&self) -> MutexGuard<'_, Drawer> {
        self.drawer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawer {
    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Record> {
        let first = (kind, Uuid::nil());
        let last = (kind, Uuid::max());
        self.cards.range(first..=last).map(|(_, record)| record)
    }

    fn owner(&self, kind: Kind, key: &UniqueKey) -> Option<&Record> {
        self.of_kind(kind).find(|record| record.keys.contains(key))
    }
}

#[async_trait]
impl Store for CardIndex {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        Ok(self.open().cards.get(&(kind, id)).cloned())
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        Ok(self.open().owner(kind, key).cloned())
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let records: Vec<_> = self.open().of_kind(query.kind).cloned().collect();
        query.select(records)
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        let matching = Query::all(kind).filter(filter.clone());
        Ok(self.list(&matching).await?.len() as u64)
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let mut drawer = self.open();
        let current = batch.judge(
            |kind, id| Ok::<_, StoreError>(drawer.cards.get(&(kind, id))),
            |kind, key| Ok(drawer.owner(kind, key).map(|record| record.id)),
        )?;
        let created: Vec<_> = current.iter().map(|c| c.map(|c| c.created)).collect();
        drawer.highest += 1;
        let at = Revision(drawer.highest);
        for (op, created) in batch.ops.into_iter().zip(&created) {
            let target = op.target();
            match op {
                Op::Put { mut record, .. } => {
                    record.created = created.unwrap_or(at);
                    record.revision = at;
                    drawer.cards.insert(target, record);
                }
                Op::Delete { .. } => {
                    drawer.cards.remove(&target);
                }
            }
        }
        Ok(vec![at; created.len()])
    }
}
