//! `/v1/nodes/{ident}/management/indicators`: the lights of a machine.

use axum::Json;
use http::StatusCode;
use ironic_core::driver::{Component, IndicatorState};
use serde_json::{Value, json};

use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident, NodeAndName};
use super::super::fault::Fault;

/// The light that a path names: `name@component`.
fn named(unique: &str) -> Result<(&str, Component), Fault> {
    let shown: String = unique.chars().take(80).collect();
    let (name, component) = unique.split_once('@').ok_or_else(|| {
        Fault::bad(format!(
            "{shown:?} names no indicator: it must read name@component"
        ))
    })?;
    let component = component
        .parse()
        .map_err(|error| Fault::bad(format!("{shown:?} names no indicator: {error}")))?;
    Ok((name, component))
}

/// `GET indicators`.
pub(super) async fn list(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(_): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let node = caller
        .node("baremetal:node:get_indicator_state", &ident)
        .await?;
    let lights = caller.client.indicators(node.uuid, None).await?;
    let mut shown = Vec::new();
    for (component, lights) in &lights {
        for (name, light) in lights {
            let unique = format!("{name}@{component}");
            let path = format!("nodes/{ident}/management/indicators/{unique}");
            shown.push(json!({
                "name": unique,
                "component": component,
                "readonly": light.readonly,
                "states": light.states,
                "links": caller.endpoint.both(&path),
            }));
        }
    }
    Ok(Json(json!({"indicators": shown})))
}

/// `GET indicators/{name}@{component}`.
pub(super) async fn show(
    caller: Caller,
    NodeAndName(ident, unique): NodeAndName,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller
        .node("baremetal:node:get_indicator_state", &ident)
        .await?;
    let (name, component) = named(&unique)?;
    let state = caller.client.indicator(node.uuid, component, name).await?;
    Ok(Json(json!({"state": state})))
}

/// `PUT indicators/{name}@{component}`.
pub(super) async fn set(
    caller: Caller,
    NodeAndName(ident, unique): NodeAndName,
    mut arguments: Arguments,
) -> Result<StatusCode, Fault> {
    let state = arguments.text("state")?;
    arguments.end()?;
    let state = state.ok_or_else(|| Fault::bad("state must say what the indicator is to do"))?;
    let node = caller
        .node("baremetal:node:set_indicator_state", &ident)
        .await?;
    let (name, component) = named(&unique)?;
    let state: IndicatorState = state
        .parse()
        .map_err(|error| Fault::bad(format!("state: {error}")))?;
    caller
        .client
        .set_indicator(node.uuid, component, name, state)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use ironic_core::driver::Component;

    use super::named;

    #[test]
    fn a_light_is_named_with_its_component() {
        assert_eq!(named("led@chassis").unwrap(), ("led", Component::Chassis));
        for wrong in ["led", "led@", "led@nosuch", ""] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }
}
