//! `/v1/runbooks`: steps that somebody has approved of, to be run by name.

use std::collections::BTreeSet;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ironic_core::model::is_valid_trait;
use ironic_core::steps::Runbook;
use ironic_core::store::Filter;
use serde_json::{Map, Value, json};

use crate::access::Target;

use super::args;
use super::arguments::{Arguments, Document, QueryArguments};
use super::caller::{Caller, Segment, Segments};
use super::document::{self, Member, Routes, Shape, about, get, put, shows};
use super::fault::Fault;
use super::fields::{Fields, fields};
use super::nodes::{self, steps};
use super::patch::Patch;
use super::records::{self, Governed, Resource, arrange_steps, mask_steps, rule};
use super::schema::{self, Is, Schema};
use super::version::Version;
use super::version::since::{RUNBOOK_TRAITS, RUNBOOKS};

/// What a runbook whose traits have been changed is answered.
const DONE: StatusCode = StatusCode::NO_CONTENT;

impl Resource for Runbook {
    const PATH: &'static str = "runbooks";
    const LIST: &'static str = Self::PATH;
    const POLICY: &'static str = "runbook";
    const GOVERNED: Governed = Governed::ByOwner;
    const FIELDS: Fields = fields! {
        "uuid" since RUNBOOKS, Null, takes(Is::Uuid), brief;
        "name" since RUNBOOKS, Null, takes(Is::Name), required, patchable, brief;

        "created_at" since RUNBOOKS, Null;
        "description" since RUNBOOK_TRAITS, Null, takes(Is::Text(0, 255)), patchable;
        "disable_ramdisk" since RUNBOOKS, False, takes(Is::BoolOrNull), patchable;
        "extra" since RUNBOOKS, Object, takes(Is::Object), patchable, unordered;
        "owner" since RUNBOOKS, Null, takes(Is::Text(0, 255)), patchable;
        "public" since RUNBOOKS, False, takes(Is::BoolOrNull), patchable;
        "steps" since RUNBOOKS, List, takes(Is::RunbookSteps), required, patchable, unordered;
        "traits" since RUNBOOK_TRAITS, List, unordered;
        "updated_at" since RUNBOOKS, Null;
    };
    const BODY: Schema = schema::RUNBOOK;
    const TAG: &'static str = "Runbooks";

    /// Before 1.112 a runbook has the name of the trait that it is meant for; those that were
    /// named otherwise since can be patched all the same.
    fn check_body(version: Version, patched: bool, body: &Map<String, Value>) -> Result<(), Fault> {
        if patched || version.has(RUNBOOK_TRAITS) {
            return Ok(());
        }
        if body.contains_key("description") {
            return Err(Fault::bad("a runbook has a description since 1.112 only"));
        }
        let name = body.get("name").and_then(Value::as_str);
        if name.is_some_and(is_valid_trait) {
            return Ok(());
        }
        Err(Fault::bad(
            "before 1.112 the name of a runbook must be CUSTOM_… or a standard trait",
        ))
    }

    const CONCEALED: bool = false;

