//! Settings of how agents are spoken to, and of what they may be given.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::agent::{
    AgentAnswer, AgentClient, AgentDeploy, AgentRequest, AgentRescue, AgentTransport,
};
use ironic_core::client::Client;
use ironic_core::driver::RegistryBuilder;
use ironic_core::states::{InterfaceKind as I, ProvisionState as S, Verb};
use ironic_core::transport::{Change, HeartbeatArgs, ProvisionArgs};
use ironic_core::{Error, ErrorKind};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hold::{agent_calls, reaches};
use crate::house::{House, LONG, available, go};

/// What an agent does with the next command.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    /// It carries it out.
    Obeys,
    /// It never gets it.
    IsDeaf,
    /// It begins with it, and its answer gets lost.
    IsMute,
    /// It knows no hashed passwords.
    IsOld,
}

/// An agent of changing moods.
#[derive(Debug, Default)]
struct Agent {
    moods: Mutex<VecDeque<Mood>>,
    /// The commands that were sent, whether or not they arrived.
    sent: Mutex<Vec<Value>>,
    /// Those that arrived, as it lists them.
    has: Mutex<Vec<Value>>,
    timeouts: Mutex<Vec<Duration>>,
}

impl Agent {
    fn feels(&self, moods: &[Mood]) {
        self.moods.lock().unwrap().extend(moods);
    }

    fn sent(&self) -> Vec<Value> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

#[async_trait]
impl AgentTransport for Agent {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        self.timeouts.lock().unwrap().push(request.timeout);
        let Some(body) = request.body else {
            let commands = self.has.lock().unwrap().clone();
            return Ok(AgentAnswer::new(200, json!({"commands": commands})));
        };
        self.sent.lock().unwrap().push(body.clone());
        let mood = self.moods.lock().unwrap().pop_front();
        let lost = || Error::Unreachable {
            what: "the agent".to_owned(),
            message: "connection reset".to_owned(),
        };
        let name = body["name"].as_str().unwrap_or_default();
        let command = |status: &str| {
            json!({"id": "1", "command_name": name.rsplit('.').next(), "command_status": status,
                "command_result": null})
        };
        match mood.unwrap_or(Mood::Obeys) {
            Mood::IsDeaf => Err(lost()),
            Mood::IsMute => {
                self.has.lock().unwrap().push(command("RUNNING"));
                Err(lost())
            }
            Mood::IsOld if body["params"]["hashed"] == true => {
                let fault = json!({"faultstring": "unexpected argument: hashed"});
                Ok(AgentAnswer::new(400, fault))
            }
            _ => {
                let done = command("SUCCEEDED");
                self.has.lock().unwrap().push(done.clone());
                Ok(AgentAnswer::new(200, done))
            }
        }
    }
}

fn by_agent(agent: &Arc<Agent>) -> impl FnOnce(RegistryBuilder) -> RegistryBuilder + use<> {
    let transport: Arc<dyn AgentTransport> = Arc::clone(agent) as Arc<dyn AgentTransport>;
    let client = AgentClient::new(transport);
    move |builder| {
        builder
            .deploy("direct", Arc::new(AgentDeploy::new(client.clone())))
            .rescue("agent", Arc::new(AgentRescue::new(client)))
            .enable(I::Rescue, ["agent"])
            .enable(I::Deploy, ["fake", "direct"])
            .enable(I::Network, ["fake"])
            .default_interface(I::Deploy, "fake")
            .default_interface(I::Network, "fake")
            .default_interface(I::Rescue, "agent")
    }
}

fn house() -> (House, Arc<Agent>) {
    let mut house = House::new();
    house.config.api_url = Some("http://192.0.2.1:6385".to_owned());
    (house, Arc::new(Agent::default()))
}

/// Rescues an instance with an agent of these moods, as far as it gets.
async fn rescued(house: &House, agent: &Arc<Agent>, moods: &[Mood]) -> S {
    let conductor = house.conductor_with("cond-a", by_agent(agent)).await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    let args = ProvisionArgs::default().with_rescue_password("let me in");
    client.provision(node, Verb::Rescue, args).await.unwrap();
    reaches(&client, node, S::RescueWait).await;
    agent.feels(moods);
    agent_calls(&client, node).await;
    let ends = |node: &ironic_core::Node| {
        let state = node.provision_state;
        matches!(state, S::Rescue | S::RescueFailed).then_some(Ok(()))
    };
    let state = client.wait_until(node, LONG, ends).await.unwrap();
    conductor.stop().await.unwrap();
    state.provision_state
}

