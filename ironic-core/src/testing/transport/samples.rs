//! One of everything that travels. What a new variant lacks here does not compile.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::engine::{Plan, PlanItem, PlanProblem};
use crate::flow::{BlockedReason, Deed};
use crate::model::{JsonMap, MacAddress, Node, Port, VolumeTarget};
use crate::runtime::Timestamp;
use crate::states::{BootDevice, FlowKind, InterfaceKind, PowerTarget, ProvisionState, Verb};
use crate::steps::{Impact, StepSource, UserStep};
use crate::store::Kind;
use crate::transport::{
    AnyRecord, BootDeviceSetting, Call, Change, DriverCall, HeartbeatArgs, InspectionArgs,
    LookupAnswer, MachineAnswer, MachineCall, ProvisionArgs, Response, Validation, VendorAnswer,
};
use crate::{Error, ErrorKind, WireError};

/// Lists a value of every variant.
macro_rules! every {
    ($(#[$doc:meta])* $name:ident: $enum:ident {
        $($variant:ident { $($field:tt: $value:expr),* $(,)? },)+
    }) => {
        $(#[$doc])*
        pub(super) fn $name() -> Vec<$enum> {
            let _every_variant_has_a_sample = |value: &$enum| match value {
                $($enum::$variant { .. } => (),)+
            };
            vec![$($enum::$variant { $($field: $value),* },)+]
        }
    };
}

/// Stands for every secret.
pub(super) const SECRET: &str = "s3cr3t-0f-th3-t3st";

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn map(value: Value) -> JsonMap {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} should be an object"),
    }
}

fn node() -> Box<Node> {
    let mut node = Node::new(id(7), "ipmi");
    node.name = Some("rack1-u4".to_owned());
    node.driver_info = map(json!({
        "ipmi_address": "192.0.2.7", "ipmi_port": 623, "ipmi_password": SECRET,
    }));
    node.driver_internal_info = map(json!({"agent_secret_token": SECRET}));
    node.instance_info = map(json!({"configdrive": SECRET, "root_gb": 10}));
    node.provision_state = ProvisionState::DeployWait;
    node.target_provision_state = Some(ProvisionState::Active);
    node.generation = u64::MAX;
    node.instance_uuid = Some(id(8));
    node.created_at = Timestamp::from_micros(1_700_000_000_123_456);
    Box::new(node)
}

fn port() -> Box<Port> {
    let address: Result<MacAddress, _> = "52:54:00:12:34:56".parse();
    let address = address.unwrap_or_else(|error| panic!("it should be an address: {error}"));
    let mut port = Port::new(id(9), id(7), address);
    port.local_link_connection = map(json!({"switch_id": "aa:bb:cc:dd:ee:ff", "port_id": "Eth1"}));
    port.pxe_enabled = false;
    Box::new(port)
}

fn changes() -> Vec<Change> {
    vec![
        Change::set("driver_info/ipmi_password", SECRET),
        Change::set("extra/rack", json!({"row": 4, "u": [1, 2]})),
        Change::set("name", "rack1-u5"),
        Change::remove("description"),
    ]
}

fn args() -> ProvisionArgs {
    let mut step = UserStep::new(InterfaceKind::Raid, "create_configuration");
    step.args = map(json!({"create_root_volume": true, "password": SECRET}));
    step.priority = Some(40);
    let mut args = ProvisionArgs::default()
        .with_steps(vec![step])
        .with_configdrive(json!({"meta_data": {"token": SECRET}}));
    args.rescue_password = Some(SECRET.to_owned());
    args
}

fn heartbeat() -> Box<HeartbeatArgs> {
    let mut args = HeartbeatArgs::new("https://192.0.2.9:9999", Some(SECRET.to_owned()));
    args.agent_version = Some("13.0.0".to_owned());
    args.agent_verify_ca = Some("-----BEGIN CERTIFICATE-----\n".to_owned());
    args.agent_status = Some("end".to_owned());
    args.agent_status_message = Some("done".to_owned());
    Box::new(args)
}

