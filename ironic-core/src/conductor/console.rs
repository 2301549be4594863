//! Consoles: started and stopped by request, started again where their node has come to another
//! conductor, stopped where it has gone, and stopped from one instance to the next.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Inner;
use super::jobs::Job;
use crate::Error;
use crate::driver::Task;
use crate::model::Node;
use crate::notify::{Event, Status};
use crate::store::{Filter, Kind, Query};
use crate::transport::MachineAnswer;

/// Where a node remembers that its console was stopped with its instance: it stays enabled, and
/// runs again with the next one.
const SUSPENDED: &str = "console_suspended";

impl Inner {
    pub(super) async fn get_console(&self, node: Uuid) -> Result<MachineAnswer, Error> {
        let task = self.manager.shared(node, "get console").await?;
        if !task.node().console_enabled {
            return Err(Error::invalid(format!(
                "the console of node {} is not enabled",
                task.node().label()
            )));
        }
        let console = &task.driver().console;
        console.validate(&task).await?;
        let info = console.get(&task).await?;
        Ok(MachineAnswer::Console { info })
    }

    /// Accepts that a console is to be started or stopped; one that is already is left alone.
    pub(super) async fn set_console(
        self: &Arc<Self>,
        node: Uuid,
        on: bool,
    ) -> Result<MachineAnswer, Error> {
        let worker = self.worker()?;
        let purpose = "set console mode";
        let task = self.manager.shared(node, purpose).await?;
        task.driver().console.validate(&task).await?;
        if task.node().console_enabled == on {
            return Ok(MachineAnswer::Done);
        }
        let task = self.manager.upgrade(task, Some(purpose)).await?;
        self.begin_job(task, worker, Job::Console(on)).await
    }

    /// Starts or stops the console of a node that is held, and says so on the node.
    pub(super) async fn switch_console(&self, task: &mut Task, on: bool) -> Result<(), Error> {
        let told = |status| Event::ConsoleSet { status };
        self.notify(task.node(), told(Status::Start)).await;
        let switched = if on {
            self.start_console(task).await
        } else {
            self.stop_console(task).await
        };
        let status = match &switched {
            Ok(()) => {
                let node = task.node_mut();
                node.console_enabled = on;
                node.set_internal(SUSPENDED, Value::Null);
                Status::End
            }
            Err(_) => Status::Error,
        };
        self.notify(task.node(), told(status)).await;
        switched
    }

    async fn start_console(&self, task: &mut Task) -> Result<(), Error> {
        let console = task.driver().console.clone();
        console.start(task).await?;
        self.remember_console(task.node_id(), true);
        // Consoles that run are stopped as the conductor stops; this one may have come after that.
        if self.stopping.is_cancelled() {
            self.stop_console(task).await?;
        }
        Ok(())
    }

    async fn stop_console(&self, task: &mut Task) -> Result<(), Error> {
        let console = task.driver().console.clone();
        console.stop(task).await?;
        self.remember_console(task.node_id(), false);
        Ok(())
    }

    /// Stops the console of a node whose instance is taken off: nobody watches the machine being
    /// cleaned through it. The next instance finds it running.
    pub(super) async fn suspend_console(&self, task: &mut Task) -> Result<(), Error> {
        if !task.node().console_enabled {
            return Ok(());
        }
        let told = |status| Event::ConsoleStop { status };
        self.notify(task.node(), told(Status::Start)).await;
        let stopped = self.stop_console(task).await;
        let status = match &stopped {
            Ok(()) => {
                task.node_mut().set_internal(SUSPENDED, Value::Bool(true));
                Status::End
            }
            Err(_) => Status::Error,
        };
        self.notify(task.node(), told(status)).await;
        stopped
    }

    /// Stops every console that this conductor runs. They stay enabled: whoever looks after their
    /// nodes next starts them.
    pub(super) async fn stop_consoles(self: &Arc<Self>) {
        let mut stops = JoinSet::new();
        for node in Self::lock(&self.watch.consoles).clone() {
            let inner = Arc::clone(self);
            stops.spawn(async move { inner.drop_console(node).await });
        }
        while stops.join_next().await.is_some() {}
    }

