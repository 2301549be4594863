//! `PATCH /v1/nodes/{ident}`.

use std::collections::BTreeSet;

use axum::Json;
use ironic_core::model::{Allocation, Node};
use ironic_core::states::{InterfaceKind, ProvisionState as S};
use ironic_core::transport::Change;
use serde_json::{Map, Value};

use super::super::arguments::{Document, QueryArguments};
use super::super::caller::{Caller, Ident, as_bad_request};
use super::super::fault::Fault;
use super::super::patch::{Patch, changes};
use super::super::permission::of_node;
use super::super::version::since;
use super::super::{args, network_data, schema};
use super::fields::{FIELDS, record_path};
use super::insight::Insight;
use super::{create, names, view};

/// `PATCH /v1/nodes/{ident}`.
pub(super) async fn patch(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
    Document(body): Document,
) -> Result<Json<Value>, Fault> {
    let reset = query.flag("reset_interfaces")?;
    query.end()?;
    let patch = Patch::from_request(&body.unwrap_or_else(|| Value::Object(Map::new())))?;
    if reset.is_some() {
        caller.version.need(since::RESET_INTERFACES)?;
    }
    check(&caller, &patch, reset.unwrap_or(false))?;
    let node = caller.visible_node(&ident).await?;
    for rule in rules(&patch) {
        caller.need_to(rule, &of_node(&node))?;
    }
    check_state(&caller, &node, &patch)?;
    check_new_owner(&caller, &node, &patch).await?;
    for name in patch.values("/name") {
        let name = name
            .as_str()
            .ok_or_else(|| Fault::bad("a node's name is a string; remove it to have none"))?;
        names::check(name, caller.version)?;
    }
    let before = view::document(&node)?;
    let mut after = patched(&caller, &node, &before, &patch).await?;
    if reset.unwrap_or(false) {
        reset_interfaces(&patch, &mut after);
    }
    let driver = after.get("driver").and_then(Value::as_str);
    let driver = driver.filter(|driver| node.driver != *driver && is_served(&caller, driver));
    if driver.is_some() && node.console_enabled {
        return Err(Fault::conflict(
            "the driver cannot be changed while the console is on: stop the console first",
        ));
    }
    let mut changes = changes(
        &FIELDS.only_patchable(before),
        &FIELDS.only_patchable(after),
    );
    for change in &mut changes {
        in_record(change);
    }
    let updated = caller.client.update_node(node.uuid, changes).await;
    let node = updated.map_err(as_bad_request)?;
    let mut shown = view::show(&caller, &node, None).await?;
    put_holder(&caller, &node, &mut shown).await;
    Ok(Json(shown))
}

/// Whether a conductor that lives has this driver.
fn is_served(caller: &Caller, driver: &str) -> bool {
    let conductors = caller.client.membership().conductors();
    let mut living = conductors.iter().filter(|(_, lives)| *lives);
    living.any(|(record, _)| record.drivers.iter().any(|served| served == driver))
}

/// Shows the node as it was while it was changed: held by its conductor. Clients of the original
/// see it so.
async fn put_holder(caller: &Caller, node: &Node, shown: &mut Value) {
    let holder = caller.client.membership().owner(node).await;
    let kept_back = !Insight::into_one(caller, node).shows(caller, node, "reservation");
    if kept_back {
        return;
    }
    if let (Ok(holder), Some(reservation)) = (holder, shown.get_mut("reservation")) {
        *reservation = holder.into();
    }
}

/// What is wrong with the patch whatever node it is for.
fn check(caller: &Caller, patch: &Patch, reset: bool) -> Result<(), Fault> {
    let patchable: Vec<_> = FIELDS.patchable().map(|field| field.name).collect();
    patch.check_fields(caller.version, &patchable)?;
    let set = patchable
        .into_iter()
        .filter(|name| !patch.values(&format!("/{name}")).is_empty());
    FIELDS.check_version(caller.version, set)?;
    if reset && patch.values("/driver").is_empty() {
        return Err(Fault::bad(
            "reset_interfaces goes with a change of the driver only",
        ));
    }
    // Both are taken away by `remove` only.
    if patch.values("/parent_node").iter().any(|at| at.is_null()) {
        return Err(Fault::bad("parent_node must name a node"));
    }
    let mut networks = patch.values("/network_data").into_iter();
    networks.try_for_each(|data| match data.as_object().is_none_or(Map::is_empty) {
        true => Err(Fault::bad(
            "network_data must have links, networks and services",
        )),
        false => network_data::check(data),
    })
}

/// What governs changes of fields below these paths. The first that fits counts.
const RULES: &[(&str, &str)] = &[
    ("/instance_info", "baremetal:node:update_instance_info"),
    ("/extra", "baremetal:node:update_extra"),
    ("/driver_info", "baremetal:node:update:driver_info"),
    ("/properties", "baremetal:node:update:properties"),
    ("/chassis_uuid", "baremetal:node:update:chassis_uuid"),
    ("/instance_uuid", "baremetal:node:update:instance_uuid"),
    ("/instance_name", "baremetal:node:update_instance_info"),
    ("/lessee", "baremetal:node:update:lessee"),
    ("/owner", "baremetal:node:update:owner"),
    ("/driver", INTERFACES),
    ("/network_data", "baremetal:node:update:network_data"),
    ("/conductor_group", "baremetal:node:update:conductor_group"),
    ("/name", "baremetal:node:update:name"),
    ("/retired", "baremetal:node:update:retired"),
    ("/shard", "baremetal:node:update:shard"),
    ("/parent_node", "baremetal:node:update:parent_node"),
    (
        "/disable_power_off",
        "baremetal:node:update:disable_power_off",
    ),
];

