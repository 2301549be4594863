//! `POST /v1/events`: what other services tell of what is theirs.

use http::StatusCode;
use serde_json::{Map, Value};

use super::args;
use super::arguments::{Document, QueryArguments};
use super::caller::Caller;
use super::document::{DONE, Member, Routes, Shape, about, post};
use super::fault::Fault;

/// What can have happened.
const EVENTS: &[&str] = &[
    "network.bind_port",
    "network.unbind_port",
    "network.delete_port",
];

/// What an event must say.
const REQUIRED: &[&str] = &["event", "port_id", "mac_address", "status"];

/// What an event says.
const EVENT: &[Member] = &[
    Member::new("event", Shape::Words(EVENTS), "What has happened.").required(),
    Member::new("port_id", Shape::Uuid, "To which port of a network.").required(),
    Member::new("mac_address", Shape::Mac, "The port's address.").required(),
    Member::new("status", Shape::Text, "What has become of it.").required(),
    Member::new(
        "device_id",
        Shape::OrNull(&Shape::Uuid),
        "Of which machine it is.",
    ),
    Member::new(
        "binding:host_id",
        Shape::OrNull(&Shape::Uuid),
        "Of which node it is.",
    ),
    Member::new(
        "binding:vnic_type",
        Shape::OrNull(&Shape::Text),
        "Of what sort it is.",
    ),
];

/// What is told.
const TOLD: Shape = Shape::Members(&[Member::new(
    "events",
    Shape::List(&Shape::Members(EVENT)),
    "One or more.",
)
.required()]);

/// The routes.
pub(super) fn routes() -> Routes {
    let told = about("Takes note of what has happened elsewhere.", DONE).takes(TOLD);
    Routes::of("Events").route("/events", post(create, told))
}

async fn create(
    caller: Caller,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<StatusCode, Fault> {
    query.end()?;
    caller.need("baremetal:events:post")?;
    let wrong = || Fault::bad("the body must be {\"events\": […]}, with one event or more");
    let Some(Value::Object(mut body)) = body else {
        return Err(wrong());
    };
    let Some(Value::Array(events)) = body.remove("events") else {
        return Err(wrong());
    };
    if events.is_empty() || !body.is_empty() {
        return Err(wrong());
    }
    for event in &events {
        let event = event.as_object().ok_or_else(wrong)?;
        check(event)?;
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        tracing::debug!(
            event = text("event"),
            port = text("port_id"),
            "told of an event"
        );
    }
    Ok(StatusCode::NO_CONTENT)
}

fn check(event: &Map<String, Value>) -> Result<(), Fault> {
    if let Some(missing) = REQUIRED.iter().find(|name| !event.contains_key(**name)) {
        return Err(Fault::bad(format!("an event needs {missing:?}")));
    }
    for (name, value) in event {
        let text = value.as_str();
        let right = match name.as_str() {
            "event" => text.is_some_and(|text| EVENTS.contains(&text)),
            "port_id" => args::is_uuid_like(value),
            "mac_address" => text.is_some_and(|text| args::normal_mac(text).is_some()),
            "status" => text.is_some(),
            "device_id" | "binding:host_id" => value.is_null() || args::is_uuid_like(value),
            "binding:vnic_type" => value.is_null() || text.is_some(),
            _ => false,
        };
        if !right {
            let shown: String = name.chars().take(80).collect();
            return Err(Fault::bad(format!("an event is wrong at {shown:?}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn an_event_is_of_a_port() {
        let event = json!({
            "event": "network.bind_port",
            "port_id": "11111111-1111-4111-8111-111111111111",
            "mac_address": "52:54:00:12:34:56",
            "status": "ACTIVE",
            "device_id": null,
        });
        assert!(check(event.as_object().unwrap()).is_ok());
        for (name, value) in [
            ("event", json!("network.nosuch")),
            ("port_id", json!("x")),
            ("mac_address", json!("x")),
            ("status", json!(5)),
            ("nosuch", json!("x")),
        ] {
            let mut wrong = event.clone();
            wrong[name] = value;
            let fault = check(wrong.as_object().unwrap()).unwrap_err();
            assert!(fault.message().contains(name), "{fault}");
        }
    }
}
