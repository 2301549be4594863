//! What the cases say over and over.

use std::sync::Arc;

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use uuid::Uuid;

use super::StoreFactory;
use crate::store::{
    Batch, Expect, Fence, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};

/// A store that must not fail, except where a case asks it to.
#[derive(Clone)]
pub(super) struct Probe {
    pub(super) store: Arc<dyn Store>,
}

impl Probe {
    pub(super) async fn fresh(factory: &dyn StoreFactory) -> Self {
        Self {
            store: factory.fresh().await,
        }
    }

    pub(super) async fn get(&self, kind: Kind, id: Uuid) -> Option<Record> {
        or_fail(self.store.get(kind, id).await, "get")
    }

    /// The body of a record that has to be there.
    pub(super) async fn body(&self, kind: Kind, id: Uuid) -> Value {
        let record = self.get(kind, id).await;
        body(&record.unwrap_or_else(|| panic!("the {kind} {id} should be there")))
    }

    pub(super) async fn find(&self, kind: Kind, field: &str, value: &str) -> Option<Uuid> {
        let key = UniqueKey::new(field, value);
        let found = or_fail(self.store.find(kind, &key).await, "find");
        found.map(|record| record.id)
    }

    pub(super) async fn list(&self, query: &Query) -> Vec<Record> {
        or_fail(self.store.list(query).await, &format!("{query:?}"))
    }

    pub(super) async fn ids(&self, query: &Query) -> Vec<Uuid> {
        self.list(query).await.iter().map(|r| r.id).collect()
    }

    /// The `name`s of the nodes that match a filter, in the order of their creation.
    pub(super) async fn names(&self, filter: Filter) -> Vec<String> {
        self.sorted(&Query::all(Kind::Node).filter(filter)).await
    }

    /// The `name`s that a query lists.
    pub(super) async fn sorted(&self, query: &Query) -> Vec<String> {
        self.list(query).await.iter().map(name).collect()
    }

    /// Fails unless a filter matches just the nodes of these names.
    pub(super) async fn expect_names(&self, filter: Filter, names: &[&str]) {
        assert_eq!(
            self.names(filter.clone()).await,
            names,
            "{filter:?} should match these"
        );
    }

    pub(super) async fn count(&self, kind: Kind, filter: &Filter) -> u64 {
        or_fail(self.store.count(kind, filter).await, "count")
    }

    pub(super) async fn commit(&self, ops: Vec<Op>) -> Vec<Revision> {
        let batch = Batch { fence: None, ops };
        let answer = self.store.commit(batch.clone()).await;
        answer.unwrap_or_else(|error| panic!("the commit of {batch:?} should succeed: {error}"))
    }

    /// Commits a record whatever is there.
    pub(super) async fn put(&self, record: Record) -> Revision {
        self.commit(vec![put(record)]).await[0]
    }

    /// Puts a node with this name and this value in the member `field`.
    pub(super) async fn put_field(&self, n: u128, name: &str, value: Value) {
        let body = json!({"name": name, "field": value});
        self.put(record(Kind::Node, id(n), body)).await;
    }

    /// The error of a batch that has to be refused.
    pub(super) async fn refusal(&self, ops: Vec<Op>) -> StoreError {
        self.fenced_refusal(None, ops).await
    }

    /// The error of a batch with a fence that has to be refused.
    pub(super) async fn fenced_refusal(&self, fence: Option<Fence>, ops: Vec<Op>) -> StoreError {
        let batch = Batch { fence, ops };
        match self.store.commit(batch.clone()).await {
            Ok(revisions) => {
                panic!("{batch:?} should be refused, and was applied at {revisions:?}")
            }
            Err(error) => error,
        }
    }
}

fn or_fail<T>(answer: Result<T, StoreError>, what: &str) -> T {
    answer.unwrap_or_else(|error| panic!("{what} should succeed: {error}"))
}

/// The n-th identity.
pub(super) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(super) fn record(kind: Kind, id: Uuid, body: Value) -> Record {
    let body = to_raw_value(&body).unwrap_or_else(|e| panic!("the body should be JSON: {e}"));
    Record {
        kind,
        id,
        created: Revision::default(),
        revision: Revision::default(),
        schema: 1,
        keys: Vec::new(),
        body: body.into(),
    }
}

/// The n-th node, named so.
pub(super) fn node(n: u128, name: &str) -> Record {
    record(Kind::Node, id(n), json!({ "name": name }))
}

/// The n-th node with these unique keys.
pub(super) fn keyed(n: u128, keys: &[(&str, &str)]) -> Record {
    let mut record = node(n, "keyed");
    record.keys = keys.iter().map(|(f, v)| UniqueKey::new(*f, v)).collect();
    record
}

pub(super) fn put(record: Record) -> Op {
    put_if(record, Expect::Any)
}

pub(super) fn put_if(record: Record, expect: Expect) -> Op {
    Op::Put { record, expect }
}

pub(super) fn delete(kind: Kind, id: Uuid) -> Op {
    delete_if(kind, id, Expect::Any)
}

pub(super) fn delete_if(kind: Kind, id: Uuid, expect: Expect) -> Op {
    Op::Delete { kind, id, expect }
}

pub(super) fn conflict(kind: Kind, id: Uuid) -> StoreError {
    StoreError::Conflict { kind, id }
}

pub(super) fn duplicate(kind: Kind, field: &str, value: &str) -> StoreError {
    let key = UniqueKey::new(field, value);
    StoreError::Duplicate { kind, key }
}

/// The body of a record as a value.
pub(super) fn body(record: &Record) -> Value {
    serde_json::from_str(record.body.get()).unwrap_or_else(|error| {
        let (kind, id) = (record.kind, record.id);
        panic!("the body of {kind} {id} should be JSON: {error}")
    })
}

fn name(record: &Record) -> String {
    body(record)["name"].as_str().unwrap_or("").to_owned()
}
