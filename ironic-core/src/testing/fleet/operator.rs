use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use uuid::Uuid;

use super::chance::Chance;
use super::driver::password;
use super::world::World;
use crate::client::Client;
use crate::model::Node;
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
    /// Enrols the node, however often that has to be asked for.
    pub(super) async fn enrol(&self) {
        let mut node = Node::new(self.node, "fake-hardware");
        node.name = Some(self.name.clone());
        let secret = Value::from(password(&self.name));
        node.driver_info
            .insert("simulated_password".to_owned(), secret);
        loop {
            match self.client.create_node(node.clone()).await {
                Ok(_) => return,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return,
                Err(_) => sleep(self.chance.seconds(1, 10)).await,
            }
        }
    }

    /// Asks for one thing after another as long as the storm lasts.
    pub(super) async fn storm(&self) {
        while !self.world.weather_is_over() {
            sleep(self.chance.seconds(1, 50)).await;
            if self.world.weather_is_over() {
                return;
            }
            if let Err(error) = self.ask_something().await
                && error.kind() == ErrorKind::Internal
                && !is_of_store(&error)
            {
                self.world
                    .accuse(format!("{} is told of a defect: {error}", self.name));
            }
        }
    }

    /// Takes the node out of maintenance, in which what waits would wait for ever.
    async fn end_maintenance_once(&self) -> Result<(), Error> {
        self.client.set_maintenance(self.node, false, None).await
    }

    /// The same, however often that has to be asked for.
    pub(super) async fn end_maintenance(&self) {
        let settings = &self.world.settings;
        let end = settings.storm + settings.patience;
        while self.world.time() < end && self.end_maintenance_once().await.is_err() {
            sleep(self.chance.seconds(2, 20)).await;
        }
    }

    async fn ask_something(&self) -> Result<(), Error> {
        let (client, node) = (&self.client, self.node);
        match self.chance.below(100) {
            0..70 => {
                let verb = self.likely_verb().await?;
                self.provision(verb).await
            }
            70..80 => {
                let targets = [PowerTarget::On, PowerTarget::Off, PowerTarget::Reboot];
                let target = self.chance.pick(&targets).unwrap_or(PowerTarget::On);
                client.set_power(node, target, None).await
            }
            80..83 => client.set_maintenance(node, true, None).await,
            83..93 => client.set_maintenance(node, false, None).await,
            93..97 => {
                let note = Change::set("extra/note", self.chance.below(1000));
                client.update_node(node, vec![note]).await.map(drop)
            }
            _ => client.explain(node).await.map(drop),
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
        let check = || vec![UserStep::new(InterfaceKind::Deploy, "check_disk")];
        match verb {
            Verb::Clean | Verb::Service => ProvisionArgs::default().with_steps(check()),
            Verb::Rescue => ProvisionArgs::default().with_rescue_password(password(&self.name)),
            _ => ProvisionArgs::default(),
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
