use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use uuid::Uuid;

use super::chance::Chance;
use super::claimant::CLASS;
use super::driver::password;
use super::weather::LATEST;
use super::world::{SETTLES, World};
use crate::client::Client;
use crate::model::{MacAddress, Node, Port};
use crate::states::{InterfaceKind, PowerTarget, ProvisionState as S, Verb};
use crate::steps::UserStep;
use crate::transport::{Change, ProvisionArgs};
use crate::{Error, ErrorKind};

/// Who asks for things to be done to one node.
pub(super) struct Operator {
    pub(super) world: Arc<World>,
    pub(super) client: Client,
    pub(super) node: Uuid,
    pub(super) name: String,
    pub(super) chance: Chance,
}

impl Operator {
    /// Enrols the node, however often that has to be asked for until all patience is over.
    pub(super) async fn enrol(&self) {
        let mut node = Node::new(self.node, "fake-hardware");
        node.name = Some(self.name.clone());
        node.resource_class = Some(CLASS.to_owned());
        let secret = Value::from(password(&self.name));
        node.driver_info
            .insert("simulated_password".to_owned(), secret);
        loop {
            let error = match self.client.create_node(node.clone()).await {
                Ok(_) => return,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return,
                Err(error) => error,
            };
            if self.world.is_wrong() {
                return;
            }
            if self.world.time() >= self.world.settings.end() {
                let text = format!("{} cannot be enrolled: {error}", self.name);
                return self.world.accuse(SETTLES, text);
            }
            sleep(self.chance.seconds(1, 10)).await;
        }
    }

    /// Asks for one thing after another as long as the storm lasts.
    pub(super) async fn storm(&self) {
        while !self.world.weather_is_over() {
            sleep(self.chance.seconds(1, 50)).await;
            if self.world.weather_is_over() {
                return;
            }
            match self.ask_something().await {
                Err(error) if error.kind() == ErrorKind::Internal && !is_of_store(&error) => {
                    let text = format!("{} is told of a defect: {error}", self.name);
                    self.world.accuse("a caller is told what is wrong", text);
                }
                // Whoever removes a node enrols it again.
                Err(Error::NotFound { what: "node", .. }) => self.enrol().await,
                _ => {}
            }
        }
    }

    /// Takes the node out of maintenance, in which what waits would wait for ever.
    async fn end_maintenance_once(&self) -> Result<(), Error> {
        self.client.set_maintenance(self.node, false, None).await
    }

    /// What was asked for in the storm may arrive late; then the node is there, and not in
    /// maintenance, however often that has to be asked for.
    pub(super) async fn calm_down(&self) {
        sleep(LATEST + Duration::from_secs(5)).await;
        self.enrol().await;
        while self.world.time() < self.world.settings.end() {
            // A node that is left alone must come to rest by itself, so nothing else is asked of it.
            match self.client.node(self.node).await {
                Ok(node) if !node.maintenance => return,
                Ok(_) => drop(self.end_maintenance_once().await),
                Err(_) => {}
            }
            sleep(self.chance.seconds(2, 20)).await;
        }
    }

    async fn ask_something(&self) -> Result<(), Error> {
        let (client, node) = (&self.client, self.node);
        match self.chance.below(100) {
            0..62 => {
                let verb = self.likely_verb().await?;
                self.provision(verb).await
            }
            62..72 => {
                let targets = [PowerTarget::On, PowerTarget::Off, PowerTarget::Reboot];
                let target = self.chance.pick(&targets).unwrap_or(PowerTarget::On);
                client.set_power(node, target, None).await
            }
            72..75 => client.set_maintenance(node, true, None).await,
            75..85 => client.set_maintenance(node, false, None).await,
            85..88 => {
                let note = Change::set("extra/note", self.chance.below(1000));
                client.update_node(node, vec![note]).await.map(drop)
            }
            88..92 => self.add_port().await,
            92..94 => self.remove_port().await,
            94..97 => client.delete_node(node).await,
            _ => client.explain(node).await.map(drop),
        }
    }

