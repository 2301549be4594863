//! How the agent is left once it has deployed: what it is told, and what is done where it says
//! nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::agent::{AgentAnswer, AgentClient, AgentPower, AgentRequest, AgentTransport};
use ironic_core::client::Client;
use ironic_core::driver::RegistryBuilder;
use ironic_core::driver::fake::{FakeBehaviour, FakeOperation as Op, FakeRule};
use ironic_core::model::Node;
use ironic_core::states::{InterfaceKind as I, PowerState, ProvisionState as S, Verb};
use ironic_core::transport::{Change, ProvisionArgs};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::fast_track::{by_agent, switched, with_image};
use crate::hold::{agent_calls, reaches};
use crate::house::{House, LONG, ask, available, go};

/// An agent that is gone as soon as it switches its machine off: who waits for its answer hears
/// nothing more of it.
#[derive(Debug)]
struct Agent {
    fakes: FakeBehaviour,
    machine: Mutex<Option<Uuid>>,
    gone: Mutex<bool>,
    /// What it was told, and whether it was to answer when that is done.
    told: Mutex<Vec<(String, bool)>>,
}

impl Agent {
    /// What it was told to do about its machine.
    fn told(&self) -> Vec<(String, bool)> {
        let told = self.told.lock().unwrap().clone();
        let of_interest = |(name, _): &(String, bool)| !name.starts_with("deploy.");
        told.into_iter().filter(of_interest).collect()
    }
}

#[async_trait]
impl AgentTransport for Agent {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        let name = request.body.unwrap_or_default()["name"].clone();
        let name = name.as_str().unwrap_or("list").to_owned();
        let waits = request.url.contains("wait=true");
        let heard = !*self.gone.lock().unwrap();
        if heard {
            self.told.lock().unwrap().push((name.clone(), waits));
        }
        let off = heard && name == "standby.power_off";
        if off {
            *self.gone.lock().unwrap() = true;
            let machine = self.machine.lock().unwrap().unwrap();
            self.fakes.set_power_state(machine, PowerState::Off);
        }
        if heard && matches!(name.as_str(), "system.lockdown" | "standby.run_image") {
            *self.gone.lock().unwrap() = true;
        }
        if !heard || (off && waits) {
            sleep(request.timeout).await;
            let (what, after) = ("the agent".to_owned(), request.timeout);
            return Err(Error::Timeout { what, after });
        }
        let result = match name.as_str() {
            "deploy.get_deploy_steps" => {
                json!({"deploy_steps": {"test": []}, "hardware_manager_version": {"test": "1"}})
            }
            _ => Value::Null,
        };
        let status = if off { "RUNNING" } else { "SUCCEEDED" };
        let command = json!({"id": "1", "command_name": name.rsplit('.').next(),
            "command_status": status, "command_result": result});
        Ok(AgentAnswer::new(200, command))
    }
}

fn house() -> (House, Arc<Agent>) {
    let mut house = House::new();
    house.config.api_url = Some("http://192.0.2.1:6385".to_owned());
    house.config.policy.automated_clean = false;
    let agent = Arc::new(Agent {
        fakes: house.fakes.clone(),
        machine: Mutex::default(),
        gone: Mutex::default(),
        told: Mutex::default(),
    });
    (house, agent)
}

/// A machine whose agent is about to be asked for its steps and to write the image.
async fn deploying(agent: &Agent, client: &Client, changes: Vec<Change>) -> Uuid {
    let node = available(client).await;
    *agent.machine.lock().unwrap() = Some(node);
    with_image(client, node).await;
    client.update_node(node, changes).await.unwrap();
    ask(client, node, Verb::Deploy).await.unwrap();
    reaches(client, node, S::DeployWait).await;
    node
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_goes_with_its_machine_is_not_waited_for() {
    let (house, agent) = house();
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = deploying(&agent, &client, Vec::new()).await;
    house.fakes.record();
    let began = Instant::now();
    agent_calls(&client, node).await;
    client.wait_for(node, S::Active, LONG).await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(agent.told(), [("standby.power_off".to_owned(), false)]);
    assert_eq!(switched(&house, node), ["power on"]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn before_the_bmc_takes_the_power_the_agent_has_written_everything() {
    let (house, agent) = house();
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let forced = vec![Change::set("driver_info/deploy_forces_oob_reboot", true)];
    let node = deploying(&agent, &client, forced).await;
    house.fakes.record();
    agent_calls(&client, node).await;
    client.wait_for(node, S::Active, LONG).await.unwrap();
    assert_eq!(agent.told(), [("standby.sync".to_owned(), true)]);
    assert_eq!(switched(&house, node), ["power off", "power on"]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_agent_of_a_machine_that_stays_on_takes_no_more_commands() {
    let (house, agent) = house();
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let never = vec![Change::set("disable_power_off", true)];
    let node = deploying(&agent, &client, never).await;
    house.fakes.record();
    agent_calls(&client, node).await;
    client.wait_for(node, S::Active, LONG).await.unwrap();
    let locked = [("standby.sync", true), ("system.lockdown", false)];
    assert_eq!(
        agent.told(),
        locked.map(|(name, waits)| (name.to_owned(), waits))
    );
    assert_eq!(switched(&house, node), ["rebooting"]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_does_not_say_whether_it_is_off_is_asked_again() {
    let (house, agent) = house();
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = deploying(&agent, &client, Vec::new()).await;
    house.fakes.record();
    let busy = Error::driver("fake", "out of sessions");
    house
        .fakes
        .add(FakeRule::fails(Op::GetPowerState, busy).first(3));
    agent_calls(&client, node).await;
    client.wait_for(node, S::Active, LONG).await.unwrap();
    assert!(house.fakes.call_count(Op::GetPowerState) > 3);
    assert_eq!(switched(&house, node), ["power on"]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_only_its_agent_restarts_is_restarted_into_its_instance() {
    let (mut house, agent) = house();
    house.config.policy.fast_track = true;
    let power = AgentPower::new(AgentClient::new(agent.clone()));
    let further = |builder: RegistryBuilder| {
        by_agent(&agent)(builder)
            .power("agent", Arc::new(power))
            .enable(I::Power, ["agent", "fake"])
    };
    let conductor = house.conductor_with("cond-a", further).await;
    let client = house.client(&conductor);
    let mut node = Node::new(Uuid::nil(), "fake-hardware");
    node.interfaces.set(I::Power, Some("agent".to_owned()));
    let node = client.create_node(node).await.unwrap().uuid;
    agent_calls(&client, node).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    go(&client, node, Verb::Provide, S::Available).await;
    with_image(&client, node).await;
    let plan = client.plan(node, Verb::Deploy, ProvisionArgs::default());
    assert_eq!(plan.await.unwrap().summary().power_cycles, 1);
    go(&client, node, Verb::Deploy, S::Active).await;
    let restarted = [("standby.sync", true), ("standby.run_image", false)];
    assert_eq!(
        agent.told(),
        restarted.map(|(name, waits)| (name.to_owned(), waits))
    );
    conductor.stop().await.unwrap();
}
