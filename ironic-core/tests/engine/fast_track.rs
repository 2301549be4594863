//! Using a ramdisk that runs already: the interfaces of the agent on fake machines.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::agent::{AgentAnswer, AgentClient, AgentDeploy, AgentRequest, AgentTransport};
use ironic_core::client::Client;
use ironic_core::driver::RegistryBuilder;
use ironic_core::driver::fake::{FakeBehaviour, FakeOperation as Op, FakeRule};
use ironic_core::inspection::AgentInspect;
use ironic_core::states::{InterfaceKind as I, PowerState, PowerTarget, ProvisionState as S, Verb};
use ironic_core::transport::{Change, HeartbeatArgs, InspectionArgs};
use ironic_core::{Error, ErrorKind, MacAddress, Port};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::reaches;
use crate::house::{House, LONG, ask, enrolled, go, powered};

/// The agent of one machine: it has a step of its own for each flow, and does at once what it is
/// told.
#[derive(Debug)]
pub(crate) struct Agent {
    machine: Mutex<Option<Uuid>>,
    fakes: FakeBehaviour,
    told: Mutex<Vec<String>>,
    /// How many further calls it does not answer.
    silent: Mutex<u32>,
}

impl Agent {
    fn told(&self, command: &str) -> usize {
        let told = self.told.lock().unwrap();
        told.iter().filter(|it| *it == command).count()
    }
}

#[async_trait]
impl AgentTransport for Agent {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        {
            let mut silent = self.silent.lock().unwrap();
            if *silent > 0 {
                *silent -= 1;
                return Err(Error::Unreachable {
                    what: "agent".to_owned(),
                    message: "no answer".to_owned(),
                });
            }
        }
        let body = request.body.unwrap_or_default();
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        self.told.lock().unwrap().push(name.clone());
        let step = |step: &str, priority: u32| json!({"Generic": [{"step": step, "interface": "deploy", "priority": priority}]});
        let version = json!({"generic": "1"});
        let result = match name.as_str() {
            "clean.get_clean_steps" => {
                json!({"clean_steps": step("wipe", 10), "hardware_manager_version": version})
            }
            "deploy.get_deploy_steps" => {
                json!({"deploy_steps": step("polish", 70), "hardware_manager_version": version})
            }
            "standby.power_off" => {
                let machine = self.machine.lock().unwrap().unwrap();
                self.fakes.set_power_state(machine, PowerState::Off);
                Value::Null
            }
            _ => Value::Null,
        };
        Ok(AgentAnswer::new(
            200,
            json!({"id": "1", "command_name": name.rsplit('.').next(), "command_status": "SUCCEEDED",
                "command_result": result}),
        ))
    }
}

pub(crate) fn by_agent<A: AgentTransport>(
    agent: &Arc<A>,
) -> impl FnOnce(RegistryBuilder) -> RegistryBuilder + use<A> {
    let client = AgentClient::new(Arc::clone(agent) as Arc<dyn AgentTransport>);
    move |builder| {
        builder
            .deploy("direct", Arc::new(AgentDeploy::new(client)))
            .inspect("agent", Arc::new(AgentInspect::default()))
            .enable(I::Deploy, ["direct"])
            .enable(I::Inspect, ["agent"])
            .enable(I::Network, ["fake"])
            .default_interface(I::Network, "fake")
            .default_interface(I::Deploy, "direct")
            .default_interface(I::Inspect, "agent")
    }
}

pub(crate) fn house() -> (House, Arc<Agent>) {
    let mut house = House::new();
    house.config.api_url = Some("http://192.0.2.1:6385".to_owned());
    house.config.policy.fast_track = true;
    let agent = Arc::new(Agent {
        machine: Mutex::default(),
        fakes: house.fakes.clone(),
        told: Mutex::default(),
        silent: Mutex::default(),
    });
    (house, agent)
}

/// A machine under management, whose ramdisk was started by hand and has called; its token.
pub(crate) async fn running(agent: &Agent, client: &Client) -> (Uuid, Option<String>) {
    let node = enrolled(client).await;
    *agent.machine.lock().unwrap() = Some(node);
    go(client, node, Verb::Manage, S::Manageable).await;
    powered(client, node, PowerTarget::On).await;
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    calls(client, node, &token).await;
    (node, token)
}

