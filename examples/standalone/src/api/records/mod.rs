//! Records that are served all in one way: listed in pages, shown, created, patched, removed. What
//! is a resource's own, it says by [`Resource`].

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use ironic_core::Error;
use ironic_core::secret::masked;
use ironic_core::store::Query;
use ironic_core::transport::ClientRecord;
use serde_json::{Map, Value};

use super::arguments::{Document, QueryArguments};
use super::caller::{Caller, Segment};
use super::fault::Fault;
use super::fields::{Fields, check_known, requested};
use super::paging::{Listing, Page};
use super::patch::{Patch, changes};
use super::schema::Schema;
use super::version::Version;
use super::{Api, args, root};

/// A record as a resource of the API.
pub(super) trait Resource: ClientRecord + Send + Sync + 'static {
    /// Its collection, which is the last word of its path and the name of its list.
    const COLLECTION: &'static str;
    /// Its fields.
    const FIELDS: Fields;
    /// What a list shows unless asked for more.
    const FEW: &'static [&'static str];
    /// What a list cannot be sorted by.
    const NOT_SORTABLE: &'static [&'static str];

    /// What a body may hold that creates one, or what one may be after a patch.
    fn schema(version: Version, patched: bool) -> &'static Schema;

    /// The fields that a patch may be about.
    fn patchable(version: Version) -> &'static [&'static str];

    /// The record that a checked body describes.
    fn from_body(version: Version, body: Map<String, Value>) -> Result<Self, Fault>;
}

/// The collection and its items.
pub(super) fn routes<T: Resource>() -> Router<Arc<Api>> {
    let collection = get(list::<T>)
        .post(create::<T>)
        .patch(root::not_on_a_collection)
        .delete(root::not_on_a_collection);
    let item = get(show::<T>).patch(patch::<T>).delete(delete::<T>);
    Router::new()
        .route(&format!("/{}", T::COLLECTION), collection)
        .route(&format!("/{}/{{ident}}", T::COLLECTION), item)
}

/// The record of this uuid or name.
pub(super) async fn find<T: Resource>(caller: &Caller, ident: &str) -> Result<T, Fault> {
    if let Some(id) = args::parse_uuid(ident) {
        return Ok(caller.client.record(id).await?);
    }
    if !args::is_logical_name(ident) {
        let shown: String = ident.chars().take(80).collect();
        return Err(Fault::bad(format!(
            "{shown:?} is neither a uuid nor a name"
        )));
    }
    Ok(caller.client.find_record(ident).await?)
}

async fn list<T: Resource>(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let page = Page::take(&mut query, caller.api.settings.max_limit)?;
    let asked = query.list("fields")?;
    let detail = query.flag("detail")?;
    query.end()?;
    check_fields::<T>(caller.version, asked.as_deref())?;
    let sort = sort_path::<T>(&page.sort_key)?;
    let asked = requested(caller.version, asked, detail, T::FEW)?;
    if let Some(marker) = page.marker {
        caller.client.record::<T>(marker).await?;
    }
    let query = page.of(Query::all(T::KIND), sort);
    let records: Vec<T> = caller.client.records(&query).await?;
    let last = records.last().map(|record| record.id().to_string());
    let items = records
        .iter()
        .map(|record| view(&caller, record, asked.as_deref()))
        .collect::<Result<Vec<_>, _>>()?;
    let word = |detail| if detail { "True" } else { "False" };
    let listing = Listing {
        name: T::COLLECTION,
        path: T::COLLECTION,
        fields: asked.as_deref(),
        with: detail
            .map(|detail| ("detail", word(detail).to_owned()))
            .into_iter()
            .collect(),
    };
    Ok(Json(listing.answer(&caller.endpoint, &page, items, last)))
}

async fn show<T: Resource>(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    check_fields::<T>(caller.version, asked.as_deref())?;
    let record: T = find(&caller, &ident).await?;
    view(&caller, &record, asked.as_deref()).map(Json)
}

async fn create<T: Resource>(
    caller: Caller,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Response, Fault> {
    query.end()?;
    let body = body.unwrap_or_else(|| Value::Object(Map::new()));
    let body = T::schema(caller.version, false).check(body)?;
    let record = caller
        .client
        .create_record(T::from_body(caller.version, body)?)
        .await?;
    let path = format!("{}/{}", T::COLLECTION, record.id());
    let location = caller.endpoint.url(&path);
    let shown = Json(view(&caller, &record, None)?);
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, shown).into_response())
}

async fn patch<T: Resource>(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let patch = Patch::from_request(&body.unwrap_or_else(|| Value::Object(Map::new())))?;
    let patchable = T::patchable(caller.version);
    patch.check_fields(caller.version, patchable)?;
    let record: T = find(&caller, &ident).await?;
    let before = document(&record)?;
    let after = patch.apply(&Value::Object(before.clone()))?;
    let after = T::schema(caller.version, true).check_known(after)?;
    let after = document(&T::from_body(caller.version, after)?)?;
    let changes = changes(&only(before, patchable), &only(after, patchable));
    let record: T = caller.client.update_record(record.id(), changes).await?;
    view(&caller, &record, None).map(Json)
}

async fn delete<T: Resource>(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let id = find::<T>(&caller, &ident).await?.id();
    caller.client.delete_record::<T>(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_fields<T: Resource>(version: Version, asked: Option<&[String]>) -> Result<(), Fault> {
    let asked = asked.unwrap_or_default();
    T::FIELDS.check_version(version, asked.iter().map(String::as_str))?;
    check_known(asked, |name| {
        name == "links" || T::FIELDS.names().any(|field| field == name)
    })
}

/// The place in the record of what `sort_key` names; `None` for the order of creation.
fn sort_path<T: Resource>(key: &str) -> Result<Option<String>, Fault> {
    if key == "id" {
        return Ok(None);
    }
    let sortable = T::FIELDS.names().any(|field| field == key) && !T::NOT_SORTABLE.contains(&key);
    sortable
        .then(|| Some(key.to_owned()))
        .ok_or_else(|| Fault::bad("sort_key names no field that has an order"))
}

/// A record as a client sees it, every field of it.
fn document<T: Resource>(record: &T) -> Result<Map<String, Value>, Fault> {
    match serde_json::to_value(record) {
        Ok(Value::Object(record)) => Ok(T::FIELDS.complete(record)),
        _ => Err(Error::internal(format!("a {} is no JSON object", T::KIND)).into()),
    }
}

fn only(mut document: Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    document.retain(|name, _| names.contains(&name.as_str()));
    document
}

fn view<T: Resource>(
    caller: &Caller,
    record: &T,
    asked: Option<&[String]>,
) -> Result<Value, Fault> {
    let mut whole = document(record)?;
    let steps = whole.get_mut("steps").and_then(Value::as_array_mut);
    for step in steps.into_iter().flatten() {
        // Passwords stay with whoever wrote them.
        if let Some(Value::Object(arguments)) = step.get_mut("args") {
            *arguments = masked(arguments, "******");
        }
    }
    let mut shown = T::FIELDS.shown(caller.version, asked, whole);
    let path = format!("{}/{}", T::COLLECTION, record.id());
    shown.insert("links".to_owned(), caller.endpoint.both(&path));
    Ok(Value::Object(shown))
}
