//! A record as answers show it.

use axum::Json;
use ironic_core::Error;
use ironic_core::secret::masked;
use serde_json::{Map, Value};

use super::super::arguments::QueryArguments;
use super::super::caller::{Caller, Segment};
use super::super::fault::Fault;
use super::super::version::since;
use super::Resource;
use super::permission::find_to;

/// What stands where a secret would.
pub(in super::super) const MASK: &str = "******";

/// `GET` of one.
pub(super) async fn show<T: Resource>(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    if asked.is_some() {
        caller.version.need(since::FIELDS_QUERY)?;
    }
    T::FIELDS.check_asked(caller.version, asked.as_deref())?;
    let record: T = find_to(&caller, "get", &ident).await?;
    view(&caller, &record, asked.as_deref()).map(Json)
}

/// The record as this caller sees it.
pub(in super::super) fn view<T: Resource>(
    caller: &Caller,
    record: &T,
    asked: Option<&[String]>,
) -> Result<Value, Fault> {
    let whole = dressed(caller, record)?;
    let shown = T::FIELDS.shown(caller.version, asked, whole);
    Ok(linked(caller, record, shown))
}

/// The same in a list.
pub(super) fn view_in_list<T: Resource>(
    caller: &Caller,
    record: &T,
    asked: Option<&[String]>,
) -> Result<Value, Fault> {
    if T::HIDES_IN_LISTS {
        return view(caller, record, asked);
    }
    let shown = T::FIELDS.shown_always(asked, dressed(caller, record)?);
    Ok(linked(caller, record, shown))
}

fn dressed<T: Resource>(caller: &Caller, record: &T) -> Result<Map<String, Value>, Fault> {
    let mut whole = document(record)?;
    record.dress(caller, &mut whole);
    Ok(whole)
}

fn linked<T: Resource>(caller: &Caller, record: &T, mut shown: Map<String, Value>) -> Value {
    let path = format!("{}/{}", T::LINKED_AS, record.ident());
    shown.insert("links".to_owned(), caller.endpoint.both(&path));
    Value::Object(shown)
}

/// A record as a client sees it, every field of it, secrets and all: what patches are applied to.
pub(super) fn document<T: Resource>(record: &T) -> Result<Map<String, Value>, Fault> {
    match serde_json::to_value(record) {
        Ok(Value::Object(record)) => Ok(T::FIELDS.complete(record)),
        _ => Err(Error::internal(format!("a {} is no JSON object", T::KIND)).into()),
    }
}

/// Puts asterisks where the arguments of steps have secrets: those stay with whoever wrote them.
pub(in super::super) fn mask_steps(record: &mut Map<String, Value>) {
    let steps = record.get_mut("steps").and_then(Value::as_array_mut);
    for step in steps.into_iter().flatten() {
        if let Some(Value::Object(arguments)) = step.get_mut("args") {
            *arguments = masked(arguments, MASK);
        }
    }
}