fn found() -> Box<InspectionArgs> {
    Box::new(InspectionArgs::new(
        map(json!({"cpu": {"count": 64}, "bmc_password": SECRET})),
        map(json!({"logs": "H4sI", "error": null, "token": SECRET})),
    ))
}

fn vendor_args() -> (String, String, JsonMap) {
    let args = map(json!({"raw_bytes": "0x00 0x01", "password": SECRET}));
    ("send_raw".to_owned(), "POST".to_owned(), args)
}

fn vendor_call() -> MachineCall {
    let (method, http_method, args) = vendor_args();
    MachineCall::CallVendor {
        method,
        http_method,
        args,
    }
}

fn driver_call() -> DriverCall {
    let (method, http_method, args) = vendor_args();
    DriverCall::CallVendor {
        method,
        http_method,
        args,
    }
}

fn vendor_answer() -> MachineAnswer {
    let answer = VendorAnswer::new(json!({"token": SECRET, "list": [1, null]}), false, true);
    MachineAnswer::Vendor { answer }
}

fn volume() -> Box<AnyRecord> {
    let mut target = VolumeTarget::new(id(9), id(7), "iscsi", "v1", 0);
    target.properties = map(json!({"target_lun": 0, "auth_password": SECRET}));
    Box::new(target.into())
}

every! {
    /// Every call.
    calls: Call {
        CreateNode { node: node() },
        UpdateNode { node: id(7), changes: changes() },
        DestroyNode { node: id(7) },
        CreatePort { port: port() },
        UpdatePort { node: id(7), port: id(9), changes: changes() },
        DestroyPort { node: id(7), port: id(9) },
        CreateRecord { record: volume() },
        UpdateRecord { kind: Kind::Portgroup, id: id(9), changes: changes() },
        AddTraits { node: id(7), names: std::iter::once("CUSTOM_A".to_owned()).collect(), replace: true },
        RemoveTraits { node: id(7), names: None },
        SetTargetRaid { node: id(7), config: map(json!({"logical_disks": [{"size_gb": "MAX"}]})) },
        DestroyRecord { kind: Kind::Allocation, id: id(9) },
        Provision { node: id(7), verb: Verb::Deploy, args: args() },
        Plan { node: id(7), verb: Verb::Clean, args: args() },
        SetPower { node: id(7), target: PowerTarget::SoftOff, timeout: Some(u64::MAX) },
        SetMaintenance { node: id(7), on: true, reason: Some("a fan".to_owned()) },
        Validate { node: id(7) },
        GetBootDevice { node: id(7) },
        SetBootDevice { node: id(7), device: BootDevice::Cdrom, persistent: true },
        SupportedBootDevices { node: id(7) },
        Machine { node: id(7), ask: vendor_call() },
        Driver { driver: "ipmi".to_owned(), ask: driver_call() },
        Lookup { node: Uuid::max() },
        Heartbeat { node: Uuid::nil(), args: heartbeat() },
        ContinueFlow { node: id(7), flow: FlowKind::Service },
        ContinueInspection { node: id(7), found: found() },
    }
}

/// Calls with every verb, power target and boot device, and with what may be left out left out.
pub(super) fn words() -> Vec<Call> {
    let node = id(7);
    let mut calls = Vec::new();
    for verb in Verb::ALL.iter().copied() {
        let args = ProvisionArgs::default();
        calls.push(Call::Provision { node, verb, args });
    }
    for target in PowerTarget::ALL.iter().copied() {
        let timeout = None;
        calls.push(Call::SetPower {
            node,
            target,
            timeout,
        });
    }
    for device in BootDevice::ALL.iter().copied() {
        let persistent = false;
        calls.push(Call::SetBootDevice {
            node,
            device,
            persistent,
        });
    }
    let (on, reason) = (false, None);
    calls.push(Call::SetMaintenance { node, on, reason });
    calls
}

