use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::BareDriver;
use super::reservation::{Hold, Reservation};
use super::teller::Teller;
use crate::Error;
use crate::config::Config;
use crate::flow::Flow;
use crate::governor::{BmcEndpoint, BmcPermit, Governor};
use crate::model::{InterfaceNames, Inventory, Lock, Node, Port};
use crate::notify::{Event, Status};
use crate::runtime::{Clock, Entropy, Timestamp};
use crate::states::PowerTarget;
use crate::store::{Batch, Expect, Fence, Op, Repository, Stored};

/// What every task of a conductor shares.
#[derive(Debug)]
#[non_exhaustive]
pub struct TaskContext {
    /// The records.
    pub repository: Repository,
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// Random numbers.
    pub entropy: Arc<dyn Entropy>,
    /// The conductor's settings.
    pub config: Arc<Config>,
    /// The gate to the BMCs.
    pub governor: Arc<Governor>,
}

impl TaskContext {
    /// A context of these parts.
    pub fn new(
        repository: Repository,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        config: Arc<Config>,
        governor: Arc<Governor>,
    ) -> Self {
        Self {
            repository,
            clock,
            entropy,
            config,
            governor,
        }
    }
}

/// A node as it was read, with its driver: for reading only.
#[derive(Debug)]
pub struct SharedTask {
    /// Behind a pointer, as a task is handed from one function to the next, and each has room for
    /// it in its future.
    pub(crate) core: Box<TaskCore>,
}

/// What [`SharedTask`] and [`Task`] have in common.
#[derive(Debug)]
pub(crate) struct TaskCore {
    pub(crate) context: Arc<TaskContext>,
    pub(crate) node: Node,
    pub(crate) flow: Option<Stored<Flow>>,
    pub(crate) ports: Vec<Port>,
    pub(crate) interfaces: InterfaceNames,
    pub(crate) driver: Arc<BareDriver>,
    pub(crate) teller: Teller,
    pub(crate) purpose: String,
    /// The name of the request on whose behalf it is done.
    pub(crate) request: Option<Arc<str>>,
    pub(crate) span: tracing::Span,
    /// How the node is held, where it is.
    pub(crate) held: Option<Held>,
}

/// The holding of a node, as far as it matters to whoever tells its machine something.
#[derive(Debug)]
pub(crate) struct Held {
    fence: Fence,
    /// The term of the conductor's lease in which it is known to be held.
    term: AtomicU64,
}

impl SharedTask {
    pub(crate) fn new(core: TaskCore) -> Self {
        let core = Box::new(core);
        Self { core }
    }

    /// The node, with the changes made through this task so far.
    pub fn node(&self) -> &Node {
        &self.core.node
    }

    /// What is going on with the node.
    pub fn flow(&self) -> Option<&Flow> {
        self.core.flow.as_ref().map(|flow| &flow.value)
    }

    /// The node's ports, in the order of their creation.
    pub fn ports(&self) -> &[Port] {
        &self.core.ports
    }

    /// The names of the interfaces that the driver is made of.
    pub fn interfaces(&self) -> &InterfaceNames {
        &self.core.interfaces
    }

    /// The node's driver.
    pub fn driver(&self) -> Arc<BareDriver> {
        Arc::clone(&self.core.driver)
    }

    /// The conductor's settings.
    pub fn config(&self) -> &Config {
        &self.core.context.config
    }