    /// Stops the console of a node that is about to be removed. Where no driver can be made for
    /// the node, none runs.
    pub(super) async fn stop_console_of(self: &Arc<Self>, node: &Node) -> Result<(), Error> {
        if !node.console_enabled || self.manager.compose(node).is_err() {
            return Ok(());
        }
        let mut task = self.manager.exclusive(node.uuid, "stop console").await?;
        let stopped = self.switch_console(&mut task, false).await;
        self.conclude(task, stopped).await.map(drop)
    }

    /// Sees to it that the consoles of this conductor's nodes run here, and no others.
    pub(super) async fn look_after_consoles(self: &Arc<Self>) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let query = Query::all(Kind::Node).filter(Filter::flag("console_enabled", true));
        let mut stray = Self::lock(&self.watch.consoles).clone();
        for node in repository.list::<Node>(&query).await? {
            if node.driver_internal_info.contains_key(SUSPENDED) {
                continue;
            }
            if self.membership.owner(&node.value).await? == self.config.host
                && !stray.remove(&node.uuid)
            {
                self.restore_console(node.uuid).await;
            }
        }
        for node in stray {
            self.drop_console(node).await;
        }
        Ok(())
    }

    /// Starts the console of a node that has come to this conductor, or was left by its earlier
    /// life. One that does not start is off.
    async fn restore_console(self: &Arc<Self>, node: Uuid) {
        let mut task = match self.manager.try_exclusive(node, "restore console").await {
            Ok(task) => task,
            Err(error) => return tracing::debug!(%node, %error, "its console is started later"),
        };
        let suspended = task.node().driver_internal_info.contains_key(SUSPENDED);
        if task.node().console_enabled && !suspended {
            self.start_again(&mut task, Again::TakingOver).await;
            if let Err(error) = self.conclude(task, Ok(())).await {
                tracing::warn!(%node, %error, "what became of its console is not recorded");
            }
        } else {
            self.give_up(task).await;
        }
    }

    /// Starts the console of a node that is held, if it is enabled and does not run here. One that
    /// does not start is off: a machine without its console is better than none.
    pub(super) async fn start_again(&self, task: &mut Task, again: Again) {
        if !task.node().console_enabled || self.runs_console(task.node_id()) {
            return;
        }
        let told = |status| Event::ConsoleRestore { status };
        self.notify(task.node(), told(Status::Start)).await;
        task.node_mut().set_internal(SUSPENDED, Value::Null);
        let status = match self.start_console(task).await {
            Ok(()) => Status::End,
            Err(error) => {
                let text = format!(
                    "failed to start the console while {}: {error}",
                    again.doing()
                );
                self.note_failure(task, again.activity(), &error, &text)
                    .await;
                task.node_mut().console_enabled = false;
                task.node_mut().last_error = Some(text);
                Status::Error
            }
        };
        self.notify(task.node(), told(status)).await;
    }

    /// Stops what this conductor runs of a console that is another's, or nobody's, by now.
    async fn drop_console(self: &Arc<Self>, node: Uuid) {
        let mut task = match self.manager.try_exclusive(node, "stop console").await {
            Ok(task) => task,
            Err(Error::NotFound { .. }) => return self.remember_console(node, false),
            Err(error) => return tracing::debug!(%node, %error, "its console is stopped later"),
        };
        if let Err(error) = self.stop_console(&mut task).await {
            tracing::warn!(%node, %error, "its console could not be stopped");
        }
        self.give_up(task).await;
    }

    fn runs_console(&self, node: Uuid) -> bool {
        Self::lock(&self.watch.consoles).contains(&node)
    }

    fn remember_console(&self, node: Uuid, runs: bool) {
        let mut consoles = Self::lock(&self.watch.consoles);
        if runs {
            consoles.insert(node);
        } else {
            consoles.remove(&node);
        }
    }
}

/// What a console is started again for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Again {
    /// Its node has come to this conductor.
    TakingOver,
    /// Its node has got an instance.
    Deploying,
}

impl Again {
    const fn doing(self) -> &'static str {
        match self {
            Self::TakingOver => "taking over",
            Self::Deploying => "deploying",
        }
    }

    /// The sort of event that a failure is in the node's history.
    const fn activity(self) -> &'static str {
        match self {
            Self::TakingOver => "takeover",
            Self::Deploying => "deploying",
        }
    }
}
