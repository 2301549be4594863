//! A BMC made of resources by path, whose tasks go on with every look; for services that no
//! emulator has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode};
use ironic_drivers_redfish::{HttpError, HttpRequest, HttpResponse, HttpTransport};
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(crate) struct Mockup(Mutex<State>);

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) resources: BTreeMap<String, Value>,
    /// The states that the next tasks go through, one with each look; at the end they are gone.
    pub(crate) tasks: Vec<Vec<Value>>,
    begun: BTreeMap<String, Vec<Value>>,
    /// Everything but GET: `POST /path`, with its body.
    pub(crate) written: Vec<(String, Value)>,
    made: usize,
}

pub(crate) const SYSTEM: &str = "/redfish/v1/Systems/1";
const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
const SIMPLE_UPDATE: &str = "/redfish/v1/UpdateService/Actions/SimpleUpdate";
const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";

fn link(path: &str) -> Value {
    json!({"@odata.id": path})
}

impl Mockup {
    /// A system that can be reset, and these resources, by path below `/redfish/v1/`; members of
    /// the system are merged into it.
    pub(crate) fn new(resources: Value) -> Arc<Self> {
        let mut all = BTreeMap::new();
        let root = json!({"@odata.id": "/redfish/v1/", "Id": "root",
            "Systems": link("/redfish/v1/Systems"),
            "EventService": link("/redfish/v1/EventService"),
            "UpdateService": link("/redfish/v1/UpdateService")});
        all.insert("/redfish/v1/".to_owned(), root);
        let reset = json!({"#ComputerSystem.Reset": {"target": RESET}});
        let system = json!({"@odata.id": SYSTEM, "Id": "1", "UUID": "u-1", "PowerState": "On",
            "Manufacturer": "Contoso", "Model": "3500", "Actions": reset});
        all.insert(SYSTEM.to_owned(), system);
        for (path, resource) in resources.as_object().unwrap() {
            let path = format!("/redfish/v1/{path}");
            let entry = all
                .entry(path.clone())
                .or_insert_with(|| json!({"@odata.id": path}));
            let members = resource.as_object().unwrap().clone();
            entry.as_object_mut().unwrap().extend(members);
        }
        let state = State {
            resources: all,
            ..State::default()
        };
        Arc::new(Self(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What was written to these paths, without what was written to others.
    pub(crate) fn written_to(&self, line: &str) -> Vec<Value> {
        let state = self.state();
        let lines = state.written.iter().filter(|(written, _)| written == line);
        lines.map(|(_, body)| body.clone()).collect()
    }
}

impl State {
    fn answer(&mut self, method: &Method, path: &str, body: Value) -> (u16, Value, Option<String>) {
        if method == Method::GET {
            return match self.look(path) {
                Some(found) => (200, found, None),
                None => (404, Value::Null, None),
            };
        }
        self.written
            .push((format!("{method} {path}"), body.clone()));
        match (method.as_str(), path) {
            ("POST", SUBSCRIPTIONS) => self.subscribe(body),
            ("POST", SIMPLE_UPDATE) => self.begin(),
            ("POST", RESET) => {
                let on = !body["ResetType"].as_str().unwrap().contains("Off");
                let state = if on { "On" } else { "Off" };
                self.resources.get_mut(SYSTEM).unwrap()["PowerState"] = json!(state);
                (204, Value::Null, None)
            }
            ("DELETE", path) if self.resources.remove(path).is_some() => {
                let members = self.members();
                members.retain(|member| member["@odata.id"] != path);
                (204, Value::Null, None)
            }
            ("PATCH", path) if self.resources.contains_key(path) => {
                let resource = self.resources.get_mut(path).unwrap();
                let members = body.as_object().unwrap().clone();
                resource.as_object_mut().unwrap().extend(members);
                (204, Value::Null, None)
            }
            _ => (404, Value::Null, None),
        }
    }

    fn look(&mut self, path: &str) -> Option<Value> {
        let Some(states) = self.begun.get_mut(path) else {
            return self.resources.get(path).cloned();
        };
        if states.is_empty() {
            return None;
        }
        let mut task = states.remove(0);
        task["@odata.id"] = json!(path);
        Some(task)
    }

    fn members(&mut self) -> &mut Vec<Value> {
        let subscriptions = self.resources.get_mut(SUBSCRIPTIONS).unwrap();
        subscriptions["Members"].as_array_mut().unwrap()
    }

    fn subscribe(&mut self, body: Value) -> (u16, Value, Option<String>) {
        self.made += 1;
        let path = format!("{SUBSCRIPTIONS}/{}", self.made);
        let mut made = body;
        made["@odata.id"] = json!(path);
        made["Id"] = json!(self.made.to_string());
        made["Status"] = json!({"State": "Enabled"});
        self.resources.insert(path.clone(), made);
        self.members().push(link(&path));
        (201, Value::Null, Some(path))
    }

    fn begin(&mut self) -> (u16, Value, Option<String>) {
        self.made += 1;
        let path = format!("/redfish/v1/TaskService/Tasks/{}", self.made);
        let states = self.tasks.remove(0);
        self.begun.insert(path.clone(), states);
        (202, Value::Null, Some(path))
    }
}

#[async_trait]
impl HttpTransport for Mockup {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        let path = request.url.path();
        let (status, body, location) = self.state().answer(&request.method, path, body);
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert("location", location.parse().unwrap());
        }
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let status = StatusCode::from_u16(status).unwrap();
        Ok(HttpResponse::new(status, headers, body))
    }
}
