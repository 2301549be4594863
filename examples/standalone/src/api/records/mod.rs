//! Records that are served all in one way: listed in pages, shown, created, patched, removed. What
//! is a resource's own, it says by [`Resource`].

mod change;
mod list;
mod permission;
mod view;

pub(super) use list::{detail_of_node, list_of_node};
pub(super) use permission::{find_to, rule};
pub(super) use view::{MASK, mask_steps, view};

use axum::routing::MethodFilter;
use ironic_core::store::Filter;
use ironic_core::transport::ClientRecord;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::Target;

use super::args;
use super::arguments::Arguments;
use super::caller::Caller;
use super::document::{
    About, DONE, Member, Record, Refusal, Routes, Shape, about, created, get, listed, shows,
};
use super::fault::Fault;
use super::fields::Fields;
use super::patch::Patch;
use super::schema::Schema;
use super::version::{Version, since};

/// What a list shows that is asked for no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brevity {
    /// A few, and all of them with `detail`, which there is since 1.43.
    Brief,
    /// The same, where `detail` has been there from the start.
    BriefFromTheStart,
    /// All of them; there is no `detail`.
    Whole,
}

/// What policies look at of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Governed {
    /// Nothing: they say who may do this to whichever.
    Alone,
    /// The node that it belongs to: who may not see that sees nothing of this either.
    ByNode,
    /// The project that it belongs to.
    ByOwner,
}

/// A record as a resource of the API.
pub(super) trait Resource: ClientRecord + Send + Sync + 'static {
    /// The path of its collection.
    const PATH: &'static str;
    /// The name of its list in answers.
    const LIST: &'static str;
    /// The path that links to it have in place of its collection's.
    const LINKED_AS: &'static str = Self::PATH;
    /// What links to its next pages begin with, where clients of the original see something there.
    const NEXT_LEAD: &'static str = "";
    /// The name under which its routes are told.
    const TAG: &'static str;
    /// Its fields.
    const FIELDS: Fields;
    /// What creates it.
    const BODY: Schema;
    /// Whether it is found by its name as well.
    const NAMED: bool = true;
    /// What a list shows unless asked for something else.
    const BREVITY: Brevity = Brevity::Brief;
    /// Whether lists leave out what the version does not have.
    const HIDES_IN_LISTS: bool = true;

    /// The arguments that [`Resource::filter`] takes.
    const FILTERS: &'static [Member] = &[];
    /// What its policies are called: `baremetal:NAME:get` and so on.
    const POLICY: &'static str;
    /// What they look at.
    const GOVERNED: Governed;
    /// Whether who may not see it is told that there is none.
    const CONCEALED: bool = true;

    /// What its policies look at, where that is its owner.
    fn target(&self) -> Target<'_> {
        Target::nothing()
    }

    /// Whether everybody may see it, where that is said of each.
    fn is_public(&self) -> bool {
        false
    }

    /// The policies that a patch needs.
    fn rules_of_patch(_: &Patch) -> Vec<String> {
        vec![rule::<Self>("update")]
    }

    /// What a patch changes before it is applied.
    fn prepare(_: &Patch, _: &mut Map<String, Value>) -> Result<(), Fault> {
        Ok(())
    }

    /// What it is called where a client wants to see its identity.
    fn ident(&self) -> String {
        self.id().to_string()
    }

    /// The one that a path names, which is of neither this uuid nor this name.
    fn known_as(_: &str) -> Option<Uuid> {
        None
    }

    /// Checks what the schema cannot say of a body that creates one, or of one after a patch.
    fn check_body(_: Version, _patched: bool, _: &Map<String, Value>) -> Result<(), Fault> {
        Ok(())
    }

    /// Refuses patches of other fields than may be patched.
    fn check_patch(version: Version, patch: &Patch) -> Result<(), Fault> {
        patch.check_fields(version, &Self::FIELDS.patchable_in(version))
    }

    /// Makes sure that what the body refers to is there, and names it by its uuid; `before` is
    /// the record that a patch is for.
    fn refer(
        _: &Caller,
        _body: &mut Map<String, Value>,
        _before: Option<&Self>,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    /// The record that a checked body describes.
    fn from_body(_: Version, body: Map<String, Value>) -> Result<Self, Fault> {
        parse(body)
    }

    /// Puts what a patch has made of it into the order in which it is kept.
    fn arrange(_before: &Map<String, Value>, _after: &mut Map<String, Value>) {}

    /// Takes the arguments out of a query that say which records are listed.
    fn filter(_: &Caller, _: &mut Arguments) -> impl Future<Output = Result<Filter, Fault>> + Send {
        async { Ok(Filter::All) }
    }

    /// Adds to a record what an answer shows of it besides its fields, and hides what is secret.
    fn dress(&self, _: &Caller, _: &mut Map<String, Value>) {}
}

