use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::store::{
    Batch, Filter, Kind, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use tokio::sync::oneshot;
use tokio::time::sleep;
use uuid::Uuid;

/// A store that holds every call until it is let through: the one place where tasks of the engine
/// meet, so that who goes first here decides everything.
pub(super) struct Gate {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    parked: Vec<Parked>,
    /// To whom calls are counted that come now: they follow from what that party was let do.
    party: usize,
    passed: u64,
}

struct Parked {
    party: usize,
    go: oneshot::Sender<()>,
}

impl Gate {
    pub(super) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            state: Mutex::default(),
        }
    }

    /// From here on calls wait to be let through.
    pub(super) fn close(&self) {
        self.state.lock().unwrap().closed = true;
    }

    /// Lets all through that waits, and all that comes.
    pub(super) fn open(&self) {
        let mut state = self.state.lock().unwrap();
        state.closed = false;
        for parked in state.parked.drain(..) {
            let _ = parked.go.send(());
        }
    }

    /// What is begun now is this party's.
    pub(super) fn begin(&self, party: usize) {
        self.state.lock().unwrap().party = party;
    }

    /// Until nothing happens any more without a call being let through; whose calls wait then.
    pub(super) async fn quiet(&self) -> Vec<usize> {
        // Paused time goes on only when nobody has anything to do.
        sleep(Duration::from_millis(1)).await;
        let mut state = self.state.lock().unwrap();
        state.parked.retain(|parked| !parked.go.is_closed());
        state.parked.iter().map(|parked| parked.party).collect()
    }

    /// Lets one of the waiting calls through.
    pub(super) fn pass(&self, at: usize) {
        let mut state = self.state.lock().unwrap();
        let parked = state.parked.remove(at);
        state.party = parked.party;
        state.passed += 1;
        let _ = parked.go.send(());
    }

    /// How many calls have been let through.
    pub(super) fn passed(&self) -> u64 {
        self.state.lock().unwrap().passed
    }

    async fn wait(&self) {
        let waits = {
            let mut state = self.state.lock().unwrap();
            if !state.closed {
                return;
            }
            let (go, waits) = oneshot::channel();
            let party = state.party;
            state.parked.push(Parked { party, go });
            waits
        };
        let _ = waits.await;
    }
}

#[async_trait]
impl Store for Gate {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.wait().await;
        self.inner.get(kind, id).await
    }
    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.wait().await;
        self.inner.find(kind, key).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.wait().await;
        self.inner.list(query).await
    }
    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.wait().await;
        self.inner.count(kind, filter).await
    }
    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.wait().await;
        self.inner.commit(batch).await
    }
}
