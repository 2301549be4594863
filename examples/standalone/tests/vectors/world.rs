//! The API over a store with known records, and a conductor that only notes what it is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request as HttpRequest, StatusCode};
use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::driver::{IndicatorState, Indicators, Registry, UsableInterfaces};
use ironic_core::membership::Membership;
use ironic_core::model::{
    Allocation, ConductorRecord, Node, Portgroup, VolumeConnector, VolumeTarget,
};
use ironic_core::states::{InterfaceKind, Verb};
use ironic_core::store::{Kind, MemoryStore, Repository, Store};
use ironic_core::transport::{
    AnyRecord, BootDeviceSetting, Call, DriverCall, MachineAnswer, MachineCall, Request, Response,
    Transport, Validation, VendorAnswer,
};
use ironic_standalone::api::{self, ApiSettings};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

/// The conductor of the fixtures.
pub(crate) const CONDUCTOR: &str = "cond-a";

/// A conductor that changes nothing, as the cases were computed with: it notes what it is asked.
struct Notes {
    repository: Repository,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

#[async_trait]
impl Transport for Notes {
    async fn call(&self, _: &str, request: Request) -> Result<Response, Error> {
        let (name, response) = self.answer(request.call).await?;
        self.asked.lock().unwrap().push(name);
        Ok(response)
    }
}

impl Notes {
    async fn answer(&self, call: Call) -> Result<(&'static str, Response), Error> {
        Ok(match call {
            Call::CreateNode { mut node } => {
                if node.uuid.is_nil() {
                    node.uuid = Uuid::from_u128(0x11);
                }
                ("create_node", Response::Node { node })
            }
            Call::UpdateNode { node, .. } => {
                let node = Box::new(self.repository.load::<Node>(node).await?.value);
                ("update_node", Response::Node { node })
            }
            Call::CreatePort { mut port } => {
                port.uuid = Uuid::from_u128(0x12);
                ("create_port", Response::Port { port })
            }
            Call::UpdatePort { port, .. } => {
                let port = Box::new(self.repository.load(port).await?.value);
                ("update_port", Response::Port { port })
            }
            Call::Provision { verb, .. } => (verb_name(verb), Response::Done),
            Call::SetPower { .. } => ("change_node_power_state", Response::Done),
            Call::SetMaintenance { .. } => ("update_node", Response::Done),
            Call::Validate { .. } => ("validate_driver_interfaces", validation()),
            Call::SupportedBootDevices { .. } => (
                "get_supported_boot_devices",
                Response::BootDevices {
                    devices: Vec::new(),
                },
            ),
            Call::DestroyNode { .. } => ("destroy_node", Response::Done),
            Call::DestroyPort { .. } => ("destroy_port", Response::Done),
            Call::AddTraits { .. } => ("add_node_traits", Response::Done),
            Call::RemoveTraits { .. } => ("remove_node_traits", Response::Done),
            Call::Heartbeat { .. } => ("heartbeat", Response::Done),
            Call::SetTargetRaid { .. } => ("set_target_raid_config", Response::Done),
            Call::GetBootDevice { .. } => ("get_boot_device", boot_device()),
            Call::CreateRecord { record } => ("create_record", created(*record)),
            Call::UpdateRecord { kind, id, .. } => {
                let record = Box::new(self.record(kind, id).await?);
                ("update_record", Response::Record { record })
            }
            Call::DestroyRecord { .. } => ("destroy_record", Response::Done),
            Call::Machine { ask, .. } => machine(ask),
            Call::Driver { ask, .. } => driver(ask),
            other => panic!("no case is about {other:?}"),
        })
    }
}

impl Notes {
    /// The record as it is: nothing is changed here.
    async fn record(&self, kind: Kind, id: Uuid) -> Result<AnyRecord, Error> {
        let repository = &self.repository;
        Ok(match kind {
            Kind::Allocation => repository.load::<Allocation>(id).await?.value.into(),
            Kind::Portgroup => repository.load::<Portgroup>(id).await?.value.into(),
            Kind::VolumeConnector => repository.load::<VolumeConnector>(id).await?.value.into(),
            Kind::VolumeTarget => repository.load::<VolumeTarget>(id).await?.value.into(),
            other => panic!("no case is about a {other}"),
        })
    }
}

fn created(record: AnyRecord) -> Response {
    Response::Record {
        record: Box::new(record),
    }
}

fn boot_device() -> Response {
    Response::BootDevice {
        setting: BootDeviceSetting {
            device: None,
            persistent: None,
        },
    }
}

/// What is asked of a machine, by the name that the original's conductor knows it by.
fn machine(ask: MachineCall) -> (&'static str, Response) {
    let (name, answer) = match ask {
        MachineCall::SetBootMode { .. } => ("change_node_boot_mode", MachineAnswer::Done),
        MachineCall::SetSecureBoot { .. } => ("change_node_secure_boot", MachineAnswer::Done),
        MachineCall::InjectNmi => ("inject_nmi", MachineAnswer::Done),
        MachineCall::Indicators { .. } => {
            let indicators = Indicators::new();
            let answer = MachineAnswer::Indicators { indicators };
            ("get_supported_indicators", answer)
        }
        MachineCall::GetIndicator { .. } => {
            let state = IndicatorState::On;
            ("get_indicator_state", MachineAnswer::Indicator { state })
        }
        MachineCall::SetIndicator { .. } => ("set_indicator_state", MachineAnswer::Done),
        MachineCall::VirtualMedia => {
            let slots = Vec::new();
            ("get_virtual_media", MachineAnswer::VirtualMedia { slots })
        }
        MachineCall::AttachVirtualMedia { .. } => ("attach_virtual_media", MachineAnswer::Done),
        MachineCall::DetachVirtualMedia { .. } => ("detach_virtual_media", MachineAnswer::Done),
        MachineCall::SetConsole { .. } => ("set_console_mode", MachineAnswer::Done),
        MachineCall::VendorMethods => {
            let methods = BTreeMap::new();
            let answer = MachineAnswer::VendorMethods { methods };
            ("get_node_vendor_passthru_methods", answer)
        }
        MachineCall::CallVendor { .. } => {
            let answer = VendorAnswer::new(Value::Null, true, false);
            ("vendor_passthru", MachineAnswer::Vendor { answer })
        }
        MachineCall::Vifs => ("vif_list", MachineAnswer::Vifs { vifs: Vec::new() }),
        MachineCall::AttachVif { .. } => ("vif_attach", MachineAnswer::Done),
        MachineCall::DetachVif { .. } => ("vif_detach", MachineAnswer::Done),
        other => panic!("no case is about {other:?}"),
    };
    (name, Response::Machine { answer })
}

fn driver(ask: DriverCall) -> (&'static str, Response) {
    let (name, answer) = match ask {
        DriverCall::VendorMethods => {
            let methods = BTreeMap::new();
            let answer = MachineAnswer::VendorMethods { methods };
            ("get_driver_vendor_passthru_methods", answer)
        }
        DriverCall::LogicalDiskProperties => {
            let properties = BTreeMap::new();
            let answer = MachineAnswer::LogicalDiskProperties { properties };
            ("get_raid_logical_disk_properties", answer)
        }
        DriverCall::CallVendor { .. } => {
            let answer = VendorAnswer::new(Value::Null, true, false);
            ("driver_vendor_passthru", MachineAnswer::Vendor { answer })
        }
        other => panic!("no case is about {other:?}"),
    };
    (name, Response::Machine { answer })
}

fn validation() -> Response {
    let valid = Validation {
        result: Some(true),
        reason: None,
    };
    Response::Validation {
        results: BTreeMap::from([(InterfaceKind::Power, valid)]),
    }
}

fn verb_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Deploy | Verb::Rebuild => "do_node_deploy",
        Verb::Undeploy => "do_node_tear_down",
        Verb::Inspect => "inspect_hardware",
        Verb::Clean => "do_node_clean",
        Verb::Rescue => "do_node_rescue",
        Verb::Unrescue => "do_node_unrescue",
        Verb::Service => "do_node_service",
        _ => "do_provisioning_action",
    }
}