/// The collection and its items.
pub(super) fn routes<T: Resource>() -> Routes {
    let routes = routes_at::<T>(T::PATH);
    if T::LINKED_AS == T::PATH {
        return routes;
    }
    // Links have to lead somewhere, and nothing is written through them.
    let linked = T::LINKED_AS;
    routes
        .route(
            &format!("/{linked}"),
            get(list::list::<T>, about_list::<T>("Lists them.")),
        )
        .route(
            &format!("/{linked}/{{ident}}"),
            get(view::show::<T>, about_one::<T>()),
        )
}

fn routes_at<T: Resource>(path: &str) -> Routes {
    let shown = record::<T>();
    let collection = get(list::list::<T>, about_list::<T>("Lists them."))
        .post(
            change::create::<T>,
            about("Creates one.", created(shown)).takes(Shape::Body(T::BODY)),
        )
        .refuses(
            MethodFilter::PATCH.or(MethodFilter::DELETE),
            Refusal::AsAWhole,
        );
    let item = get(view::show::<T>, about_one::<T>())
        .patch(
            change::patch::<T>,
            about("Changes one.", shows(shown)).takes(Shape::Patch(T::BODY)),
        )
        .delete(change::delete::<T>, about("Removes one.", DONE));
    Routes::of(T::TAG)
        .route(&format!("/{path}"), collection)
        .route(&format!("/{path}/{{ident}}"), item)
}

/// The list with every field, which was a path of its own before it became an argument.
pub(super) fn detail_route<T: Resource>() -> Routes {
    Routes::of(T::TAG).route(
        &format!("/{}/detail", T::PATH),
        get(
            list::detail::<T>,
            about_detail::<T>("Lists them with every field."),
        ),
    )
}

/// What showing one is for, and what it takes.
fn about_one<T: Resource>() -> About {
    about("Shows one.", shows(record::<T>())).selects(T::FIELDS)
}

/// The record as answers show it.
pub(super) fn record<T: Resource>() -> Shape {
    Shape::Record(Record::new(T::WHAT, T::FIELDS))
}

/// What a list is for, and what it takes.
pub(super) fn about_list<T: Resource>(summary: &'static str) -> About {
    let list = about_detail::<T>(summary).selects(T::FIELDS);
    match T::BREVITY {
        Brevity::Whole => list,
        Brevity::Brief => list.details(since::DETAIL_QUERY),
        Brevity::BriefFromTheStart => list.details(1),
    }
}

/// The same for a list that shows every field.
pub(super) fn about_detail<T: Resource>(summary: &'static str) -> About {
    let item = const { &Shape::Record(Record::new(T::WHAT, T::FIELDS)) };
    about(summary, listed(T::LIST, item))
        .query(T::FILTERS)
        .paged(T::FIELDS)
}

/// Steps are kept one by one: those that a patch leaves as they were stay where they were, new
/// ones come behind them.
pub(super) fn arrange_steps(before: &Map<String, Value>, after: &mut Map<String, Value>) {
    let Some(Value::Array(steps)) = after.get_mut("steps") else {
        return;
    };
    let before = before.get("steps").and_then(Value::as_array);
    let before = before.map(Vec::as_slice).unwrap_or_default();
    let at = |step: &Value| before.iter().position(|old| old == step);
    let text = |step: &Value, name: &str| step.get(name).unwrap_or(&Value::Null).to_string();
    steps.sort_by_cached_key(|step| match at(step) {
        Some(at) => (at, Default::default()),
        None => (
            usize::MAX,
            ["interface", "step", "args"].map(|name| text(step, name)),
        ),
    });
}

/// The record of this uuid or name.
pub(super) async fn find<T: Resource>(caller: &Caller, ident: &str) -> Result<T, Fault> {
    if let Some(id) = args::parse_uuid(ident) {
        return Ok(caller.client.record(id).await?);
    }
    let shown: String = ident.chars().take(80).collect();
    if !T::NAMED {
        return Err(Fault::bad(format!("{shown:?} is no uuid")));
    }
    if !args::is_logical_name(ident) {
        return Err(Fault::bad(format!(
            "{shown:?} is neither a uuid nor a name"
        )));
    }
    match (caller.client.find_record(ident).await, T::known_as(ident)) {
        (Ok(record), _) => Ok(record),
        (Err(_), Some(id)) => Ok(caller.client.record(id).await?),
        (Err(error), None) => Err(error.into()),
    }
}

/// The record that a body describes whose members are those of the record, but for those that are
/// null.
pub(super) fn parse<T: Resource>(mut body: Map<String, Value>) -> Result<T, Fault> {
    body.retain(|_, value| !value.is_null());
    let uuid = body
        .get("uuid")
        .and_then(|id| args::parse_uuid(id.as_str()?));
    let uuid = uuid.unwrap_or_default().to_string();
    body.insert("uuid".to_owned(), uuid.into());
    serde_json::from_value(Value::Object(body))
        .map_err(|error| Fault::bad(format!("a field has a wrong value: {error}")))
}
