//! `GET /v1/ports`.

use axum::response::Response;
use http::StatusCode;
use ironic_core::Error;
use ironic_core::model::{Node, Portgroup};
use ironic_core::store::{Filter, Kind, Query, Scalar};

use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident, Segment, only_uuid};
use super::super::fault::Fault;
use super::super::paging::{Items, Listing, Page};
use super::super::permission::{SEE_NODE, of_node};
use super::super::version::since;
use super::super::{args, nodes, records};
use super::view::{FIELDS, show, sort_path};

/// `GET /v1/ports`.
pub(super) async fn list(
    caller: Caller,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    few_or_asked(&caller, query, Within::All).await
}

/// `GET /v1/nodes/{ident}/ports`.
pub(in super::super) async fn list_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    few_or_asked(&caller, query, Within::Node(only_uuid(ident)?)).await
}

/// `GET /v1/ports/detail`.
pub(super) async fn detail(
    caller: Caller,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    let selection = Selection::take(&caller, query, Within::All).await?;
    selection.answer(&caller, "ports/detail", None, None).await
}

/// `GET /v1/nodes/{ident}/ports/detail`.
pub(in super::super) async fn detail_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    let selection = Selection::take(&caller, query, Within::Node(only_uuid(ident)?)).await?;
    selection.answer(&caller, "ports/detail", None, None).await
}

async fn few_or_asked(
    caller: &Caller,
    mut query: Arguments,
    of: Within,
) -> Result<Response, Fault> {
    let asked = query.list("fields")?;
    let detail = query.flag("detail")?;
    if let Some(asked) = &asked {
        caller.version.need(since::FIELDS_QUERY)?;
        FIELDS.check_asked(caller.version, Some(asked))?;
    }
    let selection = Selection::take(caller, query, of).await?;
    let asked = FIELDS.requested(caller.version, asked, detail)?;
    selection
        .answer(caller, "ports", asked.as_deref(), detail)
        .await
}

/// `GET /v1/portgroups/{ident}/ports`.
pub(in super::super) async fn list_of_group(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    few_or_asked(&caller, query, Within::group(&caller, ident)?).await
}

/// `GET /v1/portgroups/{ident}/ports/detail`.
pub(in super::super) async fn detail_of_group(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    let within = Within::group(&caller, ident)?;
    let selection = Selection::take(&caller, query, within).await?;
    selection.answer(&caller, "ports/detail", None, None).await
}

/// What the path says of which ports: those of a node, those of a port group, or nothing.
enum Within {
    All,
    Node(String),
    Group(String),
}

impl Within {
    fn group(caller: &Caller, ident: String) -> Result<Self, Fault> {
        if caller.version.has(since::PORTGROUP_LINKS) {
            return only_uuid(ident).map(Self::Group);
        }
        let message = "the ports of a port group need at least version 1.24 of the API";
        Err(Fault::routing(StatusCode::NOT_FOUND, message))
    }
}

/// Which ports, and which page of them.
struct Selection {
    filter: Filter,
    page: Page,
}