    /// Random numbers.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.core.context.entropy
    }

    /// The wall-clock time.
    pub fn now(&self) -> Timestamp {
        self.core.context.clock.now()
    }

    /// What the task is for.
    pub fn purpose(&self) -> &str {
        &self.core.purpose
    }

    /// The name of the request on whose behalf it is done, if there is one.
    pub fn request(&self) -> Option<&str> {
        self.core.request.as_deref()
    }

    /// What is logged about the task: the node, what the task is for, and this conductor.
    pub fn span(&self) -> &tracing::Span {
        &self.core.span
    }

    /// Under which lock the node is held, where it is.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.core.held.as_ref().map(|held| held.fence.epoch)
    }

    /// The records, for reading what belongs to the node besides its ports.
    pub fn repository(&self) -> &Repository {
        &self.core.context.repository
    }

    /// Waits for leave to send one command to this BMC.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the command could outlast the conductor's lease, or when this
    /// conductor does not hold the node any more; nothing may be sent then.
    pub async fn bmc_permit(&self, endpoint: &BmcEndpoint) -> Result<BmcPermit, Error> {
        let governor = &self.core.context.governor;
        loop {
            let term = self.still_held().await?;
            let permit = governor.permit(endpoint).await?;
            // The lease may have ended and begun anew while this waited for its turn.
            if self.core.held.is_none() || governor.term() == term {
                return Ok(permit);
            }
        }
    }

    /// Makes sure that this conductor may tell the node's machine something now, by another way
    /// than its BMC.
    ///
    /// # Errors
    /// As [`SharedTask::bmc_permit`].
    pub async fn check_leave(&self) -> Result<(), Error> {
        self.still_held().await?;
        if self.core.context.governor.has_lease() {
            return Ok(());
        }
        Err(self.no_leave("this conductor's lease has ended"))
    }

    /// The term of the lease in which the node is known to be held. A conductor whose lease had
    /// ended may have lost its nodes without having noticed, so it looks before it goes on.
    async fn still_held(&self) -> Result<u64, Error> {
        let governor = &self.core.context.governor;
        let Some(Held { fence, term: known }) = &self.core.held else {
            return Ok(governor.term());
        };
        loop {
            let term = governor.term();
            if known.load(Ordering::Relaxed) == term {
                return Ok(term);
            }
            let host = self.core.context.config.host.as_str();
            let lock = self.repository().get::<Lock>(fence.node).await?;
            let holds =
                |lock: &Lock| lock.epoch == fence.epoch && lock.holder.as_deref() == Some(host);
            if !lock.is_some_and(|lock| holds(&lock)) {
                return Err(self.no_leave("the node has been taken over"));
            }
            known.store(term, Ordering::Relaxed);
        }
    }

    fn no_leave(&self, why: &str) -> Error {
        Error::Unreachable {
            what: format!("the machine of node {}", self.core.node.label()),
            message: format!("{why}, so nothing is sent to it"),
        }
    }
}

/// A node in this conductor's hands: the reservation is held, and every write is fenced by it.
///
/// There is no way to make one but by a [`TaskManager`](crate::task::TaskManager), and none to
/// copy one. What a driver changes on the node stays in the task until it is
/// committed, with the decision that the driver's answer leads to or by [`Task::save`].
#[derive(Debug)]
#[must_use = "a task that is dropped gives the node back"]
pub struct Task {
    shared: SharedTask,
    pub(crate) base: Box<Stored<Node>>,
    pub(crate) fence: Fence,
    pub(crate) hold: Hold,
}

impl Deref for Task {
    type Target = SharedTask;

    fn deref(&self) -> &SharedTask {
        &self.shared
    }
}

impl Task {
    pub(crate) fn new(mut core: TaskCore, reservation: Reservation) -> Self {
        let Reservation { base, hold, term } = reservation;
        let fence = hold.fence();
        let term = AtomicU64::new(term);
        core.held = Some(Held { fence, term });
        Self {
            shared: SharedTask::new(core),
            base,
            fence,
            hold,
        }
    }

    pub(crate) fn core(&self) -> &TaskCore {
        &self.shared.core
    }

    pub(crate) fn core_mut(&mut self) -> &mut TaskCore {
        &mut self.shared.core
    }

    /// The node, to change.
    pub fn node_mut(&mut self) -> &mut Node {
        &mut self.shared.core.node
    }

    /// The node that is held.
    pub fn node_id(&self) -> Uuid {
        self.fence.node
    }

