//! `GET /v1/ports`.

use axum::Json;
use ironic_core::model::Node;
use ironic_core::store::{Filter, Kind, Query, Scalar};
use serde_json::Value;

use super::super::args;
use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident};
use super::super::fault::Fault;
use super::super::fields;
use super::super::paging::{Listing, Page};
use super::super::version::since;
use super::view::{FEW, check_version, is_selectable, show, sort_path};

/// `GET /v1/ports`.
pub(super) async fn list(
    caller: Caller,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    few_or_asked(&caller, query, None).await
}

/// `GET /v1/nodes/{ident}/ports`.
pub(in super::super) async fn list_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    few_or_asked(&caller, query, Some(ident)).await
}

/// `GET /v1/ports/detail`.
pub(super) async fn detail(
    caller: Caller,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let selection = Selection::take(&caller, query, None).await?;
    selection.answer(&caller, "ports/detail", None, None).await
}

/// `GET /v1/nodes/{ident}/ports/detail`.
pub(in super::super) async fn detail_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let selection = Selection::take(&caller, query, Some(ident)).await?;
    selection.answer(&caller, "ports/detail", None, None).await
}

async fn few_or_asked(
    caller: &Caller,
    mut query: Arguments,
    of: Option<String>,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    let detail = query.flag("detail")?;
    if let Some(asked) = &asked {
        caller.version.need(since::FIELDS_QUERY)?;
        check_version(caller.version, asked.iter().map(String::as_str))?;
        fields::check_known(asked, is_selectable)?;
    }
    let selection = Selection::take(caller, query, of).await?;
    let asked = fields::requested(caller.version, asked, detail, FEW)?;
    selection
        .answer(caller, "ports", asked.as_deref(), detail)
        .await
}

/// Which ports, and which page of them.
struct Selection {
    filter: Filter,
    page: Page,
}

impl Selection {
    async fn take(
        caller: &Caller,
        mut query: Arguments,
        of: Option<String>,
    ) -> Result<Self, Fault> {
        let page = Page::take(&mut query, caller.api.settings.max_limit)?;
        let node = query.ident("node")?;
        let uuid = query.uuid("node_uuid")?.map(|id| id.to_string());
        let address = query.mac("address")?;
        let shards = query.list("shard")?;
        let groups = query.list("conductor_groups")?;
        let within = query.text("description_contains")?;
        query.end()?;
        check_version(caller.version, [page.sort_key.as_str()])?;
        if sort_path(&page.sort_key).is_none() {
            return Err(Fault::bad("sort_key names no field that has an order"));
        }
        let named = of.or(uuid);
        if named.is_none() {
            check_node_by_name(caller, node.as_deref())?;
        }
        let node = named.or(node);
        if shards.is_some() {
            caller.version.need(since::SHARDS)?;
        }
        if node.is_some() && shards.is_some() {
            return Err(Fault::bad("node and shard exclude each other"));
        }
        if groups.is_some() && (node.is_some() || address.is_some()) {
            return Err(Fault::bad(
                "conductor_groups and node or address exclude each other",
            ));
        }
        let mut filter = Filter::All;
        if let Some(ident) = &node {
            let node = caller.node(ident).await?;
            filter = filter.and(Filter::text("node_uuid", node.uuid.to_string()));
        } else if let Some(address) = address {
            filter = filter.and(Filter::text("address", address));
        }
        if let Some(names) = shards {
            filter = filter.and(of_nodes(caller, "shard", names).await?);
        }
        if let Some(names) = groups {
            filter = filter.and(of_nodes(caller, "conductor_group", names).await?);
        }
        if let Some(within) = within {
            filter = filter.and(Filter::Like("description".to_owned(), within));
        }
        Ok(Self { filter, page })
    }

    async fn answer(
        self,
        caller: &Caller,
        path: &'static str,
        asked: Option<&[String]>,
        detail: Option<bool>,
    ) -> Result<Json<Value>, Fault> {
        if let Some(marker) = self.page.marker {
            caller.client.port(marker).await?;
        }
        let sort = sort_path(&self.page.sort_key).flatten();
        let query = Query::all(Kind::Port).filter(self.filter);
        let ports = caller.client.ports(&self.page.of(query, sort)).await?;
        let last = ports.last().map(|port| port.uuid.to_string());
        let items = ports
            .iter()
            .map(|port| show(caller, port, asked))
            .collect::<Result<Vec<_>, _>>()?;
        let word = |detail| if detail { "True" } else { "False" };
        let listing = Listing {
            name: "ports",
            path,
            fields: asked,
            with: detail
                .map(|detail| ("detail", word(detail).to_owned()))
                .into_iter()
                .collect(),
        };
        Ok(Json(listing.answer(
            &caller.endpoint,
            &self.page,
            items,
            last,
        )))
    }
}

/// Nodes have names since 1.5 only.
fn check_node_by_name(caller: &Caller, ident: Option<&str>) -> Result<(), Fault> {
    match ident {
        Some(ident) if args::parse_uuid(ident).is_none() => caller.version.need(since::NODE_NAME),
        _ => Ok(()),
    }
}

/// The ports of the nodes of which the field has one of these values.
async fn of_nodes(caller: &Caller, field: &str, values: Vec<String>) -> Result<Filter, Fault> {
    let values = values.into_iter().map(Scalar::String).collect();
    let query = Query::all(Kind::Node).filter(Filter::In(field.to_owned(), values));
    let nodes: Vec<Node> = caller.client.nodes(&query).await?;
    let ids = nodes
        .iter()
        .map(|node| Scalar::String(node.uuid.to_string()))
        .collect();
    Ok(Filter::In("node_uuid".to_owned(), ids))
}