fn plan() -> Box<Plan> {
    let mut plan = Plan::default();
    plan.items.push(PlanItem::State {
        state: ProvisionState::Deploying,
    });
    plan.items.push(PlanItem::Effect {
        flow: FlowKind::Deploy,
        name: "prepare".to_owned(),
    });
    plan.items.push(PlanItem::Step {
        step: "deploy.erase_devices".to_owned(),
        priority: 10,
        source: StepSource::Agent,
        impact: Impact::ERASE,
    });
    let known_since = Some(Timestamp::from_micros(7));
    plan.items.push(PlanItem::AgentSteps { known_since });
    plan.items.push(PlanItem::Deed {
        what: Deed::Power {
            target: PowerTarget::Off,
        },
    });
    plan.items.push(PlanItem::Wait {
        on: BlockedReason::Hold,
        within: Some(60),
    });
    let interface = Some(InterfaceKind::Power);
    plan.problems
        .push(PlanProblem::new(interface, "no address"));
    Box::new(plan)
}

fn validations() -> std::collections::BTreeMap<InterfaceKind, Validation> {
    let results = [Some(true), Some(false), None].into_iter().cycle();
    let kinds = InterfaceKind::ALL.iter().copied().zip(results);
    kinds
        .map(|(kind, result)| {
            let refused = result == Some(false);
            let reason = refused.then(|| format!("{kind} lacks something"));
            (kind, Validation { result, reason })
        })
        .collect()
}

every! {
    /// Every response.
    responses: Response {
        Done {},
        Node { node: node() },
        Port { port: port() },
        Record { record: volume() },
        Plan { plan: plan() },
        Validation { results: validations() },
        BootDevice {
            setting: BootDeviceSetting { device: Some(BootDevice::UefiHttp), persistent: None },
        },
        BootDevices { devices: BootDevice::ALL.to_vec() },
        Machine { answer: vendor_answer() },
        Lookup { answer: LookupAnswer::new(*node(), 300, Some(SECRET.to_owned())) },
    }
}

every! {
    /// Every error that a conductor answers with.
    errors: Error {
        NotFound { what: "node", id: "rack1-u4".to_owned() },
        AlreadyExists { what: "port", key: "address 52:54:00:12:34:56".to_owned() },
        Conflict { what: "node", id: id(7).to_string() },
        NodeLocked { node: id(7), host: "cond-b".to_owned(), purpose: Some("node update".to_owned()), since: None },
        InvalidParameter { message: "driver_info/ipmi_port is no port".to_owned() },
        MissingParameter { message: "driver_info lacks ipmi_address".to_owned() },
        InvalidState { verb: "active".to_owned(), node: id(7), state: "enroll".to_owned() },
        StateConflict { message: "ports can not be changed now".to_owned() },
        InMaintenance { verb: "active".to_owned(), node: id(7) },
        Associated { node: id(7), instance: id(8).to_string() },
        Protected { node: id(7) },
        Forbidden { message: "baremetal:node:delete is missing".to_owned() },
        Unauthorized { message: "no token".to_owned() },
        NoValidHost { reason: "no conductor of group rack1".to_owned() },
        NoFreeWorker { host: "cond-a".to_owned() },
        ConcurrentLimit { action: "cleaning", limit: 50, setting: "max_concurrent_clean" },
        Unsupported { driver: "ipmi".to_owned(), extension: "set_boot_mode".to_owned() },
        Unreachable { what: "BMC 192.0.2.7:623".to_owned(), message: "no answer".to_owned() },
        Timeout { what: "an answer".to_owned(), after: Duration::from_secs(30) },
        Driver { interface: "ipmitool".to_owned(), message: "0xd5".to_owned() },
        Internal { message: "a record makes no sense".to_owned() },
        Remote { 0: from_afar(ErrorKind::NodeLocked) },
    }
}

/// An error that has come over a transport before, of a newer release: its code is not known here.
pub(super) fn from_afar(kind: ErrorKind) -> WireError {
    WireError {
        kind,
        code: format!("{kind}_of_tomorrow"),
        message: format!("{kind} from afar"),
        details: json!({"node": id(7), "host": "cond-c", "list": [1, null, "x"]}),
    }
}
