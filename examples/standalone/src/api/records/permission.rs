//! What callers may do to records.

use ironic_core::Error;
use ironic_core::model::Node;
use ironic_core::store::Filter;

use crate::access::Target;

use super::super::caller::Caller;
use super::super::fault::Fault;
use super::super::permission::{SEE_NODE, of_node};
use super::super::ports;
use super::{Governed, Resource, find};

/// The policy for this verb.
pub(in super::super) fn rule<T: Resource>(verb: &str) -> String {
    format!("baremetal:{}:{verb}", T::POLICY)
}

/// The record of this uuid or name, to do to it what the verb says.
///
/// # Errors
/// 404 when there is none that the caller may see, 403 when they may not do this to it.
pub(in super::super) async fn find_to<T: Resource>(
    caller: &Caller,
    verb: &str,
    ident: &str,
) -> Result<T, Fault> {
    find_with(caller, &[rule::<T>(verb)], ident).await
}

/// The same by policies of other names, all of which have to allow it.
pub(super) async fn find_with<T: Resource>(
    caller: &Caller,
    rules: &[String],
    ident: &str,
) -> Result<T, Fault> {
    if matches!(T::GOVERNED, Governed::Alone) {
        need_all(caller, rules, &Target::nothing())?;
    }
    let record: T = find(caller, ident).await?;
    if caller.identity.trusted {
        return Ok(record);
    }
    let missing = || Fault::from(Error::not_found(T::WHAT, ident));
    match T::GOVERNED {
        Governed::Alone => {}
        Governed::ByNode => {
            let node = match record.node() {
                Some(id) => caller.client.repository().get::<Node>(id).await?,
                None => None,
            };
            let target = node
                .as_ref()
                .map_or_else(|| Target::node(None, None), |node| of_node(node));
            if !caller.may_to(SEE_NODE, &target) {
                return Err(missing());
            }
            need_all(caller, rules, &target)?;
        }
        Governed::ByOwner => {
            let see = rule::<T>("get");
            if record.is_public() && rules == [see.clone()] {
                return Ok(record);
            }
            if T::CONCEALED && !caller.may_to(&see, &record.target()) {
                return Err(missing());
            }
            need_all(caller, rules, &record.target())?;
        }
    }
    Ok(record)
}

fn need_all(caller: &Caller, rules: &[String], target: &Target<'_>) -> Result<(), Fault> {
    rules
        .iter()
        .try_for_each(|rule| caller.need_to(rule, target))
}

/// Which records of this sort the caller is shown in a list; those that have owners say it with
/// the arguments that they are listed by.
///
/// # Errors
/// 403 when none.
pub(super) async fn listed<T: Resource>(caller: &Caller) -> Result<Filter, Fault> {
    match T::GOVERNED {
        Governed::Alone => caller.need(&rule::<T>("get")).map(|()| Filter::All),
        Governed::ByNode => match caller.listed_project(T::POLICY, None)? {
            None => Ok(Filter::All),
            Some(project) => ports::of_project(caller, project).await,
        },
        Governed::ByOwner => Ok(Filter::All),
    }
}
