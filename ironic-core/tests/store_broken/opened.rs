use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ironic_core::store::{Batch, Expect, Kind, MemoryStore, Op, Query, Store};
use ironic_core::testing::StoreFactory;

use crate::broken::{Broken, Fault};

/// Stores in memory that persist for the suite: what has been committed is done over when one is
/// opened again.
pub(crate) struct Openings {
    fault: Fault,
    last: Mutex<Arc<MemoryStore>>,
    log: Mutex<Arc<Mutex<Vec<Batch>>>>,
}

impl Openings {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            last: Mutex::default(),
            log: Mutex::default(),
        }
    }

    fn open(&self, inner: Arc<MemoryStore>) -> Arc<dyn Store> {
        *self.last.lock().unwrap() = inner.clone();
        let log = self.log.lock().unwrap().clone();
        Arc::new(Broken::new(inner, self.fault, log))
    }

    /// A store in which all that has been committed has been done over.
    async fn done_over(&self) -> Arc<MemoryStore> {
        let log = self.log.lock().unwrap().clone();
        if self.fault == Fault::ForgetsTheLast {
            log.lock().unwrap().pop();
        }
        let batches = log.lock().unwrap().clone();
        let store = MemoryStore::new();
        for batch in batches {
            store.commit(batch).await.unwrap();
        }
        Arc::new(store)
    }
}

/// What is there, put into a store that counts from the beginning.
async fn counted_anew(store: &MemoryStore) -> Arc<MemoryStore> {
    let new = MemoryStore::new();
    for kind in Kind::ALL {
        for record in store.list(&Query::all(*kind)).await.unwrap() {
            let expect = Expect::Any;
            let ops = vec![Op::Put { record, expect }];
            new.commit(Batch { fence: None, ops }).await.unwrap();
        }
    }
    Arc::new(new)
}

#[async_trait]
impl StoreFactory for Openings {
    async fn fresh(&self) -> Arc<dyn Store> {
        *self.log.lock().unwrap() = Arc::default();
        self.open(Arc::default())
    }

    async fn reopen(&self) -> Option<Arc<dyn Store>> {
        let store = self.done_over().await;
        Some(match self.fault {
            Fault::CountsAnew => self.open(counted_anew(&store).await),
            _ => self.open(store),
        })
    }

    async fn beside(&self) -> Option<Arc<dyn Store>> {
        let last = self.last.lock().unwrap().clone();
        Some(match self.fault {
            Fault::OpensApart => self.open(self.done_over().await),
            Fault::WritesAtTheEnd => {
                let held_back = self.log.lock().unwrap().lock().unwrap().pop();
                let store = self.done_over().await;
                let log = self.log.lock().unwrap().clone();
                log.lock().unwrap().extend(held_back);
                self.open(store)
            }
            _ => self.open(last),
        })
    }
}
