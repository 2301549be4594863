use std::sync::Arc;
use std::time::Duration;

use ironic_core::transport::ProvisionArgs;
use ironic_core::{Client, Error, ErrorKind, Node, ProvisionState as State, Uuid, Verb};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use super::board::{Board, Place};
use super::fate::Chance;

/// How long until an operator asks again when a conductor has no worker free.
const AGAIN: Duration = Duration::from_secs(1);

/// How many nodes are cleaned, and deployed, at a time.
#[derive(Debug)]
pub(super) struct Crews {
    pub(super) cleaning: Semaphore,
    pub(super) deployment: Semaphore,
}

/// Who brings one node to `active`.
pub(super) struct Operator {
    pub(super) client: Client,
    pub(super) node: Uuid,
    pub(super) name: String,
    pub(super) board: Board,
    pub(super) place: watch::Receiver<Place>,
    pub(super) crews: Arc<Crews>,
    pub(super) chance: Chance,
}

impl Operator {
    /// Brings the node to `active`; how often something had to be put right on the way.
    pub(super) async fn bring_up(mut self) -> Result<u64, Error> {
        let mut node = Node::new(self.node, "fake-hardware");
        node.name = Some(self.name.clone());
        self.client.create_node(node).await?;
        let crews = Arc::clone(&self.crews);
        let unlimited = Semaphore::new(1);
        let ways = [
            (Verb::Manage, State::Manageable, &unlimited),
            (Verb::Provide, State::Available, &crews.cleaning),
            (Verb::Deploy, State::Active, &crews.deployment),
        ];
        let mut failures = 0;
        for (verb, goal, crew) in ways {
            while !self.reaches(verb, goal, crew).await? {
                failures += 1;
                self.put_right().await?;
            }
        }
        Ok(failures)
    }

    /// Asks for a verb and waits for what becomes of it; whether the node gets there.
    async fn reaches(&mut self, verb: Verb, goal: State, crew: &Semaphore) -> Result<bool, Error> {
        let place = crew.acquire().await;
        self.ask(verb).await?;
        let there = |(now, error): &Place| error.is_some() || *now == goal;
        let answer = self.place.wait_for(there).await;
        let reached = answer.is_ok_and(|place| place.1.is_none());
        drop(place);
        Ok(reached)
    }

    /// Somebody comes and sees to the machine.
    async fn put_right(&mut self) -> Result<(), Error> {
        sleep(self.chance.seconds(120, 600)).await;
        let node = self.client.node(self.node).await?;
        if node.maintenance {
            self.client.set_maintenance(self.node, false, None).await?;
        }
        if node.provision_state == State::CleanFailed {
            self.ask(Verb::Manage).await?;
            let manageable = |place: &Place| place.0 == State::Manageable;
            drop(self.place.wait_for(manageable).await);
        }
        Ok(())
    }

    async fn ask(&self, verb: Verb) -> Result<(), Error> {
        self.board.forgive(self.node);
        loop {
            let args = ProvisionArgs::default();
            match self.client.provision(self.node, verb, args).await {
                Err(error) if error.kind() == ErrorKind::NoFreeWorker => sleep(AGAIN).await,
                answer => return answer,
            }
        }
    }
}