/// What governs the driver and its interfaces.
const INTERFACES: &str = "baremetal:node:update:driver_interfaces";

/// The policies that a patch needs.
fn rules(patch: &Patch) -> BTreeSet<&'static str> {
    let mut rules: BTreeSet<_> = patch
        .paths()
        .map(|(path, value)| rule(path, value))
        .collect();
    if rules.is_empty() {
        rules.insert(UPDATE);
    }
    rules
}

/// What governs whatever has no policy of its own.
const UPDATE: &str = "baremetal:node:update";

fn rule(path: &str, value: Option<&Value>) -> &'static str {
    if let Some((_, rule)) = RULES.iter().find(|(below, _)| path.starts_with(below)) {
        return rule;
    }
    let field = path.trim_start_matches('/');
    let kinds = InterfaceKind::ALL.iter();
    let mut interfaces = kinds.map(|kind| format!("{kind}_interface"));
    if interfaces.any(|interface| interface == field) {
        return INTERFACES;
    }
    let off = |value| matches!(args::boolean("automated_clean", value), Ok(Some(false)));
    if field == "automated_clean" && value.is_some_and(off) {
        return "baremetal:node:disable_cleaning";
    }
    UPDATE
}

/// Whether a node that somebody uses may get another owner.
async fn check_new_owner(caller: &Caller, node: &Node, patch: &Patch) -> Result<(), Fault> {
    const RULE: &str = "baremetal:node:update_owner_provisioned";
    if patch.values("/owner").is_empty() {
        return Ok(());
    }
    if node.provision_state == S::Active && !caller.may_to(RULE, &of_node(node)) {
        return Err(Fault::conflict(format!(
            "the owner of node {} cannot be changed while it is in state \"active\"",
            node.label()
        )));
    }
    let Some(allocation) = node.allocation_uuid else {
        return Ok(());
    };
    let found = caller
        .client
        .repository()
        .get::<Allocation>(allocation)
        .await?;
    match found.is_some_and(|allocation| allocation.owner.is_some()) {
        false => Ok(()),
        true => Err(Fault::conflict(format!(
            "the owner of node {} cannot be changed while an allocation of a project claims it",
            node.label()
        ))),
    }
}

/// Whether a node on its way somewhere is left alone.
fn check_state(caller: &Caller, node: &Node, patch: &Patch) -> Result<(), Fault> {
    // How an operator takes an instance off a node that got stuck.
    if node.maintenance && patch.only_removes("/instance_uuid") {
        return Ok(());
    }
    let state = node.provision_state;
    let on_its_way = node.target_provision_state.is_some() && !state.allows_update();
    let inspecting = state == S::Inspecting && caller.version.has(since::INSPECT_WAIT_STATE);
    if on_its_way || inspecting {
        return Err(Fault::conflict(format!(
            "node {} cannot be updated while it is in state \"{state}\"",
            node.label()
        )));
    }
    Ok(())
}

/// The node with the patch applied, checked.
async fn patched(
    caller: &Caller,
    node: &Node,
    before: &Map<String, Value>,
    patch: &Patch,
) -> Result<Map<String, Value>, Fault> {
    let after = patch.apply(&Value::Object(before.clone()))?;
    let mut after = schema::PATCHED_NODE.check_known(after)?;
    // What it refers to already need not be looked for again.
    let mut kept = Vec::new();
    for name in ["chassis_uuid", "parent_node"] {
        if after.get(name) == before.get(name) {
            kept.extend(after.remove(name).map(|same| (name, same)));
        }
    }
    create::refer(caller, &mut after, node.owner.as_deref()).await?;
    for (name, same) in kept {
        after.insert(name.to_owned(), same);
    }
    let dropped =
        node.chassis_uuid.is_some() && after.get("chassis_uuid").is_none_or(Value::is_null);
    if dropped {
        caller.version.need(since::CHASSIS_REMOVAL)?;
    }
    lower(&mut after, "conductor_group");
    if let Some(flag) = after.get_mut("protected").filter(|flag| flag.is_null()) {
        *flag = Value::Bool(false);
    }
    take_display_name(node, before, &mut after);
    Ok(after)
}

/// Conductor groups know no case.
fn lower(node: &mut Map<String, Value>, field: &str) {
    if let Some(Value::String(text)) = node.get_mut(field) {
        *text = text.to_lowercase();
    }
}

/// Compute services of old name the instance in `instance_info`.
fn take_display_name(node: &Node, before: &Map<String, Value>, after: &mut Map<String, Value>) {
    if node.instance_name.is_some() || before.get("instance_info") == after.get("instance_info") {
        return;
    }
    let name = after
        .get("instance_info")
        .and_then(|info| info.get("display_name")?.as_str())
        .map(str::to_owned);
    let unnamed = after.get("instance_name").is_none_or(Value::is_null);
    if let (true, Some(name)) = (unnamed, name.filter(|name| !name.is_empty())) {
        after.insert("instance_name".to_owned(), name.into());
    }
}

/// Every interface that the patch does not name goes back to what the new driver likes best.
fn reset_interfaces(patch: &Patch, after: &mut Map<String, Value>) {
    for kind in InterfaceKind::ALL {
        let field = format!("{kind}_interface");
        if patch.values(&format!("/{field}")).is_empty() {
            after.remove(&field);
        }
    }
}

/// A change of a field of the API as a change of the record.
fn in_record(change: &mut Change) {
    if let Some((first, rest)) = change.path.split_first() {
        let mut path = record_path(first);
        path.extend_from_slice(rest);
        change.path = path;
    }
}
