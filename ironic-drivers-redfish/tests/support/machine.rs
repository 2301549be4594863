//! A machine behind a scripted BMC.

use std::sync::Arc;

use ironic_drivers_redfish::System;
use serde_json::{Value, json};

use super::script::{Answer, Script};

pub(crate) const GET: &str = "GET /redfish/v1/Systems/1";
pub(crate) const PATCH: &str = "PATCH /redfish/v1/Systems/1";
pub(crate) const RESET: &str = "POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset";

/// A system with a reset action, and `more` members.
pub(crate) fn system(more: Value) -> Answer {
    let mut system = json!({"@odata.id": "/redfish/v1/Systems/1", "Id": "1", "PowerState": "Off",
        "Actions": {"#ComputerSystem.Reset": {"target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"}}});
    system
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Answer::json(&system)
}

/// The system of a script whose first answer is the system itself.
pub(crate) async fn find(script: &Arc<Script>) -> System {
    System::find(&script.client(), Some("/redfish/v1/Systems/1"))
        .await
        .unwrap()
}

/// The bodies of all requests but GET.
pub(crate) fn written(script: &Script) -> Vec<Value> {
    script
        .sent()
        .into_iter()
        .filter(|sent| !sent.line.starts_with("GET"))
        .map(|sent| sent.body)
        .collect()
}

/// A system with `Boot`, and the steps of reading it twice (found, then read anew).
pub(crate) fn booting(boot: Value, more: Value) -> Vec<(&'static str, Answer)> {
    let mut members = json!({"Boot": boot});
    members
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    vec![(GET, system(members.clone())), (GET, system(members))]
}
