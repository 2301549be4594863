//! Nodes as answers show them.

use std::collections::BTreeMap;

use ironic_core::flow::Flow;
use ironic_core::model::{Lock, Node, NodeInterfaces, NodeSummary, NodeTrait};
use ironic_core::secret;
use ironic_core::states::{FlowKind, InterfaceKind, ProvisionState};
use ironic_core::steps::Step;
use ironic_core::store::{Compare, Filter, Kind, Query, Record, Scalar, Stored};
use ironic_core::{Error, Timestamp};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::caller::Caller;
use super::super::fault::Fault;
use super::super::fields::Field;
use super::super::paging::Items;
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
    /// Reads what of it the answer is going to show. Nodes that all `rest` have no steps.
    async fn read(
        caller: &Caller,
        nodes: &[Uuid],
        rest: bool,
        asked: Option<&[String]>,
    ) -> Result<Self, Error> {
        let wants = |names: &[&str]| {
            asked.is_none_or(|asked| asked.iter().any(|name| names.contains(&name.as_str())))
        };
        let ids: Vec<_> = nodes
            .iter()
            .map(|node| Scalar::String(node.to_string()))
            .collect();
        let of =
            |kind, field: &str| Query::all(kind).filter(Filter::In(field.to_owned(), ids.clone()));
        let repository = caller.client.repository();
        let mut company = Self::default();
        if wants(&["reservation"]) {
            let locks = match nodes {
                [node] => Vec::from_iter(repository.get::<Lock>(*node).await?),
                // Every node that was ever worked on has a lock, few are held.
                _ => repository.list(&held()).await?,
            };
            for lock in locks {
                if let Some(holder) = lock.value.holder {
                    company.holders.insert(lock.value.uuid, holder);
                }
            }
        }
        let steps = [
            "clean_step",
            "deploy_step",
            "service_step",
            "driver_internal_info",
        ];
        if !rest && wants(&steps) {
            let flows = match nodes {
                [node] => Vec::from_iter(repository.get::<Flow>(*node).await?),
                _ => repository.list(&of(Kind::Flow, "uuid")).await?,
            };
            for flow in flows {
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

/// The locks that somebody holds.
fn held() -> Query {
    let anybody = Scalar::String(String::new());
    Query::all(Kind::Lock).filter(Filter::Is("holder".to_owned(), Compare::Ge, anybody))
}

/// A node as a client sees it, every field of it, secrets and all: what patches are applied to.
pub(super) fn document(node: &Node) -> Result<Map<String, Value>, Fault> {
    let mut record = record(node)?;
    for kind in InterfaceKind::ALL {
        let name = node.interfaces.get(*kind).map_or(Value::Null, Value::from);
        record.insert(format!("{kind}_interface"), name);
    }
    Ok(FIELDS.complete(record))
}

/// What of a node is in fields of its own and set.
fn record(node: &Node) -> Result<Map<String, Value>, Fault> {
    let record = serde_json::to_value(node).map_err(|e| Error::internal(e.to_string()))?;
    let Value::Object(mut record) = record else {
        return Err(Error::internal("a node is no JSON object").into());
    };
    record.insert("created_at".to_owned(), time(node.created_at));
    Ok(record)
}

fn time(at: Timestamp) -> Value {
    Value::String(at.to_string())
}

/// The nodes of these records as this caller sees them, in order.
pub(super) async fn show_all(
    caller: &Caller,
    records: Vec<Record>,
    asked: Option<&[String]>,
) -> Result<Items, Fault> {
    let nodes: Vec<_> = records.iter().map(|record| record.id).collect();
    let company = Company::read(caller, &nodes, false, asked).await?;
    let columns = columns(caller, asked);
    let insight = Insight::into_any(caller);
    let mut items = Items::of("nodes");
    // One after the other: a list of many, taken apart, is many times as large as its text.
    for record in records {
        let node = Stored::<Node>::try_from(record)?.value;
        let members = members(caller, &node, asked, &company, insight).await?;
        items.push(&Shown {
            caller,
            node: node.uuid,
            interfaces: Some(&node.interfaces),
            members: &members,
            columns: &columns,
            all: asked.is_none(),
        })?;
    }
    Ok(items)
}

/// The node as this caller sees it.
pub(in super::super) async fn show(
    caller: &Caller,
    node: &Node,
    asked: Option<&[String]>,
) -> Result<Value, Fault> {
    let rests = node.provision_state.is_stable();
    let company = Company::read(caller, &[node.uuid], rests, asked).await?;
    let insight = Insight::into_one(caller, node);
    let members = members(caller, node, asked, &company, insight).await?;
    let shown = Shown {
        caller,
        node: node.uuid,
        interfaces: Some(&node.interfaces),
        members: &members,
        columns: &columns(caller, asked),
        all: asked.is_none(),
    };
    Ok(serde_json::to_value(shown).map_err(|e| Error::internal(e.to_string()))?)
}

/// The fields of a node that are set, but for the names of interfaces, as this caller sees them.
async fn members(
    caller: &Caller,
    node: &Node,
    asked: Option<&[String]>,
    company: &Company,
    insight: Insight,
) -> Result<Map<String, Value>, Fault> {
    let mut whole = record(node)?;
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
    Ok(whole)
}

/// The nodes as this caller sees them, in order, of what summaries tell: of that nothing is secret.
pub(super) fn show_summaries(
    caller: &Caller,
    nodes: &[NodeSummary],
    asked: &[String],
) -> Result<Items, Fault> {
    let columns = columns(caller, Some(asked));
    let mut items = Items::of("nodes");
    for node in nodes {
        let summary = serde_json::to_value(node).map_err(|e| Error::internal(e.to_string()))?;
        let Value::Object(mut members) = summary else {
            return Err(Error::internal("a summary is no JSON object").into());
        };
        put_state(caller.version, &mut members);
        items.push(&Shown {
            caller,
            node: node.uuid,
            interfaces: None,
            members: &members,
            columns: &columns,
            all: false,
        })?;
    }
    Ok(items)
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
    let remembered = node.entry("driver_internal_info");
    if let Value::Object(remembered) = remembered.or_insert_with(|| Map::new().into()) {
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

/// A field that answers show, and which interface it names.
type Column = (&'static Field, Option<InterfaceKind>);

/// The fields that this caller is shown of those asked for, in the order of their names.
fn columns(caller: &Caller, asked: Option<&[String]>) -> Vec<Column> {
    let fields = FIELDS.in_order(caller.version, asked).into_iter();
    let with_interface = fields.map(|field| {
        let kind = field.name.strip_suffix("_interface");
        let mut kinds = InterfaceKind::ALL.iter();
        (field, kinds.find(|of| Some(of.as_str()) == kind).copied())
    });
    with_interface.collect()
}

/// A node as an answer has it: these of its fields, and its links; with all fields those to what
/// it has, too.
struct Shown<'a> {
    caller: &'a Caller,
    node: Uuid,
    /// Where they are known.
    interfaces: Option<&'a NodeInterfaces>,
    members: &'a Map<String, Value>,
    columns: &'a [Column],
    all: bool,
}

impl Shown<'_> {
    /// Both are put in the order of their names, and gone through side by side.
    fn serialize_fields<M: SerializeMap>(&self, shown: &mut M) -> Result<(), M::Error> {
        let mut members: Vec<_> = self.members.iter().collect();
        // They are in this order already, unless somebody has serde_json's maps keep that in which
        // members were put (its feature `preserve_order`).
        members.sort_unstable_by_key(|(name, _)| *name);
        let mut members = members.into_iter().peekable();
        for (field, interface) in self.columns {
            let name = field.name;
            if let Some(kind) = interface {
                let interface = self.interfaces.and_then(|all| all.get(*kind));
                shown.serialize_entry(name, &interface)?;
                continue;
            }
            while members
                .next_if(|(member, _)| member.as_str() < name)
                .is_some()
            {}
            match members.next_if(|(member, _)| *member == name) {
                Some((_, value)) => shown.serialize_entry(name, value)?,
                None => shown.serialize_entry(name, &field.empty().value())?,
            }
        }
        Ok(())
    }
}

/// What a node has links to besides itself, and since which version.
const LINKED: [(&str, u16); 4] = [
    ("ports", 1),
    ("states", since::STATES_LINKS),
    ("portgroups", since::PORTGROUP_LINKS),
    ("volume", since::VOLUME),
];

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Caller {
            version, endpoint, ..
        } = self.caller;
        let node = self.node;
        let mut shown = serializer.serialize_map(None)?;
        self.serialize_fields(&mut shown)?;
        shown.serialize_entry("links", &endpoint.links(&format_args!("nodes/{node}")))?;
        let linked = LINKED.iter().filter(|_| self.all);
        for (name, _) in linked.filter(|(_, from)| version.has(*from)) {
            let path = format_args!("nodes/{node}/{name}");
            shown.serialize_entry(name, &endpoint.links(&path))?;
        }
        shown.end()
    }
}
