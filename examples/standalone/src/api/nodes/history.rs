//! `/v1/nodes/{ident}/history` and `/v1/nodes/{ident}/inventory`: what has happened to a machine,
//! and what was found of it.

use axum::Json;
use ironic_core::Error;
use ironic_core::model::HistoryEvent;
use ironic_core::store::{Filter, Kind, Query};
use serde_json::{Value, json};

use super::super::args;
use super::super::arguments::QueryArguments;
use super::super::caller::{Caller, Ident, NodeAndName};
use super::super::fault::Fault;
use super::super::fields::{Fields, fields};
use super::super::paging::Page;
use super::super::version::since::{HISTORY, HISTORY_PROJECT, HISTORY_STATES};

/// The fields of an event.
pub(super) const EVENT: Fields = fields! {
    "uuid" since HISTORY, Null, brief;
    "created_at" since HISTORY, Null, brief;
    "severity" since HISTORY, Null, brief;
    "event" since HISTORY, Null, brief;

    "conductor" since HISTORY, Null;
    "duration_seconds" since HISTORY_STATES, Null;
    "event_type" since HISTORY, Null;
    "project" since HISTORY_PROJECT, Null;
    "state" since HISTORY_STATES, Null;
    "target_provision_state" since HISTORY_STATES, Null;
    "user" since HISTORY, Null;
};

/// The fields that links to next pages name, where all are shown.
const ALL: &str = "uuid,created_at,severity,event_type,event,conductor,user,project,state,\
                   target_provision_state,duration_seconds";

/// How many characters of an event's text a list shows.
const TEXT_LIMIT: usize = 255;

/// `GET history`.
pub(super) async fn list(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    // Links to next pages name a marker twice; the last one counts.
    let marker = match query.any("marker") {
        Value::Array(mut markers) => markers.pop().unwrap_or_default(),
        marker => marker,
    };
    // They name the fields as well, and so alone whether all are shown.
    let fields = query.text("fields")?;
    let detail = query.flag("detail")?.unwrap_or(false) || fields.as_deref() == Some(ALL);
    let mut page = Page::take_sorted_by(&mut query, caller.api.settings.max_limit, "created_at")?;
    query.end()?;
    page.marker = args::uuid("marker", &marker)?;
    EVENT.check_sort_key(caller.version, &page.sort_key)?;
    let node = caller.node("baremetal:node:history:get", &ident).await?;
    if let Some(marker) = page.marker {
        caller.client.record::<HistoryEvent>(marker).await?;
    }
    let of_node = Filter::text("node_uuid", node.uuid.to_string());
    let sort = Some(page.sort_key.clone()).filter(|key| key != "id");
    let query = page.of(Query::all(Kind::History).filter(of_node), sort);
    let events: Vec<HistoryEvent> = caller.client.records(&query).await?;
    let shown = events.iter().map(|event| view(&caller, event, detail));
    let shown: Vec<_> = shown.collect::<Result<_, _>>()?;
    let mut answer = json!({"history": shown});
    let full = events.len() == page.limit();
    if let (true, Some(last), Some(answer)) = (full, events.last(), answer.as_object_mut()) {
        let fields = match detail {
            true => ALL.to_owned(),
            false => EVENT.brief().join(","),
        };
        let next = format!(
            "nodes/{ident}/history?marker=None&sort_key={}&sort_dir={}&fields={fields}&limit={}&marker={}",
            page.sort_key,
            page.order(),
            page.limit(),
            last.uuid
        );
        answer.insert("next".to_owned(), caller.endpoint.url(&next).into());
    }
    Ok(Json(answer))
}

/// `GET history/{event}`.
pub(super) async fn show(
    caller: Caller,
    NodeAndName(ident, event): NodeAndName,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    args::uuid_or_name("event", &Value::from(event.as_str()))?;
    let node = caller.node("baremetal:node:history:get", &ident).await?;
    let missing = || Error::not_found("history event", &event);
    let id = args::parse_uuid(&event).ok_or_else(missing)?;
    let event: HistoryEvent = caller.client.record(id).await?;
    if event.node_uuid != node.uuid {
        return Err(Error::not_found("history event", id).into());
    }
    view(&caller, &event, true).map(Json)
}

fn view(caller: &Caller, event: &HistoryEvent, detail: bool) -> Result<Value, Fault> {
    let record = serde_json::to_value(event).map_err(|e| Error::internal(e.to_string()))?;
    let record = record.as_object().cloned().unwrap_or_default();
    let asked = EVENT.few_or_asked(None, Some(detail))?;
    let record = EVENT.complete(record);
    let mut shown = EVENT.shown(caller.version, asked.as_deref(), record);
    if !detail && event.event.chars().count() > TEXT_LIMIT {
        let text: String = event.event.chars().take(TEXT_LIMIT - 4).collect();
        shown.insert("event".to_owned(), format!("{text}...").into());
    }
    let path = format!("nodes/{}/history/{}", event.node_uuid, event.uuid);
    let link = json!([{"href": caller.endpoint.url(&path), "rel": "self"}]);
    shown.insert("links".to_owned(), link);
    Ok(Value::Object(shown))
}

/// `GET inventory`.
pub(super) async fn inventory(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller.node("baremetal:node:inventory:get", &ident).await?;
    let found = caller.client.inventory(node.uuid).await?;
    Ok(Json(json!({
        "inventory": found.inventory,
        "plugin_data": found.plugin_data,
    })))
}
