//! Which paths, queries and fields there are in which version: `api_surface.json`.

use std::collections::BTreeMap;

use ironic_core::model::{
    Allocation, BiosSetting, Chassis, FirmwareComponent, HistoryEvent, InspectionRule, Inventory,
    MacAddress, Node, Port, Portgroup, RuleOperation, Severity, VolumeConnector, VolumeTarget,
};
use ironic_core::states::{InterfaceKind, ProvisionState};
use ironic_core::steps::{DeployTemplate, Runbook, RunbookStep, UserStep};
use serde_json::{Map, Value, json};
use uuid::{Uuid, uuid};

use crate::tally::{Outcome, Tally, cases};
use crate::world::World;

const NODE: Uuid = uuid!("9860fe9e-ddcc-4bb7-a722-416374fdb422");
const CHILD: Uuid = uuid!("1b8115d4-cd25-400a-a593-0ca5729f8ac2");
const CHASSIS: Uuid = uuid!("04006943-aa3d-4437-8e79-931ba4883a2d");
const PORT: Uuid = uuid!("2176ab40-1418-4508-9462-71cb5d269423");
const TEMPLATE: Uuid = uuid!("76b4bf35-9b3f-4d32-8a0c-6a7d5e2b1c11");
const RUNBOOK: Uuid = uuid!("b7e9a1de-11aa-4f4e-9cb5-7d1b6f1f2d10");
const MISSING: Uuid = uuid!("2176ab40-1418-4508-9462-71cb5d269499");

const GROUP: Uuid = uuid!("3176ab40-1418-4508-9462-71cb5d269401");
const CONNECTOR: Uuid = uuid!("3176ab40-1418-4508-9462-71cb5d269402");
const TARGET: Uuid = uuid!("3176ab40-1418-4508-9462-71cb5d269403");
const ALLOCATION: Uuid = uuid!("3176ab40-1418-4508-9462-71cb5d269404");
const RULE: Uuid = uuid!("3176ab40-1418-4508-9462-71cb5d269405");

#[tokio::test]
async fn api_surface() {
    let world = World::new().await;
    furnish(&world).await;
    let mut shown = Shown::default();
    let mut tally = Tally::new("api_surface.json");
    for case in cases("api_surface.json") {
        let kind = case["kind"].as_str().unwrap();
        let outcome = run(&world, &mut shown, kind, &case).await;
        tally.count(&case, &subject(&case), outcome);
    }
    tally.end();
}