#[tokio::test(start_paused = true)]
async fn a_command_that_gets_no_answer_is_given_again_unless_the_agent_has_it() {
    use Mood::{IsDeaf, Obeys};
    let (mut house, agent) = house();
    assert_eq!(rescued(&house, &agent, &[IsDeaf, Obeys]).await, S::Rescue);
    assert_eq!(agent.sent().len(), 2);
    let never = [IsDeaf; 5];
    assert_eq!(rescued(&house, &agent, &never).await, S::RescueFailed);
    assert_eq!(agent.sent().len(), 3, "the original's default");
    agent.moods.lock().unwrap().clear();
    house.config.agent_max_command_attempts = 1;
    house.config.agent_command_timeout = Duration::from_secs(7);
    assert_eq!(rescued(&house, &agent, &never).await, S::RescueFailed);
    assert_eq!(agent.sent().len(), 1);
    let timeouts = agent.timeouts.lock().unwrap();
    assert_eq!(timeouts.first(), Some(&Duration::from_secs(60)));
    assert_eq!(timeouts.last(), Some(&Duration::from_secs(7)));
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_answer_got_lost_is_not_given_twice() {
    let (house, agent) = house();
    rescued(&house, &agent, &[Mood::IsMute]).await;
    assert_eq!(agent.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_password_is_hashed_as_told_and_goes_in_clear_only_where_that_is_allowed() {
    let (mut house, agent) = house();
    assert_eq!(
        rescued(&house, &agent, &[Mood::IsOld]).await,
        S::RescueFailed
    );
    let sent = agent.sent();
    assert_eq!(sent.len(), 1);
    let hashed = sent[0]["params"]["rescue_password"].as_str().unwrap();
    assert!(hashed.starts_with("$5$"), "{hashed}");

    house.config.rescue_password_hash_algorithm = "sha512".parse().unwrap();
    house.config.require_rescue_password_hashed = false;
    let old = [Mood::IsOld; 2];
    assert_eq!(rescued(&house, &agent, &old).await, S::Rescue);
    let sent = agent.sent();
    let hashed = sent[0]["params"]["rescue_password"].as_str().unwrap();
    assert!(hashed.starts_with("$6$"), "{hashed}");
    assert_eq!(sent[1]["params"], json!({"rescue_password": "let me in"}));
}

async fn with_image(client: &Client, checksum: &str) -> Uuid {
    let node = available(client).await;
    let changes = vec![
        Change::set("interfaces/deploy", "direct"),
        Change::set("instance_info/image_source", "http://192.0.2.1/disk.raw"),
        Change::set("instance_info/image_checksum", checksum),
    ];
    client.update_node(node, changes).await.unwrap();
    node
}

#[tokio::test(start_paused = true)]
async fn checksums_are_of_a_sort_that_the_operator_accepts() {
    let md5 = "0123456789abcdef0123456789abcdef";
    let url = "http://192.0.2.1/SHA256SUMS";
    for (strict, checksum, named) in [
        (false, md5, None),
        (false, url, None),
        (true, md5, Some("md5")),
        (true, url, Some("URL")),
        (true, &md5.repeat(2), None),
    ] {
        let (mut house, agent) = house();
        house.config.agent_allow_md5_checksum = !strict;
        house.config.disable_support_for_checksum_files = strict;
        let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
        let client = house.client(&conductor);
        let node = with_image(&client, checksum).await;
        let args = ProvisionArgs::default();
        let asked = client.provision(node, Verb::Deploy, args).await;
        match named {
            None => {
                asked.unwrap();
                reaches(&client, node, S::DeployWait).await;
                let told = client.lookup(Some(node), &[]).await.unwrap();
                assert_eq!(told.allow_md5, !strict);
            }
            Some(named) => {
                let error = asked.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidParameter);
                assert!(error.to_string().contains(named), "{error}");
            }
        }
        conductor.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_without_tls_is_turned_away_where_tls_is_required() {
    let (mut house, agent) = house();
    house.config.agent_require_tls = true;
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = with_image(&client, "0").await;
    let args = ProvisionArgs::default();
    client.provision(node, Verb::Deploy, args).await.unwrap();
    reaches(&client, node, S::DeployWait).await;
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    let call = |url: &str| client.heartbeat(node, HeartbeatArgs::new(url, token.clone()));
    let error = call("http://192.0.2.9:9999").await.unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(agent.sent(), [json!(null); 0], "nobody speaks to it");
    call("https://192.0.2.9:9999").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(agent.sent()[0]["name"], "deploy.get_deploy_steps");
    conductor.stop().await.unwrap();
}
