//! How often the store is asked for what the API answers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use ironic_core::model::Node;
use ironic_core::store::{
    Batch, Filter, Kind, MemoryStore, Query, Record, Repository, Revision, Store, StoreError,
    UniqueKey,
};
use ironic_standalone::{Host, HostConfig};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

const NODES: usize = 10_000;

/// Notes what it is asked for.
#[derive(Default)]
struct Noting {
    store: MemoryStore,
    asked: Mutex<Vec<String>>,
}

impl Noting {
    fn note(&self, how: &str, kind: Kind) {
        // A conductor looks for others by itself.
        if kind != Kind::Conductor {
            self.asked.lock().unwrap().push(format!("{how} {kind}"));
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Store for Noting {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.note("get", kind);
        self.store.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.note("find", kind);
        self.store.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.note("list", query.kind);
        self.store.list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.note("count", kind);
        self.store.count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.store.commit(batch).await
    }
}

async fn get(host: &Host, path: &str) -> Value {
    let request = Request::get(path)
        .header("X-OpenStack-Ironic-API-Version", "latest")
        .body(Body::empty());
    let answer = host.router().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let length = answer.headers().get("Content-Length").cloned();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    // A list comes in pieces, and tells its length all the same.
    let told = path.contains("limit=").then(|| body.len().to_string());
    assert!(told.is_none_or(|told| length.unwrap() == told), "{path}");
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_list_costs_as_many_queries_however_long_it_is() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fake.toml");
    let mut config = HostConfig::load(Some(&file), &|_| None).unwrap();
    config.api.max_limit = NODES as u32;
    config.conductor.sync_power_state_interval = Duration::ZERO;
    let store = Arc::new(Noting::default());
    let repository = Repository::new(Arc::clone(&store) as Arc<dyn Store>);
    for number in 1..=NODES {
        let mut node = Node::new(Uuid::from_u128(number as u128), "fake-hardware");
        node.name = Some(format!("node-{number}"));
        repository.create(&node).await.unwrap();
    }
    let host = Host::builder(config).store(store.clone());
    let host = host.start().await.unwrap();
    store.take();

    for fields in [
        "uuid,name,provision_state,power_state,maintenance",
        "uuid,driver,resource_class,owner,properties",
    ] {
        let path = format!("/v1/nodes?fields={fields}&limit={NODES}");
        let list = get(&host, &path).await;
        assert_eq!(store.take(), ["list node"], "{fields}");
        let nodes = list["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), NODES);
        let shown = nodes[NODES - 1].as_object().unwrap();
        // And its links.
        assert_eq!(shown.len(), 6, "{shown:?}");
        assert_eq!(shown["uuid"], Uuid::from_u128(NODES as u128).to_string());
    }

    let list = get(&host, &format!("/v1/nodes/detail?limit={NODES}")).await;
    assert_eq!(list["nodes"].as_array().unwrap().len(), NODES);
    let each_kind_once = ["list node", "list lock", "list flow", "list trait"];
    assert_eq!(store.take(), each_kind_once);

    let node = get(&host, &format!("/v1/nodes/{}", Uuid::from_u128(7))).await;
    assert_eq!(node["name"], "node-7");
    assert_eq!(store.take(), ["get node", "get lock", "list trait"]);
    host.stop().await.unwrap();
}