/// The kind of a case, and what it is about.
fn subject(case: &Value) -> String {
    let text = |name: &str| case[name].as_str().unwrap_or_default();
    let (request, method, path) = (text("request"), text("method"), text("path"));
    format!("{} {request}{method} {path}", text("kind"))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Lets there be what the cases speak of.
async fn furnish(world: &World) {
    let mut node = Node::new(NODE, "fake-hardware");
    node.name = Some("node-a".to_owned());
    node.provision_state = ProvisionState::Available;
    node.resource_class = Some("rc".to_owned());
    node.shard = Some("s1".to_owned());
    node.owner = Some("somebody".to_owned());
    node.description = Some("a node".to_owned());
    node.chassis_uuid = Some(CHASSIS);
    let token = json!("x");
    node.set_internal("agent_secret_token", token);
    world.repository.create(&node).await.unwrap();
    let mut child = Node::new(CHILD, "fake-hardware");
    child.name = Some("node-b".to_owned());
    child.provision_state = ProvisionState::Deploying;
    child.parent_node = Some(NODE);
    world.repository.create(&child).await.unwrap();
    let address: MacAddress = "52:54:00:cf:2d:31".parse().unwrap();
    let port = Port::new(PORT, NODE, address);
    world.repository.create(&port).await.unwrap();
    let step = UserStep::new(InterfaceKind::Bios, "apply").with_priority(1);
    let mut template = DeployTemplate::new("CUSTOM_1", vec![step]);
    template.uuid = TEMPLATE;
    world.repository.create(&template).await.unwrap();
    furnish_runbook(world).await;
    world
        .repository
        .create(&Chassis::new(CHASSIS))
        .await
        .unwrap();
    furnish_details(world).await;
}

/// Lets there be what belongs to the node.
async fn furnish_details(world: &World) {
    let repository = &world.repository;
    let group = Portgroup::new(GROUP, NODE);
    repository.create(&group).await.unwrap();
    let mut member: Port = repository.load(PORT).await.unwrap().value;
    member.portgroup_uuid = Some(GROUP);
    repository.delete::<Port>(PORT).await.unwrap();
    repository.create(&member).await.unwrap();
    let connector = VolumeConnector::new(CONNECTOR, NODE, "iqn", "iqn.a");
    repository.create(&connector).await.unwrap();
    let target = VolumeTarget::new(TARGET, NODE, "iscsi", "v1", 0);
    repository.create(&target).await.unwrap();
    let mut allocation = Allocation::new(ALLOCATION, "rc");
    allocation.node_uuid = Some(NODE);
    repository.create(&allocation).await.unwrap();
    let setting = BiosSetting::new(NODE, "virtualization", Some("on".to_owned()));
    repository.create(&setting).await.unwrap();
    let component = FirmwareComponent::new(NODE, "bmc", "1");
    repository.create(&component).await.unwrap();
    let mut event = HistoryEvent::new(NODE, Severity::Error, "cleaning", "timeout", "it failed");
    event.uuid = Uuid::from_u128(0x77);
    repository.create(&event).await.unwrap();
    let inventory = Inventory::new(NODE, Map::new(), Map::new());
    repository.create(&inventory).await.unwrap();
    furnish_rule(world).await;
}

/// Lets there be the inspection rule that one of the cases removes.
async fn furnish_rule(world: &World) {
    let there = world.repository.get::<InspectionRule>(RULE).await.unwrap();
    if there.is_none() {
        let args = json!({"msg": "x"}).as_object().cloned().unwrap();
        let mut rule = InspectionRule::new(vec![RuleOperation::new("log", args)]);
        rule.uuid = RULE;
        world.repository.create(&rule).await.unwrap();
    }
}

/// Lets there be the runbook that one of the cases removes.
async fn furnish_runbook(world: &World) {
    if world
        .repository
        .get::<Runbook>(RUNBOOK)
        .await
        .unwrap()
        .is_none()
    {
        let step = UserStep::new(InterfaceKind::Bios, "apply");
        let mut runbook = Runbook::new("CUSTOM_1", vec![RunbookStep::new(step, 1)]);
        runbook.uuid = RUNBOOK;
        world.repository.create(&runbook).await.unwrap();
    }
}

async fn run(world: &World, shown: &mut Shown, kind: &str, case: &Value) -> Outcome {
    let path = case["path"].as_str().unwrap_or_default();
    match kind {
        "route_by_version" => {
            let method = case["method"].as_str().unwrap();
            let body = Some(&case["body"]).filter(|body| !body.is_null());
            Some(by_version(world, method, path, body, case).await)
        }
        "nodes_query_by_version" => {
            let query = case["query"].as_str().unwrap().replace(' ', "%20");
            let path = format!("{path}?{query}");
            Some(by_version(world, "GET", &path, None, case).await)
        }
        "create_node_field" => {
            let field = case["field"].as_str().unwrap();
            let mut body = json!({"driver": "fake-hardware"});
            body[field] = case["value"].clone();
            Some(by_version(world, "POST", "/v1/nodes", Some(&body), case).await)
        }
        "patch_node_field" => {
            let path = format!("/{}", case["field"].as_str().unwrap());
            let body = json!([{"op": "replace", "path": path, "value": case["value"]}]);
            Some(by_version(world, "PATCH", "/v1/nodes/{node}", Some(&body), case).await)
        }
        "response_field" => shown.response_field(world, case).await,
        "version_negotiation" => Some(negotiation(world, case).await),
        _ => panic!("kind {kind} is not run"),
    }
}

/// The path with what stands in braces filled in.
fn fill(path: &str) -> String {
    let node = NODE.to_string();
    let pairs = [
        ("{node}", node.as_str()),
        ("{node_name}", "node-a"),
        ("{port}", &PORT.to_string()),
        ("{driver}", "fake-hardware"),
        ("{missing}", &MISSING.to_string()),
        ("{bad name}", "bad%20name"),
        ("{conductor}", "cond-a"),
        ("{hostname}", "cond-a"),
        ("{runbook}", &RUNBOOK.to_string()),
        ("{template}", &TEMPLATE.to_string()),
        ("{trait}", "CUSTOM_1"),
        ("{portgroup}", &GROUP.to_string()),
        ("{connector}", &CONNECTOR.to_string()),
        ("{target}", &TARGET.to_string()),
        ("{allocation}", &ALLOCATION.to_string()),
        ("{rule}", &RULE.to_string()),
        ("{chassis}", &CHASSIS.to_string()),
        ("{setting}", "virtualization"),
        ("{vif}", "vif-1"),
        ("{ind}", "led"),
        ("{component}", "chassis"),
        ("{m}", "method"),
        // The cases were computed with an event that there is not.
        ("{event}", &MISSING.to_string()),
        ("{mac}", "52:54:00:cf:2d:31"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let filled = pairs.iter().fold(path.to_owned(), |path, (name, value)| {
        path.replace(name, value)
    });
    assert!(!filled.contains('{'), "{filled}");
    filled
}

/// Every version is answered as the runs say.
async fn by_version(
    world: &World,
    method: &str,
    path: &str,
    body: Option<&Value>,
    case: &Value,
) -> Result<(), String> {
    let runs = case["expect"]["status_runs"].as_array().unwrap();
    let path = fill(path);
    for minor in 1..=115 {
        let run = runs.iter().rev().find(|run| from(run) <= minor).unwrap();
        let version = format!("1.{minor}");
        let answer = world.ask_in(&version, method, &path, body).await;
        if method == "DELETE" && path.starts_with("/v1/runbooks/") {
            furnish_runbook(world).await;
        }
        if method == "DELETE" && path.starts_with("/v1/inspection_rules/") {
            furnish_rule(world).await;
        }
        let got = answer.status.as_u16();
        // Where the original fails, a refusal is as right as an answer.
        let right = match run["status"].as_u64().unwrap() as u16 {
            failed if failed >= 500 => got < 500,
            status => got == status,
        };
        let count = run["count"].as_u64();
        let counted = answer.body["nodes"]
            .as_array()
            .map(|nodes| nodes.len() as u64);
        if !right || (count.is_some() && count != counted) {
            return Err(format!(
                "{method} {path} {} in {version} gave {got} with {counted:?} nodes, expected {run}: {}",
                body.unwrap_or(&Value::Null),
                answer.body
            ));
        }
    }
    Ok(())
}

fn from(run: &Value) -> u64 {
    let version = run["from"].as_str().unwrap();
    version.strip_prefix("1.").unwrap().parse().unwrap()
}

/// Which fields each request shows in each version, found out once.
#[derive(Default)]
struct Shown(BTreeMap<String, Vec<Vec<String>>>);

impl Shown {
    async fn response_field(&mut self, world: &World, case: &Value) -> Outcome {
        let request = case["request"].as_str().unwrap();
        let (method, path) = request.split_once(' ').unwrap();
        if !self.0.contains_key(request) {
            let fields = fields_by_version(world, method, &fill(path)).await;
            self.0.insert(request.to_owned(), fields);
        }
        let field = case["field"].as_str().unwrap();
        let since = from(&json!({"from": case["expect"]["min"]}));
        for (at, fields) in self.0[request].iter().enumerate() {
            let minor = at as u64 + 1;
            let has = fields.iter().any(|name| name == field);
            if has != (minor >= since) {
                return Some(Err(format!("{field} in 1.{minor}: {has}, since 1.{since}")));
            }
        }
        Some(Ok(()))
    }
}

/// A body that creates one of the collection.
fn new(collection: &str) -> Value {
    let step = json!({"interface": "bios", "step": "s", "args": {}});
    match collection {
        "/v1/nodes" => json!({"driver": "fake-hardware"}),
        "/v1/ports" => json!({"address": "52:54:00:cf:2d:32", "node_uuid": NODE}),
        "/v1/portgroups" => json!({"node_uuid": NODE}),
        "/v1/chassis" => json!({"description": "c"}),
        "/v1/deploy_templates" => {
            let mut step = step;
            step["priority"] = json!(1);
            json!({"name": "", "steps": [step]})
        }
        "/v1/runbooks" => {
            let mut step = step;
            step["order"] = json!(1);
            json!({"name": "", "steps": [step]})
        }
        "/v1/volume/connectors" => {
            json!({"node_uuid": NODE, "type": "iqn", "connector_id": "iqn.new"})
        }
        "/v1/volume/targets" => {
            json!({"node_uuid": NODE, "volume_type": "iscsi", "boot_index": 5, "volume_id": "v"})
        }
        "/v1/allocations" => json!({"resource_class": "rc"}),
        "/v1/inspection_rules" => {
            json!({"actions": [{"op": "log", "args": {"msg": "x"}}]})
        }
        other => panic!("no case creates one of {other}"),
    }
}

async fn fields_by_version(world: &World, method: &str, path: &str) -> Vec<Vec<String>> {
    let mut body = match (method, path) {
        ("POST", _) => Some(new(path)),
        ("PATCH", path) if path.starts_with("/v1/inspection_rules/") => {
            Some(json!([{"op": "replace", "path": "/description", "value": "b"}]))
        }
        ("PATCH", path) if path.starts_with("/v1/chassis/") => {
            Some(json!([{"op": "replace", "path": "/description", "value": "b"}]))
        }
        ("PATCH", _) => Some(json!([{"op": "add", "path": "/extra/a", "value": "b"}])),
        _ => None,
    };
    let mut fields = Vec::new();
    for minor in 1..=115 {
        let version = format!("1.{minor}");
        if matches!(path, "/v1/deploy_templates" | "/v1/runbooks")
            && let Some(body) = &mut body
        {
            // They are kept, and no two have the same name.
            body["name"] = json!(format!("CUSTOM_V{minor}"));
        }
        let answer = world.ask_in(&version, method, path, body.as_ref()).await;
        let answer = if answer.status.is_success() {
            answer.body
        } else {
            Value::Null
        };
        // Of a list the items count.
        let lists = [
            "nodes",
            "ports",
            "drivers",
            "conductors",
            "deploy_templates",
            "runbooks",
            "portgroups",
            "chassis",
            "connectors",
            "targets",
            "bios",
            "firmware",
            "history",
            "allocations",
            "inspection_rules",
        ];
        let list = lists.iter().find_map(|name| answer.get(name)?.as_array());
        let shown = match list {
            Some(items) if items.first().is_none_or(is_item) => {
                items.first().cloned().unwrap_or_default()
            }
            _ => answer,
        };
        let names = shown
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys().cloned());
        fields.push(names.collect());
    }
    fields
}

/// Whether what a list has in it is a resource, rather than links to some.
fn is_item(item: &Value) -> bool {
    item.is_object() && item.get("rel").is_none()
}

async fn negotiation(world: &World, case: &Value) -> Result<(), String> {
    let headers = case["header"].as_object().unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let answer = world.ask("GET", "/v1/nodes", &headers, None).await;
    let expect = &case["expect"];
    let told: serde_json::Map<_, _> = ["Minimum-Version", "Maximum-Version", "Version"]
        .iter()
        .filter_map(|part| {
            let name = format!("X-OpenStack-Ironic-API-{part}");
            let value = answer.headers.get(&name)?.to_str().unwrap();
            Some((name, json!(value)))
        })
        .collect();
    let right = json!(answer.status.as_u16()) == expect["status"]
        && Value::Object(told.clone()) == expect["response_headers"];
    right.then_some(()).ok_or_else(|| {
        let status = answer.status;
        format!("{headers:?} gave {status} {told:?}, expected {expect}")
    })
}
