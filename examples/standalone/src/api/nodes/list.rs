//! `GET /v1/nodes`.

use axum::Json;
use axum::response::Response;
use ironic_core::Error;
use ironic_core::model::{Chassis, Node, NodeSummary};
use ironic_core::states::ProvisionState;
use ironic_core::store::{Filter, Kind, Query, Record, Scalar, Stored};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident, Segment};
use super::super::fault::Fault;
use super::super::paging::{Items, Listing, Page};
use super::super::version::{Version, since};
use super::fields::{FIELDS, sort_path};
use super::view::{show_all, show_summaries};

/// The faults that the engine puts nodes into maintenance for.
pub(super) const FAULTS: &[&str] = &[
    "power failure",
    "clean failure",
    "rescue abort failure",
    "service failure",
];

/// Arguments that compare one field with one text: their names, and from which version on.
const TEXT_FILTERS: &[(&str, u16)] = &[
    ("driver", since::DRIVER_FILTER),
    ("resource_class", since::RESOURCE_CLASS),
    ("owner", since::OWNER),
    ("lessee", since::LESSEE),
    ("instance_name", since::INSTANCE_NAME),
];

/// `GET /v1/nodes`.
pub(super) async fn list(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Response, Fault> {
    let asked = query.list("fields")?;
    let detail = query.flag("detail")?;
    let children = Children::take(&mut query)?;
    let selection = Selection::take(&caller, query, &children)?;
    if children.is_asked() {
        caller.version.need(since::CHILD_NODES)?;
    }
    if let Some(asked) = &asked {
        caller.version.need(since::FIELDS_QUERY)?;
        FIELDS.check_asked(caller.version, Some(asked))?;
    }
    let asked = FIELDS.requested(caller.version, asked, detail)?;
    selection
        .answer(&caller, "nodes", asked.as_deref(), detail)
        .await
}

/// `GET /v1/chassis/{uuid}/nodes`.
pub(in super::super) async fn list_of_chassis(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Response, Fault> {
    query.give("chassis_uuid", ident);
    list(caller, QueryArguments(query)).await
}

/// `GET /v1/chassis/{uuid}/nodes/detail`.
pub(in super::super) async fn detail_of_chassis(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Response, Fault> {
    query.give("chassis_uuid", ident);
    detail(caller, QueryArguments(query)).await
}

/// `GET /v1/nodes/detail`.
pub(super) async fn detail(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Response, Fault> {
    let children = Children::take(&mut query)?;
    let selection = Selection::take(&caller, query, &children)?;
    selection.answer(&caller, "nodes/detail", None, None).await
}

/// `GET /v1/nodes/{ident}/children`.
pub(super) async fn children(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    if !caller.version.has(since::CHILD_NODES) {
        return Err(Fault::not_found("there are no child nodes in this version"));
    }
    let parent = caller.visible_node(&ident).await?.uuid;
    let project = caller.listed_project("node", None)?;
    let of_parent = Filter::text("parent_node", parent.to_string());
    let query = Query::all(Kind::Node).filter(of_parent.and(of_project(project)));
    let children = caller.client.nodes(&query).await?;
    let ids: Vec<_> = children.iter().map(|node| node.uuid.to_string()).collect();
    Ok(Json(json!({
        "children": ids,
        "links": {
            "href": caller.endpoint.url(&format!("nodes?parent_node={parent}")),
            "rel": "children",
        },
    })))
}

/// Whether nodes within nodes are listed: none, all besides the others, or those of one node.
#[derive(Debug, Clone)]
struct Children {
    include: Option<bool>,
    of: Option<String>,
}

impl Children {
    fn take(query: &mut Arguments) -> Result<Self, Fault> {
        Ok(Self {
            include: query.flag("include_children")?,
            of: query.text("parent_node")?,
        })
    }

    fn is_asked(&self) -> bool {
        self.include.is_some() || self.of.is_some()
    }

    fn filter(&self) -> Filter {
        match (self.include, &self.of) {
            (Some(true), _) => Filter::All,
            (_, Some(parent)) => Filter::text("parent_node", parent),
            _ => Filter::Null("parent_node".to_owned()),
        }
    }
}

/// Which nodes, and which page of them.
struct Selection {
    filter: Filter,
    page: Page,
    /// Only the nodes in this chassis.
    chassis: Option<Uuid>,
    /// Only the nodes that this conductor looks after.
    conductor: Option<String>,
    /// Whether there can be no next page.
    single: bool,
    /// What the next page is asked for with, besides the page itself.
    with: Vec<(&'static str, String)>,
}

impl Selection {
    fn take(caller: &Caller, mut query: Arguments, children: &Children) -> Result<Self, Fault> {
        let version = caller.version;
        let page = Page::take(&mut query, caller.api.settings.max_limit)?;
        FIELDS.check_sort_key(version, &page.sort_key)?;
        let mut filter = children.filter();
        let mut with = Vec::new();
        for (name, field) in [
            ("associated", "instance_uuid"),
            ("maintenance", "maintenance"),
            ("retired", "retired"),
        ] {
            let Some(on) = query.flag(name)? else {
                continue;
            };
            filter = filter.and(match name {
                "associated" => set(field, on),
                _ => Filter::flag(field, on),
            });
            if on {
                with.push((name, "True".to_owned()));
            }
        }
        let project = caller.listed_project("node", query.text("project")?.as_deref())?;
        filter = texts(version, &mut query, filter)?.and(of_project(project));
        filter = states(version, &mut query, filter)?;
        filter = shards(version, &mut query, filter)?;
        let chassis = query.uuid("chassis_uuid")?;
        let instance = query.uuid("instance_uuid")?;
        for (field, id) in [("chassis_uuid", chassis), ("instance_uuid", instance)] {
            if let Some(id) = id {
                filter = filter.and(Filter::text(field, id.to_string()));
            }
        }
        let conductor = query.text("conductor")?;
        if conductor.is_some() {
            version.need(since::CONDUCTORS)?;
        }
        query.end()?;
        Ok(Self {
            filter,
            page,
            chassis,
            conductor,
            single: instance.is_some(),
            with,
        })
    }

    async fn answer(
        mut self,
        caller: &Caller,
        path: &'static str,
        asked: Option<&[String]>,
        detail: Option<bool>,
    ) -> Result<Response, Fault> {
        if let Some(marker) = self.page.marker {
            caller.client.node(marker).await?;
        }
        if let Some(chassis) = self.chassis {
            caller.client.record::<Chassis>(chassis).await?;
        }
        let sort = sort_path(&self.page.sort_key);
        let query = Query::all(Kind::Node).filter(std::mem::replace(&mut self.filter, Filter::All));
        let query = self.page.of(query, sort);
        let brief = asked.filter(|asked| is_brief(asked) && self.conductor.is_none());
        let _turn = caller.api.turn(self.page.limit()).await;
        let (items, last) = match brief {
            Some(asked) => {
                let nodes = caller.client.node_summaries(&query).await?;
                let items = show_summaries(caller, &nodes, asked)?;
                (items, nodes.last().map(|node| node.uuid))
            }
            None => self.whole(caller, &query, asked).await?,
        };
        if let Some(detail) = detail {
            let word = if detail { "True" } else { "False" };
            self.with.push(("detail", word.to_owned()));
        }
        let last = last.filter(|_| !self.single).map(|id| id.to_string());
        let listing = Listing {
            path,
            fields: asked,
            lead: "",
            with: self.with,
        };
        Ok(listing.answer(&caller.endpoint, &self.page, items, last))
    }

    /// The nodes by their whole records, and which one is the last.
    async fn whole(
        &self,
        caller: &Caller,
        query: &Query,
        asked: Option<&[String]>,
    ) -> Result<(Items, Option<Uuid>), Fault> {
        let found = caller.client.repository().store().list(query).await;
        let mut records = found.map_err(Error::from)?;
        if let Some(conductor) = &self.conductor {
            records = looked_after_by(caller, records, conductor).await?;
        }
        let last = records.last().map(|record| record.id);
        Ok((show_all(caller, records, asked).await?, last))
    }
}

/// Whether no more is asked for than a summary tells.
fn is_brief(asked: &[String]) -> bool {
    let mut asked = asked.iter();
    asked.all(|field| NodeSummary::FIELDS.contains(&field.as_str()))
}

async fn looked_after_by(
    caller: &Caller,
    records: Vec<Record>,
    conductor: &str,
) -> Result<Vec<Record>, Fault> {
    let mut of = Vec::new();
    for record in records {
        let node = Stored::<Node>::try_from(record.clone())?.value;
        let owner = caller.client.membership().owner(&node).await;
        if owner.is_ok_and(|owner| owner == conductor) {
            of.push(record);
        }
    }
    Ok(of)
}

/// The nodes that a project owns or leases.
pub(in super::super) fn of_project(project: Option<String>) -> Filter {
    match project {
        None => Filter::All,
        Some(project) => Filter::Or(vec![
            Filter::text("owner", &project),
            Filter::text("lessee", &project),
        ]),
    }
}

/// Whether the field is set.
fn set(field: &str, on: bool) -> Filter {
    let null = Filter::Null(field.to_owned());
    if on {
        Filter::Not(Box::new(null))
    } else {
        null
    }
}

fn texts(version: Version, query: &mut Arguments, mut filter: Filter) -> Result<Filter, Fault> {
    for (name, from) in TEXT_FILTERS {
        if let Some(value) = query.text(name)? {
            version.need(*from)?;
            filter = filter.and(Filter::text(name, value));
        }
    }
    if let Some(group) = query.text("conductor_group")? {
        version.need(since::CONDUCTOR_GROUP)?;
        // Records leave the default group out.
        filter = filter.and(match group.to_lowercase().as_str() {
            "" => Filter::Null("conductor_group".to_owned()),
            group => Filter::text("conductor_group", group),
        });
    }
    if let Some(within) = query.text("description_contains")? {
        filter = filter.and(Filter::Like("description".to_owned(), within));
    }
    Ok(filter)
}

fn states(version: Version, query: &mut Arguments, mut filter: Filter) -> Result<Filter, Fault> {
    if let Some(state) = query.text("provision_state")? {
        version.need(since::PROVISION_STATE_FILTER)?;
        let state: ProvisionState = state
            .parse()
            .map_err(|error| Fault::bad(format!("provision_state: {error}")))?;
        filter = filter.and(Filter::text("provision_state", state.as_str()));
    }
    if let Some(fault) = query.text("fault")? {
        version.need(since::FAULT)?;
        if !FAULTS.contains(&fault.as_str()) {
            return Err(Fault::bad(format!(
                "fault must be one of {}",
                FAULTS.join(", ")
            )));
        }
        filter = filter.and(Filter::text("fault", fault));
    }
    Ok(filter)
}

fn shards(version: Version, query: &mut Arguments, mut filter: Filter) -> Result<Filter, Fault> {
    if let Some(shards) = query.list("shard")? {
        version.need(since::SHARDS)?;
        let shards = shards.into_iter().map(Scalar::String).collect();
        filter = filter.and(Filter::In("shard".to_owned(), shards));
    }
    if let Some(on) = query.flag("sharded")? {
        version.need(since::SHARDS)?;
        filter = filter.and(set("shard", on));
    }
    Ok(filter)
}
