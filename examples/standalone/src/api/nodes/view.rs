//! Nodes as answers show them.

use std::collections::BTreeMap;

use ironic_core::flow::Flow;
use ironic_core::model::{Lock, Node, NodeSummary, NodeTrait};
use ironic_core::secret;
use ironic_core::states::{FlowKind, InterfaceKind, ProvisionState};
use ironic_core::steps::Step;
use ironic_core::store::{Filter, Kind, Query, Scalar};
use ironic_core::{Error, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::caller::Caller;
use super::super::fault::Fault;
use super::super::version::{Version, since};
use super::fields::FIELDS;
use super::insight::{Insight, MASK};

/// What belongs to nodes but is not in their records.
#[derive(Debug, Default)]
struct Company {
    holders: BTreeMap<Uuid, String>,
    flows: BTreeMap<Uuid, Flow>,
    traits: BTreeMap<Uuid, Vec<String>>,
}

impl Company {
    /// Reads what of it the answer is going to show.
    async fn read(
        caller: &Caller,
        nodes: &[Node],
        asked: Option<&[String]>,
    ) -> Result<Self, Error> {
        let wants = |names: &[&str]| {
            asked.is_none_or(|asked| asked.iter().any(|name| names.contains(&name.as_str())))
        };
        let ids: Vec<_> = nodes
            .iter()
            .map(|node| Scalar::String(node.uuid.to_string()))
            .collect();
        let of =
            |kind, field: &str| Query::all(kind).filter(Filter::In(field.to_owned(), ids.clone()));
        let repository = caller.client.repository();
        let mut company = Self::default();
        if wants(&["reservation"]) {
            for lock in repository.list::<Lock>(&of(Kind::Lock, "uuid")).await? {
                if let Some(holder) = lock.value.holder {
                    company.holders.insert(lock.value.uuid, holder);
                }
            }
        }
        if wants(&[
            "clean_step",
            "deploy_step",
            "service_step",
            "driver_internal_info",
        ]) {
            for flow in repository.list::<Flow>(&of(Kind::Flow, "uuid")).await? {
                company.flows.insert(flow.value.uuid, flow.value);
            }
        }
        if wants(&["traits"]) {
            let query = of(Kind::Trait, "node_uuid").sort_by("name", false);
            for found in repository.list::<NodeTrait>(&query).await? {
                let names = company.traits.entry(found.value.node_uuid).or_default();
                names.push(found.value.name);
            }
        }
        Ok(company)
    }
}

/// A node as a client sees it, every field of it, secrets and all: what patches are applied to.
pub(super) fn document(node: &Node) -> Result<Map<String, Value>, Fault> {
    let record = serde_json::to_value(node).map_err(|e| Error::internal(e.to_string()))?;
    let Value::Object(mut record) = record else {
        return Err(Error::internal("a node is no JSON object").into());
    };
    for kind in InterfaceKind::ALL {
        let name = node.interfaces.get(*kind).map_or(Value::Null, Value::from);
        record.insert(format!("{kind}_interface"), name);
    }
    record.insert("created_at".to_owned(), time(node.created_at));
    Ok(FIELDS.complete(record))
}

fn time(at: Timestamp) -> Value {
    Value::String(at.to_string())
}

/// The nodes as this caller sees them, in order.
pub(super) async fn show_all(
    caller: &Caller,
    nodes: &[Node],
    asked: Option<&[String]>,
) -> Result<Vec<Value>, Fault> {
    let company = Company::read(caller, nodes, asked).await?;
    let insight = Insight::into_any(caller);
    let mut shown = Vec::with_capacity(nodes.len());
    for node in nodes {
        shown.push(show_one(caller, node, asked, &company, insight).await?);
    }
    Ok(shown)
}

/// The node as this caller sees it.
pub(in super::super) async fn show(
    caller: &Caller,
    node: &Node,
    asked: Option<&[String]>,
) -> Result<Value, Fault> {
    let company = Company::read(caller, std::slice::from_ref(node), asked).await?;
    let insight = Insight::into_one(caller, node);
    show_one(caller, node, asked, &company, insight).await
}

async fn show_one(
    caller: &Caller,
    node: &Node,
    asked: Option<&[String]>,
    company: &Company,
    insight: Insight,
) -> Result<Value, Fault> {
    let mut whole = document(node)?;
    let mut put = |name: &str, value: Value| whole.insert(name.to_owned(), value);
    put(
        "reservation",
        company.holders.get(&node.uuid).cloned().into(),
    );
    let traits = company.traits.get(&node.uuid).cloned();
    put("traits", traits.unwrap_or_default().into());
    if let Some(flow) = company.flows.get(&node.uuid) {
        put_steps(flow, &mut whole);
    }
    let mut put = |name: &str, value: Value| whole.insert(name.to_owned(), value);
    let asked_for_conductor = asked.is_none_or(|asked| asked.iter().any(|n| n == "conductor"));
    if asked_for_conductor && caller.version.has(since::CONDUCTORS) {
        // A node that nobody looks after is shown all the same.
        let owner = caller.client.membership().owner(node).await.ok();
        put("conductor", owner.into());
    }
    insight.apply(caller, node, &mut whole);
    put_state(caller.version, &mut whole);
    let mut shown = FIELDS.shown(caller.version, asked, whole);
    add_links(caller, node.uuid, asked.is_none(), &mut shown);
    Ok(Value::Object(shown))
}

/// The same for what a summary tells, of which nothing is secret.
pub(super) fn show_summary(
    caller: &Caller,
    node: &NodeSummary,
    asked: &[String],
) -> Result<Value, Fault> {
    let summary = serde_json::to_value(node).map_err(|e| Error::internal(e.to_string()))?;
    let Value::Object(mut whole) = summary else {
        return Err(Error::internal("a summary is no JSON object").into());
    };
    put_state(caller.version, &mut whole);
    let mut shown = FIELDS.shown(caller.version, Some(asked), whole);
    add_links(caller, node.uuid, false, &mut shown);
    Ok(Value::Object(shown))
}

/// Shows the steps of a flow where the original keeps them: the one that it is at in a field of
/// its own, all of them and how many are done among what drivers remember.
fn put_steps(flow: &Flow, node: &mut Map<String, Value>) {
    let kind = match flow.kind {
        FlowKind::Clean => "clean",
        FlowKind::Deploy => "deploy",
        FlowKind::Service => "service",
        _ => return,
    };
    let shown = |step: &Step| {
        json!({
            "interface": step.interface,
            "step": step.step,
            "args": secret::masked(&step.args, MASK),
            "priority": step.priority,
            "abortable": step.abortable,
        })
    };
    if let Some(step) = flow.plan.get(flow.cursor) {
        node.insert(format!("{kind}_step"), shown(step));
    }
    let steps: Vec<_> = flow.plan.steps().iter().map(shown).collect();
    if let Some(Value::Object(remembered)) = node.get_mut("driver_internal_info") {
        remembered.insert(format!("{kind}_steps"), steps.into());
        remembered.insert(format!("{kind}_step_index"), flow.cursor.into());
    }
}

/// Names the state as this version knows it.
pub(super) fn put_state(version: Version, shown: &mut Map<String, Value>) {
    let Some(state) = shown.get_mut("provision_state") else {
        return;
    };
    if *state == ProvisionState::Available.as_str() && !version.has(since::AVAILABLE_STATE) {
        *state = Value::Null;
    }
    let waits = *state == ProvisionState::InspectWait.as_str();
    if waits && !version.has(since::INSPECT_WAIT_STATE) {
        *state = Value::from(ProvisionState::Inspecting.as_str());
    }
}

/// Adds the node's own links, and with all fields those to what it has.
fn add_links(caller: &Caller, node: Uuid, all: bool, shown: &mut Map<String, Value>) {
    let path = format!("nodes/{node}");
    shown.insert("links".to_owned(), caller.endpoint.both(&path));
    if !all {
        return;
    }
    for (name, from) in [
        ("ports", 1),
        ("states", since::STATES_LINKS),
        ("portgroups", since::PORTGROUP_LINKS),
        ("volume", since::VOLUME),
    ] {
        if caller.version.has(from) {
            let links = caller.endpoint.both(&format!("{path}/{name}"));
            shown.insert(name.to_owned(), links);
        }
    }
}
