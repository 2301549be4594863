//! What a plan says, held against what then happens.

use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::agent::{
    AgentAnswer, AgentClient, AgentDeploy, AgentRequest, AgentRescue, AgentTransport,
};
use ironic_core::client::Client;
use ironic_core::driver::RegistryBuilder;
use ironic_core::driver::fake::{FakeCall, FakeOperation as Op};
use ironic_core::engine::{Plan, PlanItem};
use ironic_core::flow::Deed;
use ironic_core::inspection::AgentInspect;
use ironic_core::model::{JsonMap, Node};
use ironic_core::states::{InterfaceKind as I, PowerState, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::{Change, InspectionArgs, ProvisionArgs};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::agent_calls;
use crate::house::{House, LONG, go};

/// An agent that does at once what it is told, with a step for cleaning that erases.
#[derive(Debug)]
struct Agent;

#[async_trait]
impl AgentTransport for Agent {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        let body = request.body.unwrap_or_default();
        let name = body["name"].as_str().unwrap_or_default();
        let erase =
            json!({"interface": "deploy", "step": "erase_devices_metadata", "priority": 10});
        let result = match name.rsplit("get_").next() {
            Some("clean_steps") => {
                json!({"hardware_manager_version": {"test": "1"}, "clean_steps": {"test": [erase]}})
            }
            Some("deploy_steps") => {
                json!({"hardware_manager_version": {"test": "1"}, "deploy_steps": {"test": []}})
            }
            Some("service_steps") => {
                let burn = json!({"interface": "deploy", "step": "burn_in", "priority": 0});
                json!({"hardware_manager_version": {"test": "1"}, "service_steps": {"test": [burn]}})
            }
            _ => Value::Null,
        };
        let answer = json!({"id": "1", "command_name": name, "command_status": "SUCCEEDED",
            "command_params": body["params"], "command_result": result});
        Ok(AgentAnswer::new(200, answer))
    }
}

fn by_agent(builder: RegistryBuilder) -> RegistryBuilder {
    let client = AgentClient::new(Arc::new(Agent));
    builder
        .deploy("direct", Arc::new(AgentDeploy::new(client.clone())))
        .rescue("agent", Arc::new(AgentRescue::new(client)))
        .inspect("agent", Arc::new(AgentInspect::default()))
        .enable(I::Deploy, ["direct"])
        .enable(I::Inspect, ["agent"])
        .enable(I::Rescue, ["agent"])
        .enable(I::Network, ["fake", "noop"])
        .default_interface(I::Deploy, "direct")
        .default_interface(I::Inspect, "agent")
        .default_interface(I::Rescue, "agent")
        .default_interface(I::Network, "fake")
}

fn house() -> House {
    let mut house = House::new();
    house.config.api_url = Some("http://192.0.2.1:6385".to_owned());
    house
}

/// A node that has everything that its life needs.
async fn node(client: &Client, network: &str) -> Uuid {
    let mut node = Node::new(Uuid::nil(), "fake-hardware");
    node.interfaces.set(I::Network, Some(network.to_owned()));
    // The BMC switches the machine off after a deployment, so that it is seen.
    node.driver_info
        .insert("deploy_forces_oob_reboot".to_owned(), json!(true));
    let info = json!({"image_source": "http://192.0.2.2/image.raw", "image_disk_format": "raw",
        "image_checksum": "d8e8fca2dc0f896fd7cb4cb0031ba249"});
    node.instance_info = info.as_object().cloned().unwrap();
    client.create_node(node).await.unwrap().uuid
}

/// What the fakes saw of that which plans speak of, in the words of the fakes; power that was as
/// wanted already left out.
fn seen(calls: &[FakeCall], mut power: Option<PowerState>) -> Vec<String> {
    let mut seen = Vec::new();
    for call in calls {
        match call.operation {
            Op::SetPowerState => {
                let target: ironic_core::states::PowerTarget = call.argument.parse().unwrap();
                if power == Some(target.result()) {
                    continue;
                }
                power = Some(target.result());
            }
            Op::Connect | Op::Disconnect | Op::PrepareRamdisk | Op::PrepareInstance => {}
            _ => continue,
        }
        // The parameters of a ramdisk are its own business.
        let argument = match call.operation {
            Op::PrepareRamdisk => "",
            _ => &call.argument,
        };
        seen.push(format!("{} {argument}", call.operation).trim().to_owned());
    }
    seen
}

