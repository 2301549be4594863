//! `/v1/conductors`.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use ironic_core::Error;
use ironic_core::model::ConductorRecord;
use serde_json::{Value, json};

use super::Api;
use super::args;
use super::arguments::QueryArguments;
use super::caller::{Caller, Segment};
use super::fault::Fault;
use super::fields::{Empty, Field, Fields, check_known, requested};
use super::paging::{Listing, Page};

const CONDUCTOR: Fields = Fields(&[
    Field::new("alive", 1, Empty::False),
    Field::new("conductor_group", 1, Empty::Text),
    Field::new("created_at", 1, Empty::Null),
    Field::new("drivers", 1, Empty::List),
    Field::new("hostname", 1, Empty::Null),
    Field::new("updated_at", 1, Empty::Null),
]);

const FEW: &[&str] = &["hostname", "conductor_group", "alive"];

/// The routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/conductors", get(list))
        .route("/conductors/{hostname}", get(show))
}

async fn list(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let marker = query.any("marker");
    let marker = args::host_port("marker", &marker)?;
    let page = Page::take_without_marker(&mut query, caller.api.settings.max_limit)?;
    let asked = query.list("fields")?;
    let detail = query.flag("detail")?;
    query.end()?;
    let asked = requested(caller.version, asked, detail, FEW)?;
    check_fields(asked.as_deref())?;
    let mut conductors = all(&caller).await?;
    sort(&mut conductors, &page)?;
    if let Some(marker) = marker {
        let at = conductors.iter().position(|(c, _)| c.hostname == marker);
        let at = at.ok_or_else(|| Error::not_found("conductor", marker))?;
        conductors.drain(..=at);
    }
    conductors.truncate(page.limit());
    let last = conductors.last().map(|(record, _)| record.hostname.clone());
    let items = conductors
        .iter()
        .map(|(record, alive)| view(&caller, record, *alive, asked.as_deref()))
        .collect();
    let listing = Listing {
        name: "conductors",
        path: "conductors",
        fields: asked.as_deref(),
        with: Vec::new(),
    };
    Ok(Json(listing.answer(&caller.endpoint, &page, items, last)))
}

async fn show(
    caller: Caller,
    Segment(hostname): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    check_fields(asked.as_deref())?;
    let conductors = all(&caller).await?;
    let found = conductors.iter().find(|(c, _)| c.hostname == hostname);
    let (record, alive) = found.ok_or_else(|| Error::not_found("conductor", &hostname))?;
    Ok(Json(view(&caller, record, *alive, asked.as_deref())))
}

fn check_fields(asked: Option<&[String]>) -> Result<(), Fault> {
    check_known(asked.unwrap_or_default(), |name| {
        CONDUCTOR.names().any(|field| field == name) || name == "links"
    })
}

/// The conductors with whether each lives, in the order of their registration.
async fn all(caller: &Caller) -> Result<Vec<(ConductorRecord, bool)>, Fault> {
    let membership = caller.client.membership();
    membership.refresh().await?;
    let mut conductors = membership.conductors();
    conductors.sort_by_key(|(record, _)| (record.created_at, record.uuid));
    Ok(conductors)
}

fn sort(conductors: &mut [(ConductorRecord, bool)], page: &Page) -> Result<(), Fault> {
    match page.sort_key.as_str() {
        "id" | "created_at" => {}
        "hostname" => conductors.sort_by(|(a, _), (b, _)| a.hostname.cmp(&b.hostname)),
        "updated_at" => conductors.sort_by_key(|(record, _)| record.updated_at),
        "conductor_group" => {
            conductors.sort_by(|(a, _), (b, _)| a.conductor_group.cmp(&b.conductor_group));
        }
        _ => return Err(Fault::bad("sort_key names no field that has an order")),
    }
    if page.is_descending() {
        conductors.reverse();
    }
    Ok(())
}

fn view(caller: &Caller, record: &ConductorRecord, alive: bool, asked: Option<&[String]>) -> Value {
    let document = json!({
        "alive": alive,
        "conductor_group": record.conductor_group,
        "created_at": record.created_at,
        "drivers": record.drivers,
        "hostname": record.hostname,
        "updated_at": record.updated_at,
    });
    let document = document.as_object().cloned().unwrap_or_default();
    let mut shown = CONDUCTOR.shown(caller.version, asked, document);
    let path = format!("conductors/{}", record.hostname);
    shown.insert("links".to_owned(), caller.endpoint.both(&path));
    Value::Object(shown)
}