    /// The proof of holding the node, for a batch of a driver's own.
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// Commits the changes made to the node so far: for what must be durable before the driver
    /// acts.
    ///
    /// # Errors
    /// [`Error::Internal`] when this conductor does not hold the node any more; else what the
    /// store answers.
    pub async fn save(&mut self) -> Result<(), Error> {
        let (before, after) = (self.base.value.clone(), self.shared.core.node.clone());
        let repository = self.shared.core.context.repository.clone();
        let (_, ()) = repository
            .update::<Node, ()>(self.fence.node, Some(self.fence), |node| {
                *node = crate::store::rebase(&before, &after, node)?;
                Ok(())
            })
            .await?;
        *self.base = repository.load(self.fence.node).await?;
        self.shared.core.node = self.base.value.clone();
        Ok(())
    }

    /// Switches the machine's power, records what became of it, and tells of it. What lived in the
    /// machine's memory is forgotten: where its agent took commands, and its token.
    ///
    /// # Errors
    /// What the power interface says.
    pub async fn switch_power(
        &mut self,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        self.tell_of_power(target, Status::Start).await;
        let switched = self.switch_power_untold(target, timeout).await;
        let status = match switched {
            Ok(()) => Status::End,
            Err(_) => Status::Error,
        };
        self.tell_of_power(target, status).await;
        switched
    }

    async fn tell_of_power(&self, target: PowerTarget, status: Status) {
        let event = Event::PowerSet { target, status };
        let teller = &self.core().teller;
        teller.tell_each(self.node(), self.flow(), &[event]).await;
    }

    /// The same, where whoever asked tells of it.
    pub(crate) async fn switch_power_untold(
        &mut self,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        let driver = self.driver();
        driver.power.set_power_state(self, target, timeout).await?;
        let node = self.node_mut();
        node.power_state = Some(target.result());
        if target != PowerTarget::On {
            let kept = node
                .driver_internal_info
                .contains_key("agent_secret_token_pregenerated");
            node.forget_agent_steps();
            for key in ["agent_url", "agent_verify_ca"] {
                node.set_internal(key, Value::Null);
            }
            if !kept {
                node.set_internal("agent_secret_token", Value::Null);
            }
        }
        Ok(())
    }

    /// Keeps what an inspection found, in place of what an earlier one did.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn keep_inventory(&mut self, inventory: &Inventory) -> Result<(), Error> {
        let op = match crate::store::put_new(inventory)? {
            Op::Put { record, .. } => Op::Put {
                record,
                expect: Expect::Any,
            },
            other => other,
        };
        self.repository()
            .commit(Batch {
                fence: Some(self.fence),
                ops: vec![op],
            })
            .await?;
        Ok(())
    }

    /// Keeps what is remembered about a port of the node: its `internal_info`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the node has no such port; what the store answers.
    pub async fn save_port(&mut self, port: Port) -> Result<(), Error> {
        let now = self.now();
        let ports = &self.shared.core.ports;
        let Some(at) = ports.iter().position(|known| known.uuid == port.uuid) else {
            return Err(Error::not_found("port", port.uuid));
        };
        let repository = self.repository().clone();
        let (saved, ()) = repository
            .update::<Port, ()>(port.uuid, Some(self.fence), |stored| {
                stored.internal_info.clone_from(&port.internal_info);
                stored.updated_at = Some(now);
                Ok(())
            })
            .await?;
        if let Some(known) = self.shared.core.ports.get_mut(at) {
            *known = saved;
        }
        Ok(())
    }

    /// Adds a port to the node.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when its address is taken.
    pub async fn add_port(&mut self, port: Port) -> Result<(), Error> {
        let op = crate::store::put_new(&port)?;
        let batch = Batch {
            fence: Some(self.fence),
            ops: vec![op],
        };
        self.repository().commit(batch).await?;
        self.shared.core.ports.push(port);
        Ok(())
    }
}
