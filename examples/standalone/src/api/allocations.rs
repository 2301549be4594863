//! `/v1/allocations`: claims on machines, and `/v1/nodes/{ident}/allocation`.

use axum::Json;
use http::StatusCode;
use ironic_core::Error;
use ironic_core::model::{Allocation, AllocationState};
use ironic_core::store::{Filter, Kind, Query};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::Target;

use super::args;
use super::arguments::{Arguments, QueryArguments};
use super::caller::{Caller, Ident, as_bad_request};
use super::document::{DONE, Member, Routes, Shape, about, get, shows};
use super::fault::Fault;
use super::fields::{Fields, fields};
use super::permission::{self, SEE_NODE};
use super::records::{Brevity, Governed, Resource, parse, record, rule, view};
use super::schema::{Is, Schema, TEXT};
use super::version::Version;
use super::version::since::{self, ALLOCATIONS};

impl Resource for Allocation {
    const PATH: &'static str = "allocations";
    const LIST: &'static str = Self::PATH;
    const POLICY: &'static str = "allocation";
    const GOVERNED: Governed = Governed::ByOwner;
    const FIELDS: Fields = fields! {
        "candidate_nodes" since ALLOCATIONS, List, takes(Is::Idents), unordered;
        "created_at" since ALLOCATIONS, Null;
        "extra" since ALLOCATIONS, Object, takes(Is::Object), patchable, unordered;
        "last_error" since ALLOCATIONS, Null;
        "name" since ALLOCATIONS, Null, takes(Is::NameOrNull), patchable;
        "node" since since::ALLOCATION_OF_A_NODE, Null, takes(TEXT), write_only;
        "node_uuid" since ALLOCATIONS, Null, unordered;
        "owner" since since::ALLOCATION_OWNER, Null, takes(Is::Text(0, 255)), unknown_before;
        "resource_class" since ALLOCATIONS, Null, takes(Is::Text(0, 80));
        "state" since ALLOCATIONS, Null;
        "traits" since ALLOCATIONS, List, takes(Is::Traits), unordered;
        "updated_at" since ALLOCATIONS, Null;
        "uuid" since ALLOCATIONS, Null, takes(TEXT);
    };
    const BODY: Schema = Schema::new("allocation", Self::FIELDS);
    const TAG: &'static str = "Allocations";
    const BREVITY: Brevity = Brevity::Whole;
    const FILTERS: &'static [Member] = &[
        Member::new("node", Shape::Ident, "The one that has this node."),
        Member::new("owner", Shape::Text, "Those of this project.").since(since::ALLOCATION_OWNER),
        Member::new("resource_class", Shape::Text, "Those of this class."),
        Member::new("state", Shape::Text, "Those in this state."),
    ];

    fn ident(&self) -> String {
        let given = self.given_id.clone();
        given.unwrap_or_else(|| self.uuid.to_string())
    }

    fn target(&self) -> Target<'_> {
        Target::allocation(self.owner.as_deref())
    }

    fn known_as(ident: &str) -> Option<Uuid> {
        Some(Self::id_of(ident))
    }

    fn check_body(version: Version, patched: bool, body: &Map<String, Value>) -> Result<(), Fault> {
        if patched {
            return Ok(());
        }
        if body.contains_key("owner") {
            version.need(since::ALLOCATION_OWNER)?;
        }
        if body.contains_key("node") && !version.has(since::ALLOCATION_OF_A_NODE) {
            return Err(Fault::bad(format!(
                "an allocation names its node since 1.{} only",
                since::ALLOCATION_OF_A_NODE
            )));
        }
        Ok(())
    }

    async fn refer(
        caller: &Caller,
        body: &mut Map<String, Value>,
        before: Option<&Self>,
    ) -> Result<(), Fault> {
        if before.is_some() {
            return Ok(());
        }
        authorize(caller, body)?;
        let any = caller.may(CREATE_RESTRICTED);
        let own = caller.project().filter(|_| !any);
        let mut candidates = Vec::new();
        let named = body.get("candidate_nodes").and_then(Value::as_array);
        for ident in named.into_iter().flatten().filter_map(Value::as_str) {
            let node = caller.any_node(ident).await;
            let node = node.map_err(Fault::of_something_else)?;
            let used_by = |project: &str| {
                [&node.owner, &node.lessee]
                    .iter()
                    .any(|of| of.as_deref() == Some(project))
            };
            if !own.is_none_or(used_by) {
                return Err(as_bad_request(Error::not_found("node", ident)));
            }
            candidates.push(Value::from(node.uuid.to_string()));
        }
        body.insert("candidate_nodes".to_owned(), candidates.into());
        let said = |body: &Map<String, Value>, name: &str| {
            let text = body.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let node = match said(body, "node") {
            Some(ident) => Some(caller.node_referred_to(&ident).await?),
            None => None,
        };
        body.remove("node");
        if said(body, "resource_class").is_none() {
            let class = match &node {
                Some(node) => node.resource_class.clone(),
                None => return Err(Fault::bad("resource_class is needed unless node is named")),
            };
            body.insert("resource_class".to_owned(), class.into());
        }
        let Some(node) = node else {
            return Ok(());
        };
        body.insert("node_uuid".to_owned(), node.uuid.to_string().into());
        if let (None, Some(instance)) = (said(body, "uuid"), node.instance_uuid) {
            body.insert("uuid".to_owned(), instance.to_string().into());
        }
        Ok(())
    }

    fn from_body(_: Version, mut body: Map<String, Value>) -> Result<Self, Fault> {
        let given = body.get("uuid").and_then(Value::as_str);
        let given = given.filter(|text| !text.is_empty() && args::parse_uuid(text).is_none());
        if let Some(text) = given.map(str::to_owned) {
            if text.chars().count() > 36 {
                return Err(Fault::bad("uuid must be a uuid"));
            }
            let id = Self::id_of(&text).to_string();
            body.insert("uuid".to_owned(), id.into());
            body.insert("given_id".to_owned(), text.into());
        }
        let state = AllocationState::Allocating.as_str();
        body.insert("state".to_owned(), state.into());
        parse(body)
    }

    async fn filter(caller: &Caller, query: &mut Arguments) -> Result<Filter, Fault> {
        let mut filter = Filter::All;
        if let Some(ident) = query.ident("node")? {
            let node = caller.node_referred_to(&ident).await?;
            filter = filter.and(Filter::text("node_uuid", node.uuid.to_string()));
        }
        let asked = query.text("owner")?;
        let owner = caller.listed_project(Self::POLICY, asked.as_deref())?;
        if asked.is_some() {
            caller.version.need(since::ALLOCATION_OWNER)?;
        }
        let rest = [query.text("resource_class")?, query.text("state")?, owner];
        for (name, value) in ["resource_class", "state", "owner"].into_iter().zip(rest) {
            if let Some(value) = value {
                filter = filter.and(Filter::text(name, value));
            }
        }
        Ok(filter)
    }

    fn dress(&self, _: &Caller, shown: &mut Map<String, Value>) {
        shown.insert("uuid".to_owned(), self.ident().into());
    }
}