/// The API and what is behind it.
pub(crate) struct World {
    router: Router,
    pub(crate) repository: Repository,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// What the conductor was asked for it.
    pub(crate) asked: Vec<&'static str>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let repository = Repository::new(store);
        for (host, group) in [(CONDUCTOR, ""), ("cond-g", "g")] {
            let mut conductor = ConductorRecord::new(host, Uuid::from_u128(1));
            conductor.conductor_group = group.to_owned();
            conductor.drivers = vec!["fake-hardware".to_owned()];
            repository.create(&conductor).await.unwrap();
        }
        let asked = Arc::default();
        let notes = Notes {
            repository: repository.clone(),
            asked: Arc::clone(&asked),
        };
        let hour = Duration::from_secs(3600);
        let membership = Membership::new(repository.clone(), hour, hour);
        let client = Client::new(repository.clone(), Arc::new(membership), Arc::new(notes));
        let builder = fake::register(Registry::builder(), &FakeBehaviour::new());
        let registry = Arc::new(builder.build().unwrap());
        // What the drivers are is not what these cases are about, only that there are some.
        let interfaces = registry.interfaces_of("fake-hardware").unwrap();
        let some = |usable: &UsableInterfaces| !usable.enabled.is_empty();
        assert!(interfaces.values().all(some));
        Self {
            router: api::router(client, registry, ApiSettings::default()),
            repository,
            asked,
        }
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        self.asked.lock().unwrap().clear();
        let mut request = HttpRequest::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            asked: self.asked.lock().unwrap().clone(),
        }
    }

    /// Asks in this version of the API.
    pub(crate) async fn ask_in(
        &self,
        version: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let header = ("X-OpenStack-Ironic-API-Version", version);
        self.ask(method, path, &[header], body).await
    }
}