impl Selection {
    async fn take(caller: &Caller, mut query: Arguments, of: Within) -> Result<Self, Fault> {
        let page = Page::take(&mut query, caller.api.settings.max_limit)?;
        let listed = listed(caller, &of).await?;
        let node = query.ident("node")?;
        let uuid = query.uuid("node_uuid")?.map(|id| id.to_string());
        let group = query.ident("portgroup")?;
        let address = query.mac("address")?;
        let shards = query.list("shard")?;
        let groups = query.list("conductor_groups")?;
        let within = query.text("description_contains")?;
        query.end()?;
        FIELDS.check_sort_key(caller.version, &page.sort_key)?;
        let (in_node, in_group) = match of {
            Within::All => (None, None),
            Within::Node(ident) => (Some(ident), None),
            Within::Group(ident) => (None, Some(ident)),
        };
        let named = in_node.or(uuid);
        if named.is_none() {
            check_node_by_name(caller, node.as_deref())?;
        }
        let node = named.or(node);
        let group = in_group.or(group);
        if group.is_some() {
            caller.version.need(since::PORTGROUP_LINKS)?;
        }
        if shards.is_some() {
            caller.version.need(since::SHARDS)?;
        }
        let given = [node.is_some(), group.is_some(), shards.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(Fault::new(
                StatusCode::FORBIDDEN,
                "node, portgroup and shard exclude each other",
            ));
        }
        if groups.is_some() && (node.is_some() || group.is_some() || address.is_some()) {
            return Err(Fault::bad(
                "conductor_groups excludes node, portgroup and address",
            ));
        }
        let mut filter = listed;
        if let Some(ident) = &group {
            let group: Portgroup = records::find(caller, ident).await?;
            filter = filter.and(Filter::text("portgroup_uuid", group.uuid.to_string()));
        } else if let Some(ident) = &node {
            let node = caller.visible_node(ident).await?;
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
    ) -> Result<Response, Fault> {
        if let Some(marker) = self.page.marker {
            caller.client.port(marker).await?;
        }
        let sort = sort_path(&self.page.sort_key);
        let query = Query::all(Kind::Port).filter(self.filter);
        let ports = caller.client.ports(&self.page.of(query, sort)).await?;
        let last = ports.last().map(|port| port.uuid.to_string());
        let mut items = Items::of("ports");
        for port in &ports {
            items.push(&show(caller, port, asked)?)?;
        }
        let word = |detail| if detail { "True" } else { "False" };
        let listing = Listing {
            path,
            fields: asked,
            lead: "",
            with: detail
                .map(|detail| ("detail", word(detail).to_owned()))
                .into_iter()
                .collect(),
        };
        Ok(listing.answer(&caller.endpoint, &self.page, items, last))
    }
}

/// The ports that the caller is shown, of those that the path is about.
async fn listed(caller: &Caller, of: &Within) -> Result<Filter, Fault> {
    match of {
        Within::All => {}
        Within::Node(ident) => {
            caller.visible_node(ident).await?;
        }
        Within::Group(ident) => {
            let group: Portgroup = records::find(caller, ident).await?;
            let node = caller.client.node(group.node_uuid).await?;
            if !caller.may_to(SEE_NODE, &of_node(&node)) {
                return Err(Error::not_found("port group", ident).into());
            }
        }
    }
    match caller.listed_project("port", None)? {
        None => Ok(Filter::All),
        Some(project) => of_project(caller, project).await,
    }
}

/// What belongs to the nodes that the project owns or leases.
pub(in super::super) async fn of_project(
    caller: &Caller,
    project: String,
) -> Result<Filter, Fault> {
    let query = Query::all(Kind::Node).filter(nodes::of_project(Some(project)));
    let nodes = caller.client.node_summaries(&query).await?;
    let ids = nodes
        .iter()
        .map(|node| Scalar::String(node.uuid.to_string()))
        .collect();
    Ok(Filter::In("node_uuid".to_owned(), ids))
}

/// Nodes have names since 1.5 only.
fn check_node_by_name(caller: &Caller, ident: Option<&str>) -> Result<(), Fault> {
    match ident {
        Some(ident) if args::parse_uuid(ident).is_none() => caller.version.need(since::NODE_NAME),
        _ => Ok(()),
    }
}

/// The ports of the nodes of which the field has one of these values.
pub(in super::super) async fn of_nodes(
    caller: &Caller,
    field: &str,
    values: Vec<String>,
) -> Result<Filter, Fault> {
    let values = values.into_iter().map(Scalar::String).collect();
    let query = Query::all(Kind::Node).filter(Filter::In(field.to_owned(), values));
    let nodes: Vec<Node> = caller.client.nodes(&query).await?;
    let ids = nodes
        .iter()
        .map(|node| Scalar::String(node.uuid.to_string()))
        .collect();
    Ok(Filter::In("node_uuid".to_owned(), ids))
}