/// Who may create allocations.
const CREATE: &str = "baremetal:allocation:create";

/// Who may create them for any project, of any nodes.
const CREATE_RESTRICTED: &str = "baremetal:allocation:create_restricted";

/// Who may create the allocation, and whose it becomes.
fn authorize(caller: &Caller, body: &mut Map<String, Value>) -> Result<(), Fault> {
    let project = caller.project();
    let owner = body.get("owner").and_then(Value::as_str);
    let owner = owner.filter(|owner| !owner.is_empty());
    let others = owner.is_some() && owner != project;
    if !caller.may(CREATE) {
        if others && project.is_some() {
            return caller.need(CREATE);
        }
        caller.need(CREATE_RESTRICTED)?;
        body.insert("owner".to_owned(), project.into());
        return Ok(());
    }
    if caller.is_of_system() {
        return Ok(());
    }
    if others {
        return caller.need(CREATE_RESTRICTED);
    }
    body.insert("owner".to_owned(), project.into());
    Ok(())
}

/// The routes beside those of every resource.
pub(super) fn routes() -> Routes {
    Routes::of(Allocation::TAG).route(
        "/nodes/{ident}/allocation",
        get(
            show_of_node,
            about(
                "Shows what a node is allocated to.",
                shows(record::<Allocation>()),
            )
            .selects_from_the_start(Allocation::FIELDS),
        )
        .delete(
            delete_of_node,
            about("Frees a node of its allocation.", DONE),
        ),
    )
}

async fn of_node(caller: &Caller, node: Uuid) -> Result<Allocation, Fault> {
    let filter = Filter::text("node_uuid", node.to_string());
    let query = Query::all(Kind::Allocation).filter(filter).limit(1);
    let mut found: Vec<Allocation> = caller.client.records(&query).await?;
    let found = found.pop();
    Ok(found.ok_or_else(|| Error::not_found("allocation for node", node))?)
}

async fn show_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    Allocation::FIELDS.check_asked(caller.version, asked.as_deref())?;
    let node = caller.any_node(&ident).await;
    let node = node.map_err(Fault::of_something_else)?;
    if !caller.may_to(SEE_NODE, &permission::of_node(&node)) {
        return Err(Error::not_found("node", &ident).into());
    }
    let allocation = of_node(&caller, node.uuid).await?;
    caller.need_to(&rule::<Allocation>("get"), &allocation.target())?;
    view(&caller, &allocation, asked.as_deref()).map(Json)
}

async fn delete_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let node = caller.visible_node(&ident).await?;
    let allocation = of_node(&caller, node.uuid).await?;
    caller.need_to(&rule::<Allocation>("delete"), &allocation.target())?;
    caller
        .client
        .delete_record::<Allocation>(allocation.uuid)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
