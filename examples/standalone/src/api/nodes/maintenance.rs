//! `/v1/nodes/{ident}/maintenance`.

use http::StatusCode;

use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident};
use super::super::fault::Fault;

/// `PUT`: the engine leaves the machine alone from now on.
pub(super) async fn set(
    caller: Caller,
    Ident(ident): Ident,
    mut arguments: Arguments,
) -> Result<StatusCode, Fault> {
    let reason = arguments.text("reason")?;
    arguments.end()?;
    let node = caller
        .node("baremetal:node:set_maintenance", &ident)
        .await?;
    caller
        .client
        .set_maintenance(node.uuid, true, reason)
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// `DELETE`: the engine looks after the machine again.
pub(super) async fn unset(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let node = caller
        .node("baremetal:node:clear_maintenance", &ident)
        .await?;
    caller
        .client
        .set_maintenance(node.uuid, false, None)
        .await?;
    Ok(StatusCode::ACCEPTED)
}
