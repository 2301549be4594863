//! `/v1/chassis`: what machines stand in.

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};
use ironic_core::model::Chassis;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::fields::{Fields, fields};
use super::records::{Resource, detail_route};
use super::schema::{Is, Schema};
use super::{Api, nodes, root};

impl Resource for Chassis {
    const PATH: &'static str = "chassis";
    const LIST: &'static str = Self::PATH;
    const FIELDS: Fields = fields! {
        "uuid" since 1, Null, takes(Is::Uuid), brief;
        "description" since 1, Null, takes(Is::Text(0, 255)), patchable, brief;

        "created_at" since 1, Null;
        "extra" since 1, Object, takes(Is::Object), patchable, unordered;
        "nodes" since 1, Null, unordered;
        "updated_at" since 1, Null;
    };
    const BODY: Schema = Schema::new("chassis", Self::FIELDS);
    const NAMED: bool = false;

    fn dress(&self, caller: &Caller, shown: &mut Map<String, Value>) {
        let links = caller
            .endpoint
            .both(&format!("chassis/{}/nodes", self.uuid));
        // A list within a list: clients of the original know it so.
        shown.insert("nodes".to_owned(), json!([links]));
    }
}

/// The routes beside those of every resource.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .merge(detail_route::<Chassis>())
        .route(
            "/chassis/{ident}/nodes",
            get(nodes::list_of_chassis).post(root::not_within_another),
        )
        .route(
            "/chassis/{ident}/nodes/detail",
            get(nodes::detail_of_chassis),
        )
        .route(
            "/chassis/{ident}/nodes/{node}",
            any(root::not_within_another),
        )
}
