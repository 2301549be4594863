//! Records created, patched and removed.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::arguments::{Document, QueryArguments};
use super::super::caller::{Caller, Segment, as_bad_request};
use super::super::fault::Fault;
use super::super::patch::{Patch, changes};
use super::permission::{find_to, find_with, rule};
use super::view::{document, view};
use super::{Governed, Resource};

/// The field that says which node a record belongs to.
const NODE: &str = "node_uuid";

/// `POST` to the collection.
pub(super) async fn create<T: Resource>(
    caller: Caller,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Response, Fault> {
    query.end()?;
    let body = body.unwrap_or_else(|| Value::Object(Map::new()));
    let mut body = T::BODY.check(body)?;
    T::check_body(caller.version, false, &body)?;
    match T::GOVERNED {
        Governed::Alone => caller.need(&rule::<T>("create"))?,
        Governed::ByNode => {
            let node = text(&body, NODE);
            let node = caller.node_to_add_to(&rule::<T>("create"), node).await?;
            body.insert(NODE.to_owned(), node.uuid.to_string().into());
        }
        // It is they who say whose it becomes.
        Governed::ByOwner => {}
    }
    T::refer(&caller, &mut body, None).await?;
    let record = T::from_body(caller.version, body)?;
    let created = caller.client.create_record(record).await;
    let record = created.map_err(as_bad_request)?;
    let path = format!("{}/{}", T::PATH, record.ident());
    let location = caller.endpoint.url(&path);
    let shown = Json(view(&caller, &record, None)?);
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, shown).into_response())
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// `PATCH` of one.
pub(super) async fn patch<T: Resource>(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let patch = Patch::from_request(&body.unwrap_or_else(|| Value::Object(Map::new())))?;
    T::check_patch(caller.version, &patch)?;
    let record: T = find_with(&caller, &T::rules_of_patch(&patch), &ident).await?;
    let before = document(&record)?;
    let mut prepared = before.clone();
    T::prepare(&patch, &mut prepared)?;
    let after = patch.apply(&Value::Object(prepared))?;
    let after = restored::<T>(after, &before);
    let mut after = T::BODY.patched().check_known(after)?;
    T::check_body(caller.version, true, &after)?;
    if let Some(node) = moved_to::<T>(&caller, &patch, &record).await? {
        after.insert(NODE.to_owned(), node.to_string().into());
    }
    T::refer(&caller, &mut after, Some(&record)).await?;
    let mut after = document(&T::from_body(caller.version, after)?)?;
    T::arrange(&before, &mut after);
    let changes = changes(
        &T::FIELDS.only_patchable(before),
        &T::FIELDS.only_patchable(after),
    );
    let record: T = caller.client.update_record(record.id(), changes).await?;
    view(&caller, &record, None).map(Json)
}

/// The record belongs to its node, whatever a patch has made of that field: where it is to go is
/// found out by itself.
fn restored<T: Resource>(mut after: Value, before: &Map<String, Value>) -> Value {
    let moves = T::FIELDS.patchable().any(|field| field.name == NODE);
    if let (true, Some(after), Some(node)) = (moves, after.as_object_mut(), before.get(NODE)) {
        after.insert(NODE.to_owned(), node.clone());
    }
    after
}

/// The node that the patch moves the record to: one of the same owner. Whether there is such a
/// node is not told apart from whether it may be that.
async fn moved_to<T: Resource>(
    caller: &Caller,
    patch: &Patch,
    record: &T,
) -> Result<Option<Uuid>, Fault> {
    let path = format!("/{NODE}");
    // Of several operations the last one counts.
    let (Some(ident), Some(node)) = (patch.values(&path).last().copied(), record.node()) else {
        return Ok(None);
    };
    let refusal = || {
        Fault::bad(format!(
            "{NODE} names no node that the {} can belong to",
            T::WHAT
        ))
    };
    let ident = ident.as_str().ok_or_else(refusal)?;
    let after = caller.visible_node(ident).await;
    let after = after.map_err(|fault| fault.instead_of_missing(refusal()))?;
    let before = caller.client.node(node).await?;
    if after.owner != before.owner {
        return Err(refusal());
    }
    Ok(Some(after.uuid))
}

/// `DELETE` of one.
pub(super) async fn delete<T: Resource>(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let id = find_to::<T>(&caller, "delete", &ident).await?.id();
    caller.client.delete_record::<T>(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
