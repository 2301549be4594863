//! Subscriptions to a BMC's events (DSP0266, "Eventing").

use http::Uri;
use ironic_core::Error;
use ironic_core::model::JsonMap;
use ironic_core::model::lenient::is_truthy;
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::RedfishError;

/// What is shown of a subscription.
const SHOWN: [&str; 5] = ["Id", "Context", "Protocol", "Destination", "EventTypes"];

/// The events that are subscribed to unless told.
const USUAL: &str = "Alert";

/// A subscription that somebody wants. Its headers may be secret, so it is not printed.
pub(super) struct Subscription {
    body: JsonMap,
    /// The events, where they are named.
    events: Option<Vec<String>>,
}

impl Subscription {
    /// Reads what is wanted.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] or [`Error::MissingParameter`] that name the argument.
    pub(super) fn of(args: &JsonMap) -> Result<Self, Error> {
        let given = |name: &str| args.get(name).filter(|value| !value.is_null());
        let destination = given("Destination")
            .ok_or_else(|| Error::missing("the argument Destination is missing"))?;
        if !destination.as_str().is_some_and(is_url) {
            return Err(Error::invalid(
                "Destination must be a URL with a scheme and a host",
            ));
        }
        let text = |name: &str, usual: &str| match given(name) {
            None => Ok(json!(usual)),
            Some(value @ Value::String(_)) => Ok(value.clone()),
            Some(_) => Err(Error::invalid(format!("{name} must be a string"))),
        };
        let events = given("EventTypes").map(event_types).transpose()?;
        let usual = vec![USUAL.to_owned()];
        let body = json!({
            "Destination": destination,
            "Protocol": text("Protocol", "Redfish")?,
            "Context": text("Context", "")?,
            "EventTypes": events.as_ref().unwrap_or(&usual),
        });
        let mut body = body.as_object().cloned().unwrap_or_default();
        match given("HttpHeaders") {
            None => {}
            Some(Value::Array(headers)) if headers.is_empty() => {}
            Some(headers @ Value::Array(_)) => {
                body.insert("HttpHeaders".to_owned(), headers.clone());
            }
            Some(_) => return Err(Error::invalid("HttpHeaders must be a list")),
        }
        Ok(Self { body, events })
    }
}

