//! `/v1/volume`: which volumes machines use, and how they are known to what those come from.

mod connectors;
mod targets;

use axum::Json;
use axum::routing::MethodFilter;
use ironic_core::model::{VolumeConnector, VolumeTarget};
use ironic_core::store::Filter;
use serde_json::{Value, json};

use super::arguments::{Arguments, QueryArguments};
use super::caller::{Caller, Ident};
use super::document::{Member, Refusal, Routes, Shape, about, get, refused, shows};
use super::fault::Fault;
use super::fields::Fields;
use super::patch::Patch;
use super::records::{about_list, list_of_node};
use super::version::Version;
use super::{args, records};

/// The name under which the routes are told.
const TAG: &str = "Volumes";

/// Which of them a list is of.
const FILTERS: &[Member] = &[Member::new("node", Shape::Ident, "Those of this node.")];

/// Where volumes are listed.
const LINKS: Shape = Shape::Members(&[
    Member::new("links", Shape::Links, "Where it is.").required(),
    Member::new("connectors", Shape::Links, "Where the connectors are.").required(),
    Member::new("targets", Shape::Links, "Where the targets are.").required(),
]);

/// Who may see where volumes are listed.
const SEE: &str = "baremetal:volume:get";

/// The routes.
pub(super) fn routes() -> Routes {
    let links = shows(LINKS);
    let within = || refused(Refusal::WithinAnother);
    Routes::of(TAG)
        .route(
            "/volume",
            get(show, about("Tells where volumes are listed.", links)),
        )
        .merge(records::routes::<VolumeConnector>())
        .merge(records::routes::<VolumeTarget>())
        .route(
            "/nodes/{ident}/volume",
            get(
                show_of_node,
                about("Tells where the volumes of a node are listed.", links),
            ),
        )
        .route(
            "/nodes/{ident}/volume/connectors",
            get(
                list_of_node::<VolumeConnector>,
                about_list::<VolumeConnector>("Lists how a node is known to its volumes."),
            )
            .refuses(MethodFilter::POST, Refusal::WithinAnother),
        )
        .route("/nodes/{ident}/volume/connectors/{uuid}", within())
        .route(
            "/nodes/{ident}/volume/targets",
            get(
                list_of_node::<VolumeTarget>,
                about_list::<VolumeTarget>("Lists the volumes of a node."),
            )
            .refuses(MethodFilter::POST, Refusal::WithinAnother),
        )
        .route("/nodes/{ident}/volume/targets/{uuid}", within())
}

async fn show(caller: Caller, QueryArguments(query): QueryArguments) -> Result<Json<Value>, Fault> {
    query.end()?;
    caller.need(SEE)?;
    Ok(links(&caller, "volume/"))
}

async fn show_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    caller.need(SEE)?;
    Ok(links(&caller, &format!("nodes/{ident}/volume/")))
}

fn links(caller: &Caller, path: &str) -> Json<Value> {
    Json(json!({
        "links": caller.endpoint.both(path),
        "connectors": caller.endpoint.both(&format!("{path}connectors")),
        "targets": caller.endpoint.both(&format!("{path}targets")),
    }))
}

/// Those of the node that the query names.
async fn of_node(caller: &Caller, query: &mut Arguments) -> Result<Filter, Fault> {
    match query.ident("node")? {
        None => Ok(Filter::All),
        Some(ident) => {
            let node = caller.visible_node(&ident).await?;
            Ok(Filter::text("node_uuid", node.uuid.to_string()))
        }
    }
}

/// A volume's node is named by its uuid alone.
fn check_patch(fields: Fields, version: Version, patch: &Patch) -> Result<(), Fault> {
    patch.check_fields(version, &fields.patchable_in(version))?;
    let nodes = patch.values("/node_uuid");
    match nodes.into_iter().find(|node| !args::is_uuid_like(node)) {
        None => Ok(()),
        Some(_) => Err(Fault::bad("node_uuid must be a uuid")),
    }
}