/// The same, as a plan says it.
fn said(plan: &Plan) -> Vec<String> {
    let deeds = plan.items.iter().filter_map(|item| match item {
        PlanItem::Deed { what } => Some(what),
        _ => None,
    });
    let said = deeds.filter_map(|deed| {
        Some(match deed {
            Deed::Power { target } => format!("{} {target}", Op::SetPowerState),
            Deed::Connect { role } => format!("{} {role}", Op::Connect),
            Deed::Disconnect { role } => format!("{} {role}", Op::Disconnect),
            Deed::BootRamdisk => Op::PrepareRamdisk.to_string(),
            Deed::BootInstance => Op::PrepareInstance.to_string(),
            _ => return None,
        })
    });
    said.collect()
}

/// Lets a verb happen: its agent calls whenever the node waits for it.
async fn happens(client: &Client, node: Uuid, verb: Verb, args: ProvisionArgs, ends: S) {
    client.provision(node, verb, args).await.unwrap();
    for _ in 0..1000 {
        let state = client.node(node).await.unwrap().provision_state;
        match state {
            state if state == ends => {
                client.wait_for(node, ends, LONG).await.unwrap();
                return;
            }
            S::InspectWait => {
                let inventory = json!({"memory": {"physical_mb": 4096}, "interfaces": []});
                let inventory = inventory.as_object().cloned().unwrap();
                let found = InspectionArgs::new(inventory, JsonMap::new());
                let _ = client.continue_inspection(Some(node), &[], found).await;
            }
            state if state.is_waiting() => agent_calls(client, node).await,
            state => assert!(
                !state.is_failure(),
                "{state}: {:?}",
                client.node(node).await
            ),
        }
        sleep(std::time::Duration::from_secs(1)).await;
    }
    panic!("{verb} does not end: {:?}", client.explain(node).await);
}

