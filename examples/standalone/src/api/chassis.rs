//! `/v1/chassis`: what machines stand in.

use axum::routing::MethodFilter;
use ironic_core::model::Chassis;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::document::{Refusal, Routes, Shape, about, get, listed, refused};
use super::fields::{Fields, fields};
use super::nodes;
use super::records::{Governed, Resource, detail_route};
use super::schema::{Is, Schema};
use super::version::since;

impl Resource for Chassis {
    const PATH: &'static str = "chassis";
    const LIST: &'static str = Self::PATH;
    const POLICY: &'static str = "chassis";
    const GOVERNED: Governed = Governed::Alone;
    const FIELDS: Fields = fields! {
        "uuid" since 1, Null, takes(Is::Uuid), brief;
        "description" since 1, Null, takes(Is::Text(0, 255)), patchable, brief;

        "created_at" since 1, Null;
        "extra" since 1, Object, takes(Is::Object), patchable, unordered;
        "nodes" since 1, Null, unordered, reads(Shape::List(&Shape::Links));
        "updated_at" since 1, Null;
    };
    const BODY: Schema = Schema::new("chassis", Self::FIELDS);
    const TAG: &'static str = "Chassis";
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
pub(super) fn routes() -> Routes {
    detail_route::<Chassis>()
        .route(
            "/chassis/{ident}/nodes",
            get(
                nodes::list_of_chassis,
                about(
                    "Lists the nodes in a chassis.",
                    listed("nodes", &nodes::SHOWN),
                )
                .query(nodes::FILTERS)
                .paged(nodes::FIELDS)
                .selects(nodes::FIELDS)
                .details(since::DETAIL_QUERY),
            )
            .refuses(MethodFilter::POST, Refusal::WithinAnother),
        )
        .route(
            "/chassis/{ident}/nodes/detail",
            get(
                nodes::detail_of_chassis,
                about(
                    "Lists the nodes in a chassis with every field.",
                    listed("nodes", &nodes::SHOWN),
                )
                .query(nodes::FILTERS)
                .paged(nodes::FIELDS),
            ),
        )
        .route(
            "/chassis/{ident}/nodes/{node}",
            refused(Refusal::WithinAnother),
        )
}
