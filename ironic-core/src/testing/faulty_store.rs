use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::store::{Batch, Filter, Kind, Query, Record, Revision, Store, StoreError, UniqueKey};

/// What happens to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Injected {
    /// It fails with [`StoreError::Unavailable`] and is not applied.
    Before,
    /// It is applied, and fails with [`StoreError::Unavailable`]: the answer is lost.
    After,
    /// It waits so long, on tokio's clock, before it is applied.
    Delay(Duration),
}

type OnCommit = Arc<dyn Fn(u64, &Batch) + Send + Sync>;

/// A store whose commits fail by a script; reads pass through as long as the process lives.
///
/// Commits are counted from 1 as they begin, also those that fail.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    commits: AtomicU64,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    nth: BTreeMap<u64, Injected>,
    /// All commits with a higher number fail before they are applied.
    last: Option<u64>,
    /// With the commit of this number the process is gone: that one is applied, none later, and
    /// nothing is answered any more.
    dies: Option<u64>,
    on_commit: Option<OnCommit>,
}

impl std::fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyStore")
            .field("commits", &self.commits())
            .field("nth", &self.script().nth)
            .field("last", &self.script().last)
            .finish_non_exhaustive()
    }
}

impl FaultyStore {
    /// A store that does not fail until it is told to.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            commits: AtomicU64::new(0),
            script: Mutex::default(),
        }
    }

    /// This happens to the n-th commit, counted from 1 since the store was made.
    pub fn inject(&self, n: u64, what: Injected) {
        self.script().nth.insert(n, what);
    }

    /// After `n` commits from now on every one fails before it is applied, as if the process
    /// had died with the n-th; until [`heal`](FaultyStore::heal).
    pub fn fail_after(&self, n: u64) {
        self.script().last = Some(self.commits() + n);
    }

    /// With the `n`-th commit from now on the process that uses this store is as good as killed:
    /// that commit is applied, and neither it nor anything after it is ever answered. With 0
    /// nothing is answered from now on.
    pub fn die_after(&self, n: u64) {
        self.script().dies = Some(self.commits() + n);
    }

    /// Whether nothing is answered any more.
    pub fn is_dead(&self) -> bool {
        let commits = self.commits();
        self.script().dies.is_some_and(|dies| commits >= dies)
    }

    /// Returns while the process lives.
    async fn live(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// Forgets all that should fail.
    pub fn heal(&self) {
        let mut script = self.script();
        script.nth.clear();
        script.last = None;
        script.dies = None;
    }

    /// Calls this with each commit's number as soon as it has been applied, before the answer is
    /// given: the place to crash at.
    pub fn on_commit(&self, call: impl Fn(u64, &Batch) + Send + Sync + 'static) {
        self.script().on_commit = Some(Arc::new(call));
    }

    /// How many commits have begun.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    /// What happens to the n-th commit.
    fn fate(&self, n: u64) -> Option<Injected> {
        if self.last.is_some_and(|last| n > last) {
            return Some(Injected::Before);
        }
        self.nth.get(&n).copied()
    }
}

fn injected(n: u64, when: &str) -> StoreError {
    StoreError::unavailable(format!("injected failure {when} commit {n} was applied"))
}

#[async_trait]
impl Store for FaultyStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.live().await;
        self.inner.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.live().await;
        self.inner.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.live().await;
        self.inner.list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.live().await;
        self.inner.count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.live().await;
        let n = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let (fate, on_commit) = {
            let script = self.script();
            (script.fate(n), script.on_commit.clone())
        };
        match fate {
            Some(Injected::Before) => return Err(injected(n, "before")),
            Some(Injected::Delay(time)) => tokio::time::sleep(time).await,
            Some(Injected::After) | None => {}
        }
        let kept = on_commit.is_some().then(|| batch.clone());
        let answer = self.inner.commit(batch).await;
        self.live().await;
        if let (Ok(_), Some(call), Some(batch)) = (&answer, on_commit, kept) {
            call(n, &batch);
        }
        match fate {
            Some(Injected::After) if answer.is_ok() => Err(injected(n, "after")),
            _ => answer,
        }
    }
}
