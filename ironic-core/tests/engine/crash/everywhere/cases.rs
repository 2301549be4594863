//! The flows: what comes before each, what is asked for, and where it ends.

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::model::Node;
use ironic_core::states::{InterfaceKind as I, PowerTarget, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::ProvisionArgs;
use uuid::Uuid;

use crate::house::{LONG, powered};

/// What is asked for.
#[derive(Debug, Clone)]
enum Request {
    Verb(Verb, ProvisionArgs),
    Power(PowerTarget),
}

/// A flow to be killed.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The verbs that bring a new node to where it begins, and where each ends.
    before: Vec<(Verb, S)>,
    request: Request,
    pub(crate) to: S,
    /// How many deaths have to hit the flow, so that the test is about something.
    pub(crate) least_resumed: u64,
}

const TO_AVAILABLE: [(Verb, S); 2] = [(Verb::Manage, S::Manageable), (Verb::Provide, S::Available)];

impl Case {
    fn new(name: &'static str, before: &[(Verb, S)], verb: Verb, to: S) -> Self {
        Self {
            name,
            before: before.to_vec(),
            request: Request::Verb(verb, ProvisionArgs::default()),
            to,
            least_resumed: 4,
        }
    }

    fn with(mut self, args: ProvisionArgs) -> Self {
        if let Request::Verb(_, of) = &mut self.request {
            *of = args;
        }
        self
    }

    pub(crate) fn all() -> Vec<Self> {
        vec![
            Self::verify(),
            Self::inspect(),
            Self::provide(),
            Self::clean(),
            Self::deploy(),
            Self::rebuild(),
            Self::undeploy(),
            Self::rescue(),
            Self::unrescue(),
            Self::service(),
            Self::adopt(),
            Self::reboot(),
        ]
    }

    pub(crate) fn verify() -> Self {
        Self::new("verify", &[], Verb::Manage, S::Manageable)
    }

    pub(crate) fn inspect() -> Self {
        let before = [(Verb::Manage, S::Manageable)];
        Self::new("inspect", &before, Verb::Inspect, S::Manageable)
    }

    pub(crate) fn provide() -> Self {
        let before = [(Verb::Manage, S::Manageable)];
        Self::new("automated clean", &before, Verb::Provide, S::Available)
    }

    pub(crate) fn clean() -> Self {
        let before = [(Verb::Manage, S::Manageable)];
        Self::new("manual clean", &before, Verb::Clean, S::Manageable).with(contracts(None))
    }

    pub(crate) fn deploy() -> Self {
        Self::new("deploy", &TO_AVAILABLE, Verb::Deploy, S::Active).with(contracts(Some(50)))
    }

    pub(crate) fn rebuild() -> Self {
        Self::new("rebuild", &active(), Verb::Rebuild, S::Active)
    }

    pub(crate) fn undeploy() -> Self {
        Self::new("tear down", &active(), Verb::Undeploy, S::Available)
    }

    pub(crate) fn rescue() -> Self {
        let args = ProvisionArgs::default().with_rescue_password("let me in");
        Self::new("rescue", &active(), Verb::Rescue, S::Rescue).with(args)
    }

    pub(crate) fn unrescue() -> Self {
        let before: Vec<_> = active()
            .into_iter()
            .chain([(Verb::Rescue, S::Rescue)])
            .collect();
        Self::new("unrescue", &before, Verb::Unrescue, S::Active)
    }

    pub(crate) fn service() -> Self {
        Self::new("service", &active(), Verb::Service, S::Active).with(contracts(None))
    }

    pub(crate) fn adopt() -> Self {
        let before = [(Verb::Manage, S::Manageable)];
        Self::new("adopt", &before, Verb::Adopt, S::Active)
    }

    pub(crate) fn reboot() -> Self {
        let mut case = Self::new("power", &active(), Verb::Abort, S::Active);
        case.request = Request::Power(PowerTarget::Reboot);
        case
    }

    /// Enrols a node and brings it to where the flow begins.
    pub(crate) async fn begin(&self, client: &Client) -> Uuid {
        let mut node = Node::new(Uuid::nil(), "fake-hardware");
        node.interfaces.set(I::Vendor, Some("contracts".to_owned()));
        let node = client.create_node(node).await.unwrap().uuid;
        for (verb, state) in &self.before {
            let args = ProvisionArgs::default().with_rescue_password("let me in");
            client.provision(node, *verb, args).await.unwrap();
            client.wait_for(node, *state, LONG).await.unwrap();
        }
        if matches!(self.request, Request::Power(_)) {
            powered(client, node, PowerTarget::On).await;
        }
        node
    }

    /// Asks for the flow.
    pub(crate) async fn ask(&self, client: &Client, node: Uuid) -> Result<(), Error> {
        match self.request.clone() {
            Request::Verb(verb, args) => client.provision(node, verb, args).await,
            Request::Power(target) => client.set_power(node, target, None).await,
        }
    }

    /// Whether it has a step that must not run twice, so that it may fail.
    pub(crate) fn may_be_given_up(&self) -> bool {
        match &self.request {
            Request::Verb(_, args) => args.steps.iter().any(|step| step.step == "never"),
            Request::Power(_) => false,
        }
    }
}

fn active() -> Vec<(Verb, S)> {
    TO_AVAILABLE
        .into_iter()
        .chain([(Verb::Deploy, S::Active)])
        .collect()
}

/// A step of each contract.
fn contracts(priority: Option<i64>) -> ProvisionArgs {
    let mut args = ProvisionArgs::default();
    let contracts = ["idempotent", "probe", "never"].map(|name| UserStep::new(I::Vendor, name));
    let power_on = UserStep::new(I::Power, "power_on");
    for step in contracts.into_iter().chain([power_on]) {
        args.steps.push(match priority {
            Some(priority) => step.with_priority(priority),
            None => step,
        });
    }
    args
}
