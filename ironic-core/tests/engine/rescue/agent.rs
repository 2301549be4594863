//! The rescue interface `agent`: what it does to the machine and tells the agent, in which order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::agent::{AgentAnswer, AgentClient, AgentRequest, AgentRescue, AgentTransport};
use ironic_core::driver::RegistryBuilder;
use ironic_core::driver::fake::FakeOperation as Op;
use ironic_core::states::{InterfaceKind as I, PowerState, ProvisionState as S, Verb};
use ironic_core::transport::{Change, ProvisionArgs};
use ironic_core::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::{agent_calls, reaches};
use crate::house::{House, LONG, available, go};

/// An agent that does what it is told, or refuses.
#[derive(Debug, Default)]
struct Agent {
    told: Mutex<Vec<(String, Value)>>,
    refuses: bool,
}

#[async_trait]
impl AgentTransport for Agent {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        let body = request.body.unwrap_or_default();
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        self.told.lock().unwrap().push((request.url, body));
        if self.refuses {
            let fault = json!({"faultstring": "password file is read-only"});
            return Ok(AgentAnswer::new(500, fault));
        }
        let command = name.rsplit('.').next().unwrap_or_default();
        Ok(AgentAnswer::new(
            200,
            json!({"id": "1", "command_name": command, "command_status": "SUCCEEDED",
                "command_result": null}),
        ))
    }
}

fn rescuing(agent: &Arc<Agent>) -> impl FnOnce(RegistryBuilder) -> RegistryBuilder + use<> {
    let transport: Arc<dyn AgentTransport> = Arc::clone(agent) as Arc<dyn AgentTransport>;
    let rescue = AgentRescue::new(AgentClient::new(transport));
    move |builder| {
        builder
            .rescue("agent", Arc::new(rescue))
            .enable(I::Rescue, ["agent", "no-rescue"])
            .enable(I::Network, ["fake"])
            .default_interface(I::Network, "fake")
            .default_interface(I::Rescue, "agent")
    }
}

fn house() -> House {
    let mut house = House::new();
    house.config.api_url = Some("http://192.0.2.1:6385".to_owned());
    house
}

fn password() -> ProvisionArgs {
    ProvisionArgs::default().with_rescue_password("let me in")
}

/// What was done to the machine and its networks since the log began.
fn done(house: &House, node: Uuid) -> Vec<String> {
    let of_interest = [
        Op::SetPowerState,
        Op::Connect,
        Op::Disconnect,
        Op::PrepareRamdisk,
        Op::CleanUpRamdisk,
        Op::PrepareInstance,
        Op::CleanUpInstance,
    ];
    let calls = house.fakes.calls(node).into_iter();
    calls
        .filter(|call| of_interest.contains(&call.operation))
        .map(|call| {
            format!("{} {}", call.operation, call.argument)
                .trim()
                .to_owned()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_agent_is_given_the_hash_and_the_machine_its_networks_back() {
    let (house, agent) = (house(), Arc::new(Agent::default()));
    let conductor = house.conductor_with("cond-a", rescuing(&agent)).await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    house.fakes.set_power_state(node, PowerState::On);
    house.fakes.record();
    let before = done(&house, node).len();
    client
        .provision(node, Verb::Rescue, password())
        .await
        .unwrap();
    reaches(&client, node, S::RescueWait).await;
    let booted = done(&house, node).split_off(before);
    let order = [
        "power.set_power_state power off",
        "boot.clean_up_instance",
        "network.disconnect tenant",
        "network.connect rescuing",
        "boot.prepare_ramdisk",
        "power.set_power_state power on",
    ];
    let mut at = booted.iter();
    for wanted in order {
        assert!(
            at.any(|done| done.starts_with(wanted)),
            "{wanted} in {booted:?}"
        );
    }
    let hashed = client.node(node).await.unwrap().instance_info["hashed_rescue_password"].clone();

    agent_calls(&client, node).await;
    let rescued = client.wait_for(node, S::Rescue, LONG).await.unwrap();
    let left: Vec<_> = rescued.instance_info.keys().collect();
    assert!(left.iter().all(|key| !key.contains("password")), "{left:?}");
    let told = agent.told.lock().unwrap().clone();
    let [(url, body)] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(
        url.starts_with("http://192.0.2.9:9999/v1/commands/?wait="),
        "{url}"
    );
    assert!(url.contains("agent_token="));
    let params = json!({"rescue_password": hashed, "hashed": true});
    assert_eq!(
        *body,
        json!({"name": "rescue.finalize_rescue", "params": params})
    );
    let after = done(&house, node).split_off(before + booted.len());
    assert_eq!(
        after,
        [
            "boot.clean_up_ramdisk",
            "network.disconnect rescuing",
            "network.connect tenant"
        ]
    );

    let seen = before + booted.len() + after.len();
    let back = go(&client, node, Verb::Unrescue, S::Active).await;
    assert_eq!(back.power_state, Some(PowerState::On));
    let back = done(&house, node).split_off(seen);
    assert_eq!(back.first().unwrap(), "power.set_power_state power off");
    assert_eq!(
        back[back.len() - 3..],
        [
            "network.connect tenant",
            "boot.prepare_instance",
            "power.set_power_state power on"
        ]
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_refuses_the_password_fails_the_rescue_and_is_switched_off() {
    let house = house();
    let agent = Arc::new(Agent {
        refuses: true,
        ..Agent::default()
    });
    let conductor = house.conductor_with("cond-a", rescuing(&agent)).await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    client
        .provision(node, Verb::Rescue, password())
        .await
        .unwrap();
    reaches(&client, node, S::RescueWait).await;
    agent_calls(&client, node).await;
    reaches(&client, node, S::RescueFailed).await;
    sleep(Duration::from_secs(1)).await;
    let failed = client.node(node).await.unwrap();
    assert!(failed.last_error.unwrap().contains("read-only"));
    assert_eq!(failed.power_state, Some(PowerState::Off));
    assert!(!failed.instance_info.contains_key("rescue_password"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rescue_that_could_not_work_is_refused() {
    let mut house = house();
    house.config.api_url = None;
    let agent = Arc::new(Agent::default());
    let conductor = house.conductor_with("cond-a", rescuing(&agent)).await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    let error = client
        .provision(node, Verb::Rescue, password())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("api_url"), "{error}");
    let none = vec![Change::set("interfaces/rescue", "no-rescue")];
    client.set_maintenance(node, true, None).await.unwrap();
    client.update_node(node, none).await.unwrap();
    client.set_maintenance(node, false, None).await.unwrap();
    let error = client
        .provision(node, Verb::Rescue, password())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    conductor.stop().await.unwrap();
}
