//! One machine among many, and all that is asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::model::MacAddress;
use ironic_core::runtime::{Entropy, SeededEntropy};
use ironic_core::states::{InterfaceKind, PowerTarget, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::{Change, HeartbeatArgs, ProvisionArgs};
use ironic_core::{Error, ErrorKind};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::house::House;

const AGENT: &str = "http://192.0.2.9:9999";

/// What one machine is told to do differently from others.
pub(super) fn moods(house: &House, node: Uuid, entropy: &SeededEntropy) {
    let operations: Vec<_> = InterfaceKind::ALL
        .iter()
        .flat_map(|kind| FakeOperation::of(*kind))
        .collect();
    for _ in 0..12 {
        let operation = operations[pick(entropy, operations.len())];
        let rule = match entropy.below(3) {
            0 | 1 => {
                let most = Duration::from_millis(entropy.below(3000));
                FakeRule::takes_between(operation, Duration::ZERO, most)
            }
            _ => FakeRule::fails(operation, Error::driver("fake", "out of sorts"))
                .nth(1 + entropy.below(6)),
        };
        house.fakes.add(rule.on(node));
    }
    for operation in [
        FakeOperation::PrepareDeploy,
        FakeOperation::Deploy,
        FakeOperation::PrepareSteps,
        FakeOperation::InspectHardware,
        FakeOperation::Rescue,
        FakeOperation::CallVendor,
    ] {
        let completion = match entropy.below(3) {
            0 => continue,
            1 => Completion::Heartbeat,
            _ => Completion::Polls {
                times: 1 + pick(entropy, 3) as u32,
                every: Duration::from_millis(300),
            },
        };
        let rule = FakeRule::completes(operation, completion);
        house.fakes.add(rule.on(node));
    }
}

fn pick(entropy: &SeededEntropy, from: usize) -> usize {
    usize::try_from(entropy.below(from as u64)).unwrap()
}

/// One machine, whoever asks something of it, and the agent that may run on it.
pub(super) struct Life {
    pub(super) client: Client,
    pub(super) node: Uuid,
    pub(super) mac: MacAddress,
    pub(super) entropy: Arc<SeededEntropy>,
    pub(super) token: Option<String>,
    /// How often what was asked for was refused, by why.
    pub(super) refused: BTreeMap<String, usize>,
    pub(super) asked: usize,
}

impl Life {
    pub(super) async fn go_on_until(mut self, end: Instant) -> Self {
        while Instant::now() < end {
            let asked = self.ask_something().await;
            self.asked += 1;
            if let Err(error) = asked {
                assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                *self.refused.entry(why(&error)).or_default() += 1;
            }
            sleep(Duration::from_millis(self.entropy.below(8000))).await;
        }
        self
    }

    async fn ask_something(&mut self) -> Result<(), Error> {
        let (client, node) = (&self.client, self.node);
        match self.entropy.below(100) {
            0..50 => {
                let verb = self.likely_verb().await?;
                client.provision(node, verb, arguments(verb)).await
            }
            50..58 => {
                let target = PowerTarget::ALL[pick(&self.entropy, PowerTarget::ALL.len())];
                client.set_power(node, target, None).await
            }
            58..61 => client.set_maintenance(node, true, None).await,
            61..66 => client.set_maintenance(node, false, None).await,
            66..70 => {
                let note = Change::set("extra/note", self.entropy.below(1000));
                client.update_node(node, vec![note]).await.map(drop)
            }
            70..73 => client.explain(node).await.map(drop),
            _ => self.call().await,
        }
    }

    /// Mostly one that the node's state takes.
    async fn likely_verb(&self) -> Result<Verb, Error> {
        let state = self.client.node(self.node).await?.provision_state;
        let taken: Vec<_> = Verb::ALL
            .iter()
            .copied()
            .filter(|verb| state.on(verb.event()).is_ok())
            .collect();
        let from = match self.entropy.below(10) {
            0 => Verb::ALL,
            _ if taken.is_empty() => Verb::ALL,
            _ => &taken,
        };
        Ok(from[pick(&self.entropy, from.len())])
    }

    /// The agent calls.
    async fn call(&mut self) -> Result<(), Error> {
        let addresses = std::slice::from_ref(&self.mac);
        let found = self.client.lookup(Some(self.node), addresses).await?;
        self.token = found.agent_token.or(self.token.take());
        let call = HeartbeatArgs::new(AGENT, self.token.clone());
        self.client.heartbeat(self.node, call).await
    }
}

/// The code of the error, or the limit that is reached.
fn why(error: &Error) -> String {
    let text = error.to_string();
    let limits = ["max_concurrent_deploy", "max_concurrent_clean"];
    let limit = limits.into_iter().find(|limit| text.contains(limit));
    limit.unwrap_or_else(|| error.code()).to_owned()
}

fn arguments(verb: Verb) -> ProvisionArgs {
    let steps = |names: &[&str]| {
        let steps = names.iter();
        let steps = steps.map(|name| UserStep::new(InterfaceKind::Vendor, *name));
        ProvisionArgs::default().with_steps(steps.collect())
    };
    match verb {
        Verb::Clean => steps(&["log_passthrough", "log_passthrough"]),
        Verb::Service => steps(&["log_passthrough"]),
        Verb::Rescue => {
            let mut args = ProvisionArgs::default();
            args.rescue_password = Some("pa55word".to_owned());
            args
        }
        _ => ProvisionArgs::default(),
    }
}
