//! Records in lists.

use axum::response::Response;
use ironic_core::store::{Filter, Query};
use uuid::Uuid;

use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident, only_uuid};
use super::super::fault::Fault;
use super::super::paging::{Items, Listing, Page};
use super::super::version::since;
use super::permission::listed;
use super::view::view_in_list;
use super::{Brevity, Resource};

/// `GET` of the collection.
pub(super) async fn list<T: Resource>(
    caller: Caller,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    few_or_asked::<T>(&caller, query, None).await
}

/// `GET` of the collection, every field of it.
pub(super) async fn detail<T: Resource>(
    caller: Caller,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    whole::<T>(&caller, query, None).await
}

/// `GET` of those that belong to a node.
pub(in super::super) async fn list_of_node<T: Resource>(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    let node = caller.visible_node(&only_uuid(ident)?).await?;
    few_or_asked::<T>(&caller, query, Some(node.uuid)).await
}

/// `GET` of those that belong to a node, every field of them.
pub(in super::super) async fn detail_of_node<T: Resource>(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Response, Fault> {
    let node = caller.visible_node(&only_uuid(ident)?).await?;
    whole::<T>(&caller, query, Some(node.uuid)).await
}

async fn few_or_asked<T: Resource>(
    caller: &Caller,
    mut query: Arguments,
    node: Option<Uuid>,
) -> Result<Response, Fault> {
    let version = caller.version;
    let asked = query.list("fields")?;
    let detail = match T::BREVITY {
        Brevity::Whole => None,
        _ => query.flag("detail")?,
    };
    if asked.is_some() {
        version.need(since::FIELDS_QUERY)?;
    }
    T::FIELDS.check_asked(version, asked.as_deref())?;
    let asked = match T::BREVITY {
        Brevity::Brief => T::FIELDS.requested(version, asked, detail)?,
        Brevity::BriefFromTheStart => T::FIELDS.few_or_asked(asked, detail)?,
        Brevity::Whole => asked,
    };
    let told = detail.filter(|detail| *detail || T::BREVITY == Brevity::Brief);
    let word = |detail| if detail { "True" } else { "False" };
    let listing = Listing {
        path: T::LINKED_AS,
        fields: asked.as_deref(),
        lead: T::NEXT_LEAD,
        with: told
            .map(|detail| ("detail", word(detail).to_owned()))
            .into_iter()
            .collect(),
    };
    answer::<T>(caller, query, node, listing).await
}

async fn whole<T: Resource>(
    caller: &Caller,
    query: Arguments,
    node: Option<Uuid>,
) -> Result<Response, Fault> {
    let path = format!("{}/detail", T::PATH);
    let listing = Listing {
        path: &path,
        fields: None,
        lead: T::NEXT_LEAD,
        with: Vec::new(),
    };
    answer::<T>(caller, query, node, listing).await
}

async fn answer<T: Resource>(
    caller: &Caller,
    mut query: Arguments,
    node: Option<Uuid>,
    listing: Listing<'_>,
) -> Result<Response, Fault> {
    let page = Page::take(&mut query, caller.api.settings.max_limit)?;
    let listed = listed::<T>(caller).await?;
    let mut filter = T::filter(caller, &mut query).await?.and(listed);
    query.end()?;
    T::FIELDS.check_sort_key(caller.version, &page.sort_key)?;
    if let Some(node) = node {
        filter = filter.and(Filter::text("node_uuid", node.to_string()));
    }
    if let Some(marker) = page.marker {
        caller.client.record::<T>(marker).await?;
    }
    let sort = Some(&page.sort_key).filter(|key| *key != "id").cloned();
    let query = page.of(Query::all(T::KIND).filter(filter), sort);
    let records: Vec<T> = caller.client.records(&query).await?;
    let last = records.last().map(|record| record.id().to_string());
    let mut items = Items::of(T::LIST);
    for record in &records {
        items.push(&view_in_list(caller, record, listing.fields)?)?;
    }
    Ok(listing.answer(&caller.endpoint, &page, items, last))
}
