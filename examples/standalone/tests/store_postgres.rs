//! PostgreSQL keeps the contract: by one opening, and by two that take turns.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a failing test panics; the peer is a program of its own"
)]

mod postgres;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ironic_core::store::Store;
use ironic_core::testing::StoreFactory;
use ironic_standalone::store::SqlStore;
use postgres::Cluster;

/// Schemas of the server that the tests share, each store in one of its own.
struct Schemas(Mutex<String>);

impl Schemas {
    async fn open(&self) -> Arc<dyn Store> {
        let url = self.0.lock().unwrap().clone();
        Arc::new(SqlStore::open(&url).await.unwrap())
    }
}

#[async_trait]
impl StoreFactory for Schemas {
    async fn fresh(&self) -> Arc<dyn Store> {
        let url = Cluster::shared().create().await;
        *self.0.lock().unwrap() = url;
        self.open().await
    }

    async fn reopen(&self) -> Option<Arc<dyn Store>> {
        Some(self.open().await)
    }

    async fn beside(&self) -> Option<Arc<dyn Store>> {
        self.reopen().await
    }
}

ironic_core::store_conformance!(Schemas(Default::default()));