async fn calls(client: &Client, node: Uuid, token: &Option<String>) {
    let call = HeartbeatArgs::new("http://192.0.2.9:9999", token.clone());
    client.heartbeat(node, call).await.unwrap();
}

/// How the machine's power was switched since the log began.
pub(crate) fn switched(house: &House, node: Uuid) -> Vec<String> {
    let calls = house.fakes.calls(node).into_iter();
    calls
        .filter(|call| call.operation == Op::SetPowerState)
        .map(|call| call.argument)
        .collect()
}

pub(crate) async fn with_image(client: &Client, node: Uuid) {
    let image = vec![
        Change::set("instance_info/image_source", "http://192.0.2.1/i.raw"),
        Change::set(
            "instance_info/image_checksum",
            "0cc175b9c0f1b6a831c399e269772661",
        ),
    ];
    client.update_node(node, image).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_ramdisk_runs_is_cleaned_and_deployed_without_a_restart() {
    let (house, agent) = house();
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let (node, token) = running(&agent, &client).await;
    house.fakes.record();

    go(&client, node, Verb::Provide, S::Available).await;
    assert_eq!(agent.told("clean.execute_clean_step"), 1, "its own step");
    assert_eq!(switched(&house, node), [""; 0], "it runs on");
    assert_eq!(house.fakes.power_state(node), Some(PowerState::On));

    sleep(Duration::from_secs(200)).await;
    calls(&client, node, &token).await;
    with_image(&client, node).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    assert_eq!(
        agent.told("deploy.execute_deploy_step"),
        2,
        "its own step, and the image"
    );
    assert_eq!(switched(&house, node), ["power on"], "into the instance");
    let active = client.node(node).await.unwrap();
    assert_eq!(active.internal_str("agent_url"), None);
    assert_eq!(active.internal_str("agent_secret_token"), None);
    conductor.stop().await.unwrap();
}

/// How the machine's power was switched as it was cleaned.
async fn restarted(prepare: impl AsyncFn(&House, &Client, Uuid), fast_track: bool) -> Vec<String> {
    let (mut house, agent) = house();
    house.config.policy.fast_track = fast_track;
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    *agent.machine.lock().unwrap() = Some(node);
    go(&client, node, Verb::Manage, S::Manageable).await;
    powered(&client, node, PowerTarget::On).await;
    let own = vec![Change::set("driver_info/fast_track", "yes")];
    client.update_node(node, own).await.unwrap();
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    calls(&client, node, &token).await;
    prepare(&house, &client, node).await;
    house.fakes.record();
    ask(&client, node, Verb::Provide).await.unwrap();
    let done = client.wait_until(node, Duration::from_secs(30), |node| {
        (node.provision_state == S::Available).then_some(Ok(()))
    });
    let _ = done.await;
    let switched = switched(&house, node);
    conductor.stop().await.unwrap();
    switched
}

#[tokio::test(start_paused = true)]
async fn it_is_restarted_unless_everything_speaks_for_its_ramdisk() {
    let nothing = async |_: &House, _: &Client, _: Uuid| {};
    assert_eq!(restarted(nothing, false).await, [""; 0], "as its node says");
    let off_on = ["power off", "power on"];
    let change = |path: &'static str, value: &'static str| {
        async move |_: &House, client: &Client, node: Uuid| {
            let change = vec![Change::set(path, value)];
            client.update_node(node, change).await.unwrap();
        }
    };
    let no = change("driver_info/fast_track", "no");
    assert_eq!(restarted(no, true).await, off_on);
    let late = async |_: &House, _: &Client, _: Uuid| sleep(Duration::from_secs(301)).await;
    assert_eq!(restarted(late, true).await, off_on, "it has not called");
    let still = async |_: &House, _: &Client, _: Uuid| sleep(Duration::from_secs(299)).await;
    assert_eq!(restarted(still, true).await, [""; 0]);
    let unplugged = async |house: &House, _: &Client, node: Uuid| {
        house.fakes.set_power_state(node, PowerState::Off);
    };
    assert_eq!(restarted(unplugged, true).await, off_on, "it has no power");
}

#[tokio::test(start_paused = true)]
async fn how_long_ago_it_may_have_called_is_the_operators_to_say() {
    let (mut house, agent) = house();
    house.config.policy.fast_track_timeout = Duration::from_secs(30);
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let (node, _) = running(&agent, &client).await;
    sleep(Duration::from_secs(40)).await;
    house.fakes.record();
    ask(&client, node, Verb::Provide).await.unwrap();
    reaches(&client, node, S::CleanWait).await;
    assert_eq!(switched(&house, node), ["power off", "power on"]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_fast_track_an_idle_node_has_no_agent() {
    let (mut house, agent) = house();
    house.config.policy.fast_track = false;
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let error = client.lookup(Some(node), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let nonsense = vec![Change::set("driver_info/fast_track", "perhaps")];
    client.update_node(node, nonsense).await.unwrap();
    ask(&client, node, Verb::Provide).await.unwrap();
    let error = client.wait_for(node, S::Available, LONG).await.unwrap_err();
    assert!(
        error.to_string().contains("driver_info/fast_track"),
        "{error}"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_does_not_answer_at_once_is_waited_for_and_no_longer() {
    let (mut house, agent) = house();
    house.config.agent_max_command_attempts = 1;
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let (node, token) = running(&agent, &client).await;
    *agent.silent.lock().unwrap() = 1;
    ask(&client, node, Verb::Provide).await.unwrap();
    reaches(&client, node, S::CleanWait).await;
    calls(&client, node, &token).await;
    client.wait_for(node, S::Available, LONG).await.unwrap();

    // One that calls, and yet cannot be reached, is not waited for for ever.
    go(&client, node, Verb::Manage, S::Manageable).await;
    calls(&client, node, &token).await;
    *agent.silent.lock().unwrap() = 100;
    ask(&client, node, Verb::Provide).await.unwrap();
    reaches(&client, node, S::CleanWait).await;
    calls(&client, node, &token).await;
    reaches(&client, node, S::CleanFailed).await;
    sleep(Duration::from_secs(60)).await;
    let failed = client.node(node).await.unwrap();
    assert!(failed.last_error.unwrap().contains("no answer"));
    conductor.stop().await.unwrap();
}

pub(crate) fn inventory() -> InspectionArgs {
    let found = json!({"interfaces": [{"name": "eth0", "mac_address": "52:54:00:00:00:01"}],
        "cpu": {"architecture": "x86_64", "count": 4}, "memory": {"physical_mb": 4096},
        "disks": [], "boot": {"current_boot_mode": "uefi"}});
    InspectionArgs::new(found.as_object().unwrap().clone(), Default::default())
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_reports_while_it_is_still_being_started_is_heard() {
    let (house, agent) = house();
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let address: MacAddress = "52:54:00:00:00:01".parse().unwrap();
    let port = Port::new(Uuid::nil(), node, address.clone());
    client.create_port(port).await.unwrap();
    go(&client, node, Verb::Manage, S::Manageable).await;
    let slow = FakeRule::takes(Op::SetPowerState, Duration::from_secs(2));
    house.fakes.add(slow);
    ask(&client, node, Verb::Inspect).await.unwrap();
    reaches(&client, node, S::Inspecting).await;
    // What is only locked is asked again by the agent; that nobody waits for it is final.
    let from = [address];
    while let Err(error) = client.continue_inspection(None, &from, inventory()).await {
        assert_eq!(error.kind(), ErrorKind::NodeLocked, "{error}");
        sleep(Duration::from_secs(1)).await;
    }
    client.wait_for(node, S::Manageable, LONG).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_ramdisk_that_has_inspected_a_machine_cleans_it_too() {
    let (house, agent) = house();
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    *agent.machine.lock().unwrap() = Some(node);
    go(&client, node, Verb::Manage, S::Manageable).await;
    ask(&client, node, Verb::Inspect).await.unwrap();
    reaches(&client, node, S::InspectWait).await;
    house.fakes.record();
    client
        .continue_inspection(Some(node), &[], inventory())
        .await
        .unwrap();
    client.wait_for(node, S::Manageable, LONG).await.unwrap();
    // It has not called yet, but is about to.
    ask(&client, node, Verb::Provide).await.unwrap();
    reaches(&client, node, S::CleanWait).await;
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    calls(&client, node, &token).await;
    client.wait_for(node, S::Available, LONG).await.unwrap();
    assert_eq!(switched(&house, node), [""; 0]);
    conductor.stop().await.unwrap();
}
