//! `/v1/runbooks`: steps that somebody has approved of, to be run by name.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use http::{StatusCode, header};
use ironic_core::model::is_valid_trait;
use ironic_core::steps::Runbook;
use ironic_core::transport::Change;
use serde_json::{Map, Value, json};

use super::arguments::{Document, QueryArguments};
use super::caller::{Caller, Segment, Segments};
use super::fault::Fault;
use super::fields::{Empty, Field, Fields};
use super::nodes::{self, steps};
use super::records::{self, Resource};
use super::schema::{self, Schema};
use super::version::{Version, since};
use super::{Api, args};

/// What a runbook whose traits have been changed is answered.
const DONE: StatusCode = StatusCode::NO_CONTENT;

impl Resource for Runbook {
    const COLLECTION: &'static str = "runbooks";
    const FIELDS: Fields = Fields(&[
        Field::new("created_at", since::RUNBOOKS, Empty::Null),
        Field::new("description", since::RUNBOOK_TRAITS, Empty::Null),
        Field::new("disable_ramdisk", since::RUNBOOKS, Empty::False),
        Field::new("extra", since::RUNBOOKS, Empty::Object),
        Field::new("name", since::RUNBOOKS, Empty::Null),
        Field::new("owner", since::RUNBOOKS, Empty::Null),
        Field::new("public", since::RUNBOOKS, Empty::False),
        Field::new("steps", since::RUNBOOKS, Empty::List),
        Field::new("traits", since::RUNBOOK_TRAITS, Empty::List),
        Field::new("updated_at", since::RUNBOOKS, Empty::Null),
        Field::new("uuid", since::RUNBOOKS, Empty::Null),
    ]);
    const FEW: &'static [&'static str] = &["uuid", "name"];
    const NOT_SORTABLE: &'static [&'static str] = &["extra", "steps", "traits"];

    /// Before 1.112 a runbook has the name of the trait that it is meant for; those that were
    /// named otherwise since can be patched all the same.
    fn schema(version: Version, patched: bool) -> &'static Schema {
        if patched || version.has(since::RUNBOOK_TRAITS) {
            &schema::RUNBOOK
        } else {
            &schema::RUNBOOK_OF_A_TRAIT
        }
    }

    fn patchable(version: Version) -> &'static [&'static str] {
        const ALL: &[&str] = &[
            "disable_ramdisk",
            "extra",
            "name",
            "owner",
            "public",
            "steps",
            "description",
        ];
        let gated = usize::from(!version.has(since::RUNBOOK_TRAITS));
        ALL.get(..ALL.len() - gated).unwrap_or(ALL)
    }

    fn from_body(version: Version, mut body: Map<String, Value>) -> Result<Self, Fault> {
        let steps = steps::parse_runbook(&body.remove("steps").unwrap_or_default())?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
        let mut runbook = Self::new(text("name").unwrap_or_default(), steps);
        // Since then a name is no trait, and nobody has yet said which machines it is meant for.
        if version.has(since::RUNBOOK_TRAITS) {
            runbook.traits.clear();
        }
        runbook.uuid = text("uuid").and_then(args::parse_uuid).unwrap_or_default();
        runbook.owner = text("owner").map(str::to_owned);
        runbook.description = text("description").map(str::to_owned);
        runbook.public = flag("public");
        runbook.disable_ramdisk = flag("disable_ramdisk");
        if let Some(Value::Object(extra)) = body.remove("extra") {
            runbook.extra = extra;
        }
        Ok(runbook)
    }
}

/// The routes of a runbook's traits.
pub(super) fn traits() -> Router<Arc<Api>> {
    Router::new()
        .route(
            "/runbooks/{ident}/traits",
            get(list).put(replace).delete(remove_all),
        )
        .route("/runbooks/{ident}/traits/{name}", put(add).delete(remove))
}

async fn find(caller: &Caller, ident: &str) -> Result<Runbook, Fault> {
    if !caller.version.has(since::RUNBOOK_TRAITS) {
        let message = "runbooks have traits since version 1.112 of the API";
        return Err(Fault::routing(StatusCode::NOT_FOUND, message));
    }
    records::find(caller, ident).await
}

async fn set(caller: &Caller, runbook: &Runbook, traits: &[&str]) -> Result<(), Fault> {
    let change = Change::set("traits", json!(traits));
    let changed = caller
        .client
        .update_record::<Runbook>(runbook.uuid, vec![change]);
    changed.await?;
    Ok(())
}

async fn list(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let runbook = find(&caller, &ident).await?;
    Ok(Json(json!({"traits": runbook.traits})))
}

async fn replace(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let names = nodes::traits_of_body(body)?;
    let runbook = find(&caller, &ident).await?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    set(&caller, &runbook, &names).await?;
    Ok(DONE)
}

async fn add(
    caller: Caller,
    Segments(ident, name): Segments,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    query.end()?;
    if !is_valid_trait(&name) {
        return Err(Fault::bad(
            "the path must end in a trait, CUSTOM_… or a standard one",
        ));
    }
    let runbook = find(&caller, &ident).await?;
    let own = runbook.traits.iter().map(String::as_str);
    let mut names: Vec<_> = own.filter(|own| *own != name).collect();
    names.push(&name);
    set(&caller, &runbook, &names).await?;
    let path = format!("runbooks/{ident}/traits/{name}");
    let location = caller.endpoint.url(&path);
    Ok((DONE, [(header::LOCATION, location)]).into_response())
}

async fn remove_all(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let runbook = find(&caller, &ident).await?;
    set(&caller, &runbook, &[]).await?;
    Ok(DONE)
}

/// One that it does not have need not be taken from it.
async fn remove(
    caller: Caller,
    Segments(ident, name): Segments,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let runbook = find(&caller, &ident).await?;
    let own = runbook.traits.iter().map(String::as_str);
    let names: Vec<_> = own.filter(|own| *own != name).collect();
    set(&caller, &runbook, &names).await?;
    Ok(DONE)
}
