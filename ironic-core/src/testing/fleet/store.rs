use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::Bug;
use super::books::Caller;
use super::chance::{Chance, PASSWORD};
use super::life::Life;
use super::weather::Fate;
use super::world::World;
use crate::model::{JsonMap, Lock};
use crate::store::{
    Batch, Expect, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};

/// The store of the fleet: every commit is noted in the books as it is applied.
pub(super) struct Shelf {
    memory: Arc<dyn Store>,
    world: Arc<World>,
}

impl Shelf {
    pub(super) fn new(world: Arc<World>, memory: Arc<dyn Store>) -> Self {
        Self { memory, world }
    }

    async fn commit_by(&self, by: &Caller, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let mut applied = batch.clone();
        if self.world.has(Bug::FencesIgnored) {
            applied.fence = None;
        }
        if self.world.has(Bug::RevisionsIgnored) {
            for op in &mut applied.ops {
                // Locks are spared: two holders at once are another defect.
                if op.target().0 != Kind::Lock {
                    expect_anything(op);
                }
            }
        }
        let answer = self.memory.commit(applied).await;
        if let Ok(revisions) = &answer {
            self.world.committed(by, &batch, revisions);
        }
        answer
    }
}

fn expect_anything(op: &mut Op) {
    let (Op::Put { expect, .. } | Op::Delete { expect, .. }) = op;
    *expect = Expect::Any;
}

/// The way of one life of a conductor to the store. Calls wait, fail and lose their answers; with
/// some of the commits the conductor dies.
pub(super) struct Way {
    pub(super) shelf: Arc<Shelf>,
    pub(super) life: Arc<Life>,
    pub(super) chance: Chance,
}

impl Way {
    fn world(&self) -> &World {
        &self.shelf.world
    }

    /// A call sets out; whether its answer gets lost.
    async fn set_out(&self, reads: bool) -> Result<bool, StoreError> {
        self.life.pass().await;
        let fate = self.world().weather.store(&self.chance);
        match fate {
            Fate::Fails => return Err(StoreError::unavailable("the store is not to be reached")),
            Fate::Loses if reads => {
                return Err(StoreError::unavailable("the store did not answer"));
            }
            Fate::Waits(time) => {
                tokio::time::sleep(time).await;
                self.life.pass().await;
            }
            _ => {}
        }
        Ok(fate == Fate::Loses)
    }

    fn die(&self) {
        self.life.kill();
        self.world().died(&self.life.host, self.life.number);
    }

    fn caller(&self) -> Caller {
        Caller {
            host: self.life.host.clone(),
            life: self.life.number,
        }
    }

    /// What this conductor's defect makes of a batch.
    fn spoilt(&self, mut batch: Batch) -> Batch {
        let is_failure = |op: &Op| match op {
            Op::Put { record, .. } => {
                record.kind == Kind::History && record.body.get().contains("\"ERROR\"")
            }
            Op::Delete { .. } => false,
        };
        if self.world().has(Bug::SecretInHistory) {
            batch.ops.iter_mut().for_each(disclose);
        }
        if self.world().has(Bug::LockKept) && batch.ops.iter().any(is_failure) {
            batch.ops.retain(|op| op.target().0 != Kind::Lock);
        }
        batch
    }

    /// What this conductor's defect hides of a list.
    fn hidden(&self, query: &Query, mut records: Vec<Record>) -> Vec<Record> {
        let waits = |record: &Record| record.body.get().contains("\"waiting\"");
        match (self.shelf.world.settings.bug, query.kind) {
            (Some(Bug::WorkForgotten), Kind::Flow) => records.retain(waits),
            (Some(Bug::DeadlineForgotten), Kind::Flow) => records.retain(|it| !waits(it)),
            (Some(Bug::WorkForgotten), Kind::Lock) => records.clear(),
            _ => {}
        }
        records
    }
}

/// An event of a node's history, with a password in it.
fn disclose(op: &mut Op) {
    let Op::Put { record, .. } = op else { return };
    if record.kind != Kind::History {
        return;
    }
    let event = serde_json::from_str::<JsonMap>(record.body.get());
    if let Ok(mut event) = event {
        event.insert("detail".to_owned(), PASSWORD.into());
        if let Ok(body) = serde_json::value::to_raw_value(&event) {
            record.body = body.into();
        }
    }
}

/// A lock as if nobody held it.
fn freed(mut record: Record) -> Record {
    let lock = serde_json::from_str::<Lock>(record.body.get());
    let body = lock
        .ok()
        .and_then(|lock| serde_json::value::to_raw_value(&lock.released()).ok());
    if let Some(body) = body {
        record.body = body.into();
    }
    record
}

#[async_trait]
impl Store for Way {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.set_out(true).await?;
        let record = self.shelf.memory.get(kind, id).await?;
        if kind == Kind::Lock && self.world().has(Bug::LockStolen) {
            return Ok(record.map(freed));
        }
        Ok(record)
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.set_out(true).await?;
        self.shelf.memory.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.set_out(true).await?;
        let records = self.shelf.memory.list(query).await?;
        Ok(self.hidden(query, records))
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.set_out(true).await?;
        self.shelf.memory.count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let lost = self.set_out(false).await?;
        let (weather, caller) = (&self.world().weather, self.caller());
        let batch = self.spoilt(batch);
        let dies = weather.kills(&self.chance);
        if dies && self.chance.below(2) == 0 {
            self.die();
        }
        self.life.pass().await;
        let again = (lost && self.world().has(Bug::LostAnswerRepeated)).then(|| batch.clone());
        let answer = self.shelf.commit_by(&caller, batch).await;
        if let Some(late) = weather.store_answers_late(&self.chance) {
            tokio::time::sleep(late).await;
        }
        if dies {
            self.die();
        }
        self.life.pass().await;
        if let Some(mut again) = again.filter(|_| answer.is_ok()) {
            again.ops.iter_mut().for_each(expect_anything);
            return self.shelf.commit_by(&caller, again).await;
        }
        match answer {
            Ok(_) if lost => Err(StoreError::unavailable("the answer of the store got lost")),
            answer => answer,
        }
    }
}

/// The way of everybody else: nothing fails on it.
#[async_trait]
impl Store for Shelf {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.memory.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.memory.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.memory.list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.memory.count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let nobody = Caller {
            host: "somebody".to_owned(),
            life: 0,
        };
        self.commit_by(&nobody, batch).await
    }
}
