//! Taking over the instances of nodes that have come to this conductor by the ring: what another
//! conductor had set up for them, such as what they boot, is set up here.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::Inner;
use super::prepare::take_instance;
use super::wake::Wake;
use crate::Error;
use crate::driver::Task;
use crate::flow::Progress;
use crate::model::Node;
use crate::states::ProvisionState;
use crate::store::{Compare, Filter, Kind, Query, Scalar};

/// How long until an interface that wants to be asked again is.
const AGAIN: Duration = Duration::from_secs(5);

impl Inner {
    /// At once when the ring has changed, and now and then for what could not be taken over then:
    /// looks for nodes whose instance another conductor looked after. They are taken over one
    /// after the other within a heartbeat's interval, so that a fleet does not come all at once.
    pub(super) async fn look_for_instances(self: &Arc<Self>) -> Result<(), Error> {
        let interval = self.config.sync_local_state_interval;
        let changes = self.membership.ring_changes();
        if interval.is_zero() || !self.watch.is_time_to_look(changes, interval) {
            return Ok(());
        }
        let host = Scalar::String(self.config.host.clone());
        let mine = Filter::Is("conductor".to_owned(), Compare::Eq, host);
        let active = Filter::text("provision_state", ProvisionState::Active.as_str());
        let query = Query::all(Kind::Node)
            .filter(active)
            .filter(Filter::flag("maintenance", false))
            .filter(Filter::Not(Box::new(mine)));
        let repository = &self.manager.context().repository;
        let spread = self.config.heartbeat_interval.as_micros();
        let spread = u64::try_from(spread).unwrap_or(u64::MAX);
        for node in repository.list::<Node>(&query).await? {
            if self.has_come(&node.value).await? {
                let delay = self.manager.context().entropy.below(spread);
                let at = Instant::now() + Duration::from_micros(delay);
                self.wakes.at(node.uuid, Wake::Instance, at);
            }
        }
        Ok(())
    }

    /// Whether the node's instance is this conductor's to look after by now, and was another's.
    async fn has_come(&self, node: &Node) -> Result<bool, Error> {
        let host = &self.config.host;
        if node.provision_state != ProvisionState::Active
            || node.maintenance
            || node.conductor.as_ref() == Some(host)
        {
            return Ok(false);
        }
        match self.membership.owner(node).await {
            Ok(owner) => Ok(owner == *host),
            // Of a hardware type that nobody serves.
            Err(Error::NoValidHost { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the instance of a node over. One that is held, or could not be taken over, is found
    /// again.
    pub(super) async fn take_over_instance(self: &Arc<Self>, node: Uuid) {
        let Ok(slot) = self.watch.instance_takers.acquire().await else {
            return;
        };
        match self.try_to_take(node).await {
            Ok(()) => {}
            Err(Error::NotFound { .. }) => self.forget(node),
            Err(error) => {
                tracing::warn!(%node, %error, "its instance is not taken over yet; tried again later");
            }
        }
        drop(slot);
    }

    async fn try_to_take(self: &Arc<Self>, node: Uuid) -> Result<(), Error> {
        let worker = self.background_worker()?;
        let mut task = self.manager.try_exclusive(node, "take over").await?;
        let span = task.span().clone();
        let taken = self.take_if_mine(&mut task).instrument(span).await;
        let taken = self.conclude(task, taken).await.map(drop);
        drop(worker);
        taken
    }

    async fn take_if_mine(&self, task: &mut Task) -> Result<(), Error> {
        if task.flow().is_some() || !self.has_come(task.node()).await? {
            return Ok(());
        }
        let (node, from) = (task.node_id(), task.node().conductor.clone());
        tracing::info!(%node, ?from, "taking its instance over");
        if let Progress::Wait(wait) = take_instance(self, task).await? {
            let at = Instant::now() + wait.poll.unwrap_or(AGAIN);
            self.wakes.at(node, Wake::Instance, at);
        }
        Ok(())
    }

    /// Notes that what the node's instance needs of a conductor is here.
    pub(super) fn is_mine(&self, task: &mut Task) {
        task.node_mut().conductor = Some(self.config.host.clone());
    }
}
