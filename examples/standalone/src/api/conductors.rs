//! `/v1/conductors`.

use axum::Json;
use axum::response::Response;
use ironic_core::Error;
use ironic_core::model::ConductorRecord;
use serde_json::{Value, json};

use super::args;
use super::arguments::QueryArguments;
use super::caller::{Caller, Segment};
use super::document::{Member, Record, Routes, Shape, about, get, listed, shows};
use super::fault::Fault;
use super::fields::{Fields, fields};
use super::paging::{Items, Listing, Page};
use super::version::since;

const CONDUCTOR: Fields = fields! {
    "hostname" since 1, Null, brief;
    "conductor_group" since 1, Text, brief;
    "alive" since 1, False, unordered, brief;

    "created_at" since 1, Null;
    "drivers" since 1, List, unordered;
    "updated_at" since 1, Null;
};

/// A conductor as answers show it.
const SHOWN: Shape = Shape::Record(Record::new("conductor", CONDUCTOR));

/// The routes.
pub(super) fn routes() -> Routes {
    let marker = "The host name of the last one of the page before.";
    Routes::of("Conductors")
        .route(
            "/conductors",
            get(
                list,
                about("Lists the conductors.", listed("conductors", &SHOWN))
                    .paged_after(Member::new("marker", Shape::Text, marker), CONDUCTOR)
                    .selects_from_the_start(CONDUCTOR)
                    .details(since::DETAIL_QUERY),
            ),
        )
        .route(
            "/conductors/{hostname}",
            get(
                show,
                about("Shows a conductor.", shows(SHOWN)).selects_from_the_start(CONDUCTOR),
            ),
        )
}

async fn list(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Response, Fault> {
    let marker = query.any("marker");
    let marker = args::host_port("marker", &marker)?;
    let page = Page::take_without_marker(&mut query, caller.api.settings.max_limit)?;
    let asked = query.list("fields")?;
    let detail = query.flag("detail")?;
    query.end()?;
    caller.need("baremetal:conductor:get")?;
    CONDUCTOR.check_asked(caller.version, asked.as_deref())?;
    CONDUCTOR.check_sort_key(caller.version, &page.sort_key)?;
    let asked = CONDUCTOR.requested(caller.version, asked, detail)?;
    let mut conductors = all(&caller).await?;
    sort(&mut conductors, &page);
    if let Some(marker) = marker {
        let at = conductors.iter().position(|(c, _)| c.hostname == marker);
        let at = at.ok_or_else(|| Error::not_found("conductor", marker))?;
        conductors.drain(..=at);
    }
    conductors.truncate(page.limit());
    let last = conductors.last().map(|(record, _)| record.hostname.clone());
    let mut items = Items::of("conductors");
    for (record, alive) in &conductors {
        items.push(&view(&caller, record, *alive, asked.as_deref()))?;
    }
    let listing = Listing {
        path: "conductors",
        fields: asked.as_deref(),
        lead: "",
        with: Vec::new(),
    };
    Ok(listing.answer(&caller.endpoint, &page, items, last))
}

async fn show(
    caller: Caller,
    Segment(hostname): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    caller.need("baremetal:conductor:get")?;
    CONDUCTOR.check_asked(caller.version, asked.as_deref())?;
    let conductors = all(&caller).await?;
    let found = conductors.iter().find(|(c, _)| c.hostname == hostname);
    let (record, alive) = found.ok_or_else(|| Error::not_found("conductor", &hostname))?;
    Ok(Json(view(&caller, record, *alive, asked.as_deref())))
}

/// The conductors with whether each lives, in the order of their registration.
async fn all(caller: &Caller) -> Result<Vec<(ConductorRecord, bool)>, Fault> {
    let membership = caller.client.membership();
    membership.refresh().await?;
    let mut conductors = membership.conductors();
    conductors.sort_by_key(|(record, _)| (record.created_at, record.uuid));
    Ok(conductors)
}

fn sort(conductors: &mut [(ConductorRecord, bool)], page: &Page) {
    match page.sort_key.as_str() {
        "hostname" => conductors.sort_by(|(a, _), (b, _)| a.hostname.cmp(&b.hostname)),
        "updated_at" => conductors.sort_by_key(|(record, _)| record.updated_at),
        "conductor_group" => {
            conductors.sort_by(|(a, _), (b, _)| a.conductor_group.cmp(&b.conductor_group));
        }
        // They are in the order of their creation.
        _ => {}
    }
    if page.is_descending() {
        conductors.reverse();
    }
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
