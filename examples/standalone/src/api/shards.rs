//! `/v1/shards`: how many nodes there are in each.

use std::collections::BTreeMap;

use axum::Json;
use ironic_core::Error;
use ironic_core::store::{Kind, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::QueryArguments;
use super::caller::Caller;
use super::document::{Member, Refusal, Routes, Shape, about, get, refused, shows};
use super::fault::Fault;

/// How many nodes each shard has.
const COUNTS: Shape = Shape::Members(&[Member::new(
    "shards",
    Shape::List(&Shape::Members(&[
        Member::new(
            "name",
            Shape::Text,
            "Its name; None for the nodes of no shard.",
        ),
        Member::new("count", Shape::Integer, "How many nodes it has."),
    ])),
    "The shards, the largest first.",
)
.required()]);

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::of("Shards")
        .route(
            "/shards",
            get(
                list,
                about("Counts the nodes of each shard.", shows(COUNTS)),
            ),
        )
        .route("/shards/{name}", refused(Refusal::OnlyListed))
}

/// What is read of a node.
#[derive(Deserialize)]
struct Sharded {
    shard: Option<String>,
}

async fn list(caller: Caller, QueryArguments(_): QueryArguments) -> Result<Json<Value>, Fault> {
    caller.need("baremetal:shards:get")?;
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
