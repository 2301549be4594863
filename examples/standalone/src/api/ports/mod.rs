//! `/v1/ports`.

mod change;
mod list;
mod view;

pub(super) use list::{
    detail_of_group, detail_of_node, list_of_group, list_of_node, of_nodes, of_project,
};
pub(super) use view::FIELDS;

use axum::Json;
use axum::routing::MethodFilter;
use http::StatusCode;
use ironic_core::Error;
use ironic_core::model::{Node, Port};
use serde_json::Value;

use super::args;
use super::arguments::QueryArguments;
use super::caller::{Caller, Segment};
use super::document::{
    DONE, Member, Record, Refusal, Routes, Shape, about, created, get, listed, shows,
};
use super::fault::Fault;
use super::permission::{SEE_NODE, of_node};
use super::schema::PORT;
use super::version::since;

/// A port as answers show it.
pub(super) const SHOWN: Shape = Shape::Record(Record::new("port", FIELDS));

/// Which ports a list is of.
pub(super) const FILTERS: &[Member] = &[
    Member::new("address", Shape::Mac, "The one with this address."),
    Member::new(
        "conductor_groups",
        Shape::List(&Shape::Text),
        "Those of nodes of these groups.",
    ),
    Member::new(
        "description_contains",
        Shape::Text,
        "Those of which the description has this.",
    ),
    Member::new("node", Shape::Ident, "Those of this node."),
    Member::new("node_uuid", Shape::Uuid, "Those of this node."),
    Member::new("portgroup", Shape::Ident, "Those of this port group.")
        .since(since::PORTGROUP_LINKS),
    Member::new(
        "shard",
        Shape::List(&Shape::Text),
        "Those of nodes of these shards.",
    )
    .since(since::SHARDS),
];

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::of("Ports")
        .route(
            "/ports",
            get(
                list::list,
                about("Lists ports.", listed("ports", &SHOWN))
                    .query(FILTERS)
                    .paged(FIELDS)
                    .selects(FIELDS)
                    .details(since::DETAIL_QUERY),
            )
            .post(
                change::create,
                about("Adds a port to a node.", created(SHOWN)).takes(Shape::Body(PORT)),
            )
            .refuses(
                MethodFilter::PATCH.or(MethodFilter::DELETE),
                Refusal::AsAWhole,
            ),
        )
        .route(
            "/ports/detail",
            get(
                list::detail,
                about("Lists ports with every field.", listed("ports", &SHOWN))
                    .query(FILTERS)
                    .paged(FIELDS),
            ),
        )
        .route(
            "/ports/{ident}",
            get(show, about("Shows a port.", shows(SHOWN)).selects(FIELDS))
                .patch(
                    change::patch,
                    about("Changes a port.", shows(SHOWN)).takes(Shape::Patch(PORT)),
                )
                .delete(change::delete, about("Removes a port.", DONE)),
        )
}

/// The port of this uuid or name.
async fn port(caller: &Caller, ident: &str) -> Result<Port, Fault> {
    if let Some(id) = args::parse_uuid(ident) {
        return Ok(caller.client.port(id).await?);
    }
    if !args::is_logical_name(ident) {
        let shown: String = ident.chars().take(80).collect();
        return Err(Fault::bad(format!(
            "{shown:?} is neither a uuid nor a name"
        )));
    }
    let repository = caller.client.repository();
    let found = repository.find::<Port>("name", ident).await?;
    let found = found.map(|port| port.value);
    Ok(found.ok_or_else(|| Error::not_found("port", ident))?)
}

/// The port of this uuid or name, to do to it what the rule governs, and its node.
async fn port_to(caller: &Caller, rule: &str, ident: &str) -> Result<(Port, Node), Fault> {
    let port = port(caller, ident).await?;
    let node = caller.client.node(port.node_uuid).await?;
    if !caller.may_to(SEE_NODE, &of_node(&node)) {
        return Err(Error::not_found("port", ident).into());
    }
    caller.need_to(rule, &of_node(&node))?;
    Ok((port, node))
}

/// `GET /v1/ports/{ident}`.
async fn show(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    let (port, _) = port_to(&caller, "baremetal:port:get", &ident).await?;
    if let Some(asked) = &asked {
        caller.version.need(since::FIELDS_QUERY)?;
        FIELDS.check_asked(caller.version, Some(asked))?;
    }
    view::show(&caller, &port, asked.as_deref()).map(Json)
}

/// What a deletion is answered.
const DELETED: StatusCode = StatusCode::NO_CONTENT;