    /// A port of an address that others may have too.
    async fn add_port(&self) -> Result<(), Error> {
        let last = u8::try_from(self.chance.below(200)).unwrap_or_default();
        let address = MacAddress::from_octets([0x52, 0x54, 0, 0, 0, last]);
        let port = Port::new(self.chance.uuid(), self.node, address);
        self.client.create_port(port).await.map(drop)
    }

    async fn remove_port(&self) -> Result<(), Error> {
        let ports = self.client.records_of::<Port>(self.node).await?;
        match ports.first() {
            Some(port) => self.client.delete_port(port.uuid).await,
            None => Ok(()),
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
        let any = self.chance.below(10) == 0 || taken.is_empty();
        let from = if any { Verb::ALL } else { &taken };
        Ok(self.chance.pick(from).unwrap_or(Verb::Manage))
    }

    async fn provision(&self, verb: Verb) -> Result<(), Error> {
        let node = self.client.node(self.node).await?;
        if verb == Verb::Deploy && node.instance_uuid.is_none() {
            let instance = Change::set("instance_uuid", self.chance.uuid().to_string());
            self.client.update_node(self.node, vec![instance]).await?;
        }
        self.world.asks(self.node, verb);
        let args = self.arguments(verb);
        let answer = self.client.provision(self.node, verb, args).await;
        if let Err(error) = &answer {
            // Of any other error nobody knows whether it has begun for all that.
            let refused = matches!(
                error.kind(),
                ErrorKind::InvalidState
                    | ErrorKind::StateConflict
                    | ErrorKind::InMaintenance
                    | ErrorKind::NodeLocked
                    | ErrorKind::NoFreeWorker
                    | ErrorKind::InvalidParameter
            );
            if refused {
                self.world.refuses(self.node, verb, error);
            }
        }
        answer
    }

    fn arguments(&self, verb: Verb) -> ProvisionArgs {
        match verb {
            Verb::Clean | Verb::Service => ProvisionArgs::default().with_steps(self.steps()),
            Verb::Rescue => ProvisionArgs::default().with_rescue_password(password(&self.name)),
            _ => ProvisionArgs::default(),
        }
    }

    /// What is to be done in a ramdisk, with pauses in between.
    fn steps(&self) -> Vec<UserStep> {
        let step = |name| UserStep::new(InterfaceKind::Deploy, name);
        let check = step("check_disk");
        match self.chance.below(10) {
            0 => vec![step("hold"), check],
            1 => vec![check, step("hold")],
            2 => vec![check, step("wait").with_arg("seconds", 30)],
            3 => vec![step("wait"), check],
            _ => vec![check],
        }
    }

    /// Brings the node to `active`, whatever it takes, within about so long.
    pub(super) async fn activate(&self, patience: Duration) -> bool {
        let end = self.world.time() + patience;
        while self.world.time() < end {
            match self.step_towards_active().await {
                Ok(true) => return true,
                // Whatever was refused is asked for again, by the state as it is then.
                Ok(false) | Err(_) => sleep(self.chance.seconds(2, 20)).await,
            }
        }
        false
    }

    async fn step_towards_active(&self) -> Result<bool, Error> {
        let node = self.client.node(self.node).await?;
        if node.maintenance {
            self.end_maintenance_once().await?;
            return Ok(false);
        }
        let verb = match node.provision_state {
            S::Active => return Ok(self.client.flow(self.node).await?.is_none()),
            S::Enroll | S::CleanFailed | S::InspectFailed | S::AdoptFailed => Verb::Manage,
            S::Manageable => Verb::Provide,
            S::Available | S::DeployFailed => Verb::Deploy,
            S::Rescue | S::RescueFailed | S::UnrescueFailed => Verb::Unrescue,
            S::ServiceFailed => Verb::Abort,
            S::Error => Verb::Undeploy,
            S::CleanHold | S::DeployHold | S::ServiceHold => Verb::Unhold,
            _ => return Ok(false),
        };
        self.provision(verb).await?;
        Ok(false)
    }
}

/// Whether an error comes of a store that failed, which callers are told as internal.
fn is_of_store(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("store") || text.contains("no longer held")
}