    fn target(&self) -> Target<'_> {
        Target::runbook(self.owner.as_deref())
    }

    fn is_public(&self) -> bool {
        self.public
    }

    fn rules_of_patch(patch: &Patch) -> Vec<String> {
        let rule_of = |path: &str| match path {
            path if path.starts_with("/owner") => "update:owner",
            path if path.starts_with("/public") => "update:public",
            _ => "update",
        };
        let verbs: BTreeSet<_> = patch.paths().map(|(path, _)| rule_of(path)).collect();
        if verbs.is_empty() {
            return vec![rule::<Self>("update")];
        }
        verbs.into_iter().map(rule::<Self>).collect()
    }

    /// A runbook that is for everybody belongs to nobody.
    fn prepare(patch: &Patch, before: &mut Map<String, Value>) -> Result<(), Fault> {
        let public = patch.values("/public");
        let was_public = before.get("public") == Some(&Value::Bool(true));
        let becomes_public = match public.first() {
            Some(public) => **public != Value::Bool(false) && !public.is_null(),
            None => was_public,
        };
        if becomes_public && !patch.values("/owner").is_empty() {
            return Err(Fault::bad("a public runbook cannot have an owner"));
        }
        if !public.is_empty() {
            before.insert("owner".to_owned(), Value::Null);
        }
        Ok(())
    }

    async fn refer(
        caller: &Caller,
        body: &mut Map<String, Value>,
        before: Option<&Self>,
    ) -> Result<(), Fault> {
        if before.is_none() {
            caller.need(&rule::<Self>("create"))?;
        }
        let steps = body.get("steps").and_then(Value::as_array);
        let named = steps.into_iter().flatten().filter_map(|step| {
            let text = |name| step.get(name).and_then(Value::as_str);
            Some((text("interface")?, text("step")?))
        });
        let named: Vec<_> = named.collect();
        let same = |before: &Self| {
            let kept = before.steps.iter().map(|step| &step.step);
            let kept = kept.map(|step| (step.interface.as_str(), step.step.as_str()));
            kept.eq(named.iter().copied())
        };
        if !before.is_some_and(same) {
            caller.need_steps(named, &Target::nothing())?;
        }
        match before {
            Some(_) => Ok(()),
            None => give(caller, body),
        }
    }

    async fn filter(caller: &Caller, _: &mut Arguments) -> Result<Filter, Fault> {
        Ok(match caller.listed_project(Self::POLICY, None)? {
            None => Filter::All,
            Some(project) => Filter::Or(vec![
                Filter::text("owner", project),
                Filter::flag("public", true),
            ]),
        })
    }

    fn dress(&self, _: &Caller, shown: &mut Map<String, Value>) {
        mask_steps(shown);
    }

    fn arrange(before: &Map<String, Value>, after: &mut Map<String, Value>) {
        arrange_steps(before, after);
    }

    fn from_body(version: Version, mut body: Map<String, Value>) -> Result<Self, Fault> {
        let steps = steps::parse_runbook(&body.remove("steps").unwrap_or_default())?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
        let mut runbook = Self::new(text("name").unwrap_or_default(), steps);
        // Since then a name is no trait, and nobody has yet said which machines it is meant for.
        if version.has(RUNBOOK_TRAITS) {
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

/// The traits of a runbook.
const TRAITS: Shape =
    Shape::Members(&[
        Member::new("traits", Shape::List(&Shape::Text), "Names of traits.").required(),
    ]);

/// Says whose a new runbook is: only who acts for the whole system chooses.
fn give(caller: &Caller, body: &mut Map<String, Value>) -> Result<(), Fault> {
    if caller.is_of_system() {
        return Ok(());
    }
    let project = caller.project();
    let owner = body.get("owner").and_then(Value::as_str);
    if owner.is_some_and(|owner| !owner.is_empty() && Some(owner) != project) {
        return Err(Fault::bad(
            "a runbook is created for the caller's own project",
        ));
    }
    if project.is_some() && body.get("public") == Some(&Value::Bool(true)) {
        return Err(Fault::bad("a project's runbook cannot be public"));
    }
    body.insert("owner".to_owned(), project.into());
    Ok(())
}

/// The routes of a runbook's traits.
pub(super) fn traits() -> Routes {
    let about = |what, answer| about(what, answer).since(RUNBOOK_TRAITS);
    let done = document::DONE;
    Routes::of(Runbook::TAG)
        .route(
            "/runbooks/{ident}/traits",
            get(list, about("Lists the traits of a runbook.", shows(TRAITS)))
                .put(
                    replace,
                    about("Gives a runbook exactly these traits.", done).takes(TRAITS),
                )
                .delete(remove_all, about("Takes every trait from a runbook.", done)),
        )
        .route(
            "/runbooks/{ident}/traits/{name}",
            put(
                add,
                about(
                    "Gives a runbook a trait besides the others.",
                    done.located(),
                ),
            )
            .delete(remove, about("Takes a trait from a runbook.", done)),
        )
}

async fn find(caller: &Caller, verb: &str, ident: &str) -> Result<Runbook, Fault> {
    if !caller.version.has(RUNBOOK_TRAITS) {
        let message = "runbooks have traits since version 1.112 of the API";
        return Err(Fault::routing(StatusCode::NOT_FOUND, message));
    }
    records::find_to(caller, verb, ident).await
}

/// Makes other traits of those that the runbook has, also of those that others set meanwhile.
async fn edit(
    caller: &Caller,
    ident: &str,
    edit: impl Fn(&mut Vec<String>) + Send,
) -> Result<(), Fault> {
    let runbook = find(caller, "update", ident).await?;
    let edited = caller
        .client
        .edit_record::<Runbook>(runbook.uuid, move |runbook| {
            edit(&mut runbook.traits);
            Ok(())
        });
    edited.await?;
    Ok(())
}

async fn list(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let runbook = find(&caller, "get", &ident).await?;
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
    let names: Vec<_> = names.into_iter().collect();
    edit(&caller, &ident, |traits| traits.clone_from(&names)).await?;
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
    let add = |traits: &mut Vec<String>| {
        traits.retain(|own| *own != name);
        traits.push(name.clone());
    };
    edit(&caller, &ident, add).await?;
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
    edit(&caller, &ident, Vec::clear).await?;
    Ok(DONE)
}

/// One that it does not have need not be taken from it.
async fn remove(
    caller: Caller,
    Segments(ident, name): Segments,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    edit(&caller, &ident, |traits| traits.retain(|own| *own != name)).await?;
    Ok(DONE)
}
