//! `/v1/shards`: how many nodes there are in each.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use ironic_core::Error;
use ironic_core::store::{Kind, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::arguments::QueryArguments;
use super::caller::{Caller, Segment};
use super::fault::Fault;

/// The routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/shards", get(list))
        .route("/shards/{name}", get(show))
}

/// What is read of a node.
#[derive(Deserialize)]
struct Sharded {
    shard: Option<String>,
}

async fn list(caller: Caller, QueryArguments(_): QueryArguments) -> Result<Json<Value>, Fault> {
    let query = Query::all(Kind::Node).fields(vec!["shard".to_owned()]);
    let nodes = caller.client.repository().store().list(&query).await;
    let mut counts = BTreeMap::<Option<String>, u64>::new();
    for node in nodes.map_err(Error::from)? {
        let node: Sharded = serde_json::from_str(node.body.get())
            .map_err(|error| Error::internal(format!("a node cannot be read: {error}")))?;
        *counts.entry(node.shard).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    // Nodes of no shard are counted under what the original's clients see there.
    let shown = |(name, count): (Option<String>, u64)| {
        let name = name.unwrap_or_else(|| "None".to_owned());
        json!({"name": name, "count": count})
    };
    let shards: Vec<_> = counts.into_iter().map(shown).collect();
    Ok(Json(json!({"shards": shards})))
}

/// A shard has nothing to be shown but its nodes.
async fn show(Segment(name): Segment) -> Fault {
    let shown: String = name.chars().take(80).collect();
    Fault::not_found(format!("shards are listed only: see nodes?shard={shown}"))
}