fn event_types(given: &Value) -> Result<Vec<String>, Error> {
    let texts = given.as_array().and_then(|types| {
        let texts = types.iter().map(|text| text.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<_>>>()
    });
    texts.ok_or_else(|| Error::invalid("EventTypes must be a list of strings"))
}

fn is_url(text: &str) -> bool {
    let parsed: Option<Uri> = text.parse().ok();
    parsed.is_some_and(|uri| uri.scheme().is_some() && uri.host().is_some_and(|h| !h.is_empty()))
}

/// The BMC's name for a subscription: one part of a path.
///
/// # Errors
/// [`Error::InvalidParameter`] for anything else.
pub(super) fn id(args: &JsonMap) -> Result<String, Error> {
    let id = args.get("id").filter(|id| is_truthy(id));
    let id = id.ok_or_else(|| Error::invalid("the argument id is missing"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~:@".contains(c);
    match id.as_str() {
        Some(id) if id.chars().all(plain) && !id.chars().all(|c| c == '.') => Ok(id.to_owned()),
        _ => Err(Error::invalid(
            "id must be the name of a subscription, not a path",
        )),
    }
}

/// Where subscriptions are kept, and which events there are, if the BMC says so.
async fn service(client: &Client) -> Result<(String, Option<Vec<String>>), RedfishError> {
    let missing = |path: &str, attribute| RedfishError::MissingAttribute {
        path: path.to_owned(),
        attribute,
    };
    let root = client.root().await?;
    let link = root.value.rest.get("EventService").and_then(linked);
    let link = link.ok_or_else(|| missing(&root.path, "EventService"))?;
    let service = client.get::<Value>(&link).await?;
    let subscriptions = service.value.get("Subscriptions").and_then(linked);
    let subscriptions = subscriptions.ok_or_else(|| missing(&service.path, "Subscriptions"))?;
    let types = service.value.get("EventTypesForSubscription");
    let types = types.and_then(Value::as_array).map(|types| {
        let texts = types.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    });
    Ok((subscriptions, types))
}

fn linked(link: &Value) -> Option<String> {
    let id = link.get("@odata.id").and_then(Value::as_str);
    id.map(str::to_owned)
}

fn member(collection: &str, id: &str) -> String {
    format!("{}/{id}", collection.trim_end_matches('/'))
}

fn shown(subscription: &Value) -> Value {
    let members = SHOWN.iter().filter_map(|name| {
        let value = subscription.get(*name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Value::Object(members.collect())
}

/// Makes a subscription, and tells of it.
pub(super) async fn create(client: &Client, wanted: &Subscription) -> Result<Value, RedfishError> {
    let (subscriptions, known) = service(client).await?;
    if let (Some(events), Some(known)) = (&wanted.events, known)
        && let Some(unknown) = events.iter().find(|event| !known.contains(event))
    {
        return Err(RedfishError::NotAllowed {
            parameter: "EventTypes",
            value: unknown.clone(),
            allowed: known,
        });
    }
    let body = Value::Object(wanted.body.clone());
    let reply = client.post(&subscriptions, &body, false).await?;
    let made = match reply.header("location") {
        Some(location) => client.get::<Value>(location).await?.value,
        None => serde_json::from_slice(&reply.body).unwrap_or_default(),
    };
    Ok(shown(&made))
}

/// Ends a subscription.
pub(super) async fn delete(client: &Client, id: &str) -> Result<Value, RedfishError> {
    let (subscriptions, _) = service(client).await?;
    client.delete(&member(&subscriptions, id)).await?;
    Ok(Value::Null)
}

/// Tells of a subscription.
pub(super) async fn get(client: &Client, id: &str) -> Result<Value, RedfishError> {
    let (subscriptions, _) = service(client).await?;
    let read = client.get::<Value>(&member(&subscriptions, id)).await?;
    Ok(shown(&read.value))
}

/// Tells of all subscriptions, as the BMC does.
pub(super) async fn all(client: &Client) -> Result<Value, RedfishError> {
    let (subscriptions, _) = service(client).await?;
    Ok(client.get::<Value>(&subscriptions).await?.value)
}

#[cfg(test)]
mod tests {
    use ironic_core::model::JsonMap;
    use serde_json::{Value, json};

    use super::{Subscription, id};

    fn args(value: Value) -> JsonMap {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn what_is_wanted_is_checked_by_name() {
        let url = "https://192.0.2.1/events";
        for (given, named) in [
            (json!({}), "Destination"),
            (json!({"Destination": "nowhere"}), "Destination"),
            (json!({"Destination": 7}), "Destination"),
            (json!({"Destination": url, "Context": 7}), "Context"),
            (json!({"Destination": url, "Protocol": []}), "Protocol"),
            (
                json!({"Destination": url, "EventTypes": "Alert"}),
                "EventTypes",
            ),
            (json!({"Destination": url, "EventTypes": [7]}), "EventTypes"),
            (
                json!({"Destination": url, "HttpHeaders": {}}),
                "HttpHeaders",
            ),
        ] {
            let error = Subscription::of(&args(given)).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
        let usual = Subscription::of(&args(json!({"Destination": url}))).unwrap();
        let expected = json!({"Destination": url, "Protocol": "Redfish", "Context": "",
            "EventTypes": ["Alert"]});
        assert_eq!(Value::Object(usual.body), expected);
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for (given, good) in [
            ("5e004f5a-e3d1-11eb-ae9c-3448edf18a38", true),
            ("1", true),
            ("", false),
            ("..", false),
            ("1/Actions/x", false),
            ("1?x", false),
            ("%2e%2e", false),
        ] {
            assert_eq!(id(&args(json!({"id": given}))).is_ok(), good, "{given}");
        }
    }
}