/// Plans each verb of a machine's life, and lets it happen; what happened for each of them.
async fn goes_as_said(fast_track: bool) -> Vec<(Verb, Vec<String>)> {
    let mut house = house();
    house.config.policy.fast_track = fast_track;
    let conductor = house.conductor_with("cond-a", by_agent).await;
    let client = house.client(&conductor);
    let node = node(&client, "fake").await;
    house.fakes.record();
    let none = ProvisionArgs::default;
    let power_cycle = ["power_off", "power_on"].map(|step| UserStep::new(I::Power, step));
    let mut serviced = none();
    serviced.steps = power_cycle.to_vec();
    let mut in_ramdisk = none();
    in_ramdisk.steps = vec![UserStep::new(I::Deploy, "burn_in")];
    let life = [
        (Verb::Manage, none(), S::Manageable),
        (Verb::Inspect, none(), S::Manageable),
        (Verb::Provide, none(), S::Available),
        (Verb::Deploy, none(), S::Active),
        (Verb::Service, serviced, S::Active),
        (Verb::Service, in_ramdisk, S::Active),
        (
            Verb::Rescue,
            none().with_rescue_password("let me in"),
            S::Rescue,
        ),
        (Verb::Unrescue, none(), S::Active),
        (Verb::Rebuild, none(), S::Active),
        (Verb::Undeploy, none(), S::Available),
    ];
    let mut life_so_far = Vec::new();
    for (verb, args, ends) in life {
        let before = house.fakes.calls(node).len();
        let power = house.fakes.power_state(node);
        let plan = client.plan(node, verb, args.clone()).await.unwrap();
        assert_eq!(plan.problems, [], "{verb}");
        let looked = house.fakes.calls(node).split_off(before);
        assert_eq!(
            seen(&looked, power),
            Vec::<String>::new(),
            "{verb}: a plan does nothing"
        );
        happens(&client, node, verb, args, ends).await;
        let calls = house.fakes.calls(node).split_off(before);
        assert_eq!(said(&plan), seen(&calls, power), "{verb}:\n{plan}");
        let mut states = plan.items.iter().filter_map(|item| match item {
            PlanItem::State { state } => Some(*state),
            _ => None,
        });
        assert_eq!(states.next_back().unwrap_or(ends), ends, "{verb}:\n{plan}");
        life_so_far.push((verb, seen(&calls, power)));
    }
    conductor.stop().await.unwrap();
    life_so_far
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_says_is_what_happens() {
    goes_as_said(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_knows_that_a_ramdisk_that_runs_is_used() {
    let life = goes_as_said(true).await;
    let done = |verb| {
        let mut of = life.iter().filter(move |(done, _)| *done == verb);
        of.next().map(|(_, done)| done.clone()).unwrap()
    };
    let without_a_boot = [
        "network.connect cleaning",
        "boot.prepare_ramdisk",
        "network.disconnect cleaning",
    ];
    assert_eq!(done(Verb::Provide), without_a_boot);
    let deployed = done(Verb::Deploy);
    let power = deployed.iter().filter(|done| done.contains("power"));
    let instance = [
        "power.set_power_state power off",
        "power.set_power_state power on",
    ];
    assert_eq!(power.collect::<Vec<_>>(), instance);
}

#[tokio::test(start_paused = true)]
async fn what_data_is_lost_is_known_once_the_agent_has_been_asked() {
    let house = house();
    let conductor = house.conductor_with("cond-a", by_agent).await;
    let client = house.client(&conductor);
    let node = node(&client, "fake").await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let none = ProvisionArgs::default;
    let first = client.plan(node, Verb::Provide, none()).await.unwrap();
    assert!(
        first.to_string().contains("(it was never asked)"),
        "{first}"
    );
    assert!(first.summary().erases_data.is_empty());
    happens(&client, node, Verb::Provide, none(), S::Available).await;

    go(&client, node, Verb::Manage, S::Manageable).await;
    let again = client.plan(node, Verb::Provide, none()).await.unwrap();
    let text = again.to_string();
    assert_eq!(
        again.summary().erases_data,
        ["deploy.erase_devices_metadata"]
    );
    assert!(text.contains("(last asked 20"), "{text}");
    let expected = "\
→ cleaning
  prepare (clean)
    join the cleaning network
    let the next boot start the ramdisk
    power on
→ clean wait
    waits for the agent's next call, then: clean steps (at most 30 min)
→ cleaning
  the agent says which further steps it has (last asked AT)
  step deploy.erase_devices_metadata, priority 10, by the agent, erases data
→ clean wait
    step deploy.erase_devices_metadata is running (at most 30 min)
→ cleaning
  step vendor.log_passthrough, priority 1, by the driver
  finish (clean)
    power off
    leave the cleaning network
→ available
in all: 1 power cycle, 2 network moves, data lost by deploy.erase_devices_metadata, waits of at most 1 h
";
    let asked = text.split("last asked ").nth(1).unwrap();
    let asked = asked.split(')').next().unwrap();
    assert_eq!(text, expected.replace("AT", asked));

    let diff = again.diff(&first);
    assert!(!diff.is_empty() && again.diff(&again).is_empty());
    let changed: Vec<_> = diff.to_string().lines().map(str::to_owned).collect();
    let added = "+   step deploy.erase_devices_metadata, priority 10, by the agent, erases data";
    assert!(changed.contains(&added.to_owned()), "{diff}");
    assert!(changed.contains(&"  → available".to_owned()), "{diff}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_everything_for_which_the_verb_would_be_refused() {
    let house = house();
    let conductor = house.conductor_with("cond-a", by_agent).await;
    let client = house.client(&conductor);
    let node = node(&client, "noop").await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    happens(
        &client,
        node,
        Verb::Provide,
        ProvisionArgs::default(),
        S::Available,
    )
    .await;
    let change = Change::set("instance_info", json!({}));
    client.update_node(node, vec![change]).await.unwrap();
    let plan = client.plan(node, Verb::Deploy, ProvisionArgs::default());
    let plan = plan.await.unwrap();
    let text = plan.to_string();
    let [problem] = &plan.problems[..] else {
        panic!("{text}")
    };
    assert_eq!(problem.interface, Some(I::Deploy));
    assert!(text.starts_with("refused: deploy: "), "{text}");
    assert!(text.contains("image_source"), "{text}");
    assert!(
        text.contains("→ active"),
        "what it would do is said all the same: {text}"
    );
    assert!(
        !text.contains("network\n"),
        "what `noop` does not switch is left out: {text}"
    );
    let refused = client.provision(node, Verb::Deploy, ProvisionArgs::default());
    let refused = refused.await.unwrap_err().to_string();
    assert_eq!(problem.message, refused);
    conductor.stop().await.unwrap();
}
