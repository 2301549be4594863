//! Consoles: started and stopped by request, started again where their node has come to another
//! conductor, and stopped where it has gone.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use super::jobs::Job;
use crate::Error;
use crate::driver::Task;
use crate::model::Node;
use crate::notify::{Event, Status};
use crate::store::{Filter, Kind, Query};
use crate::transport::MachineAnswer;

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
        let console = task.driver().console.clone();
        let switched = if on {
            console.start(task).await
        } else {
            console.stop(task).await
        };
        let status = match &switched {
            Ok(()) => {
                task.node_mut().console_enabled = on;
                self.remember_console(task.node_id(), on);
                Status::End
            }
            Err(_) => Status::Error,
        };
        self.notify(task.node(), told(status)).await;
        switched
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
        if task.node().console_enabled {
            let restored = self.start_again(&mut task).await;
            if let Err(error) = self.conclude(task, restored).await {
                tracing::warn!(%node, %error, "what became of its console is not recorded");
            }
        } else {
            self.give_up(task).await;
        }
    }

    async fn start_again(&self, task: &mut Task) -> Result<(), Error> {
        let told = |status| Event::ConsoleRestore { status };
        self.notify(task.node(), told(Status::Start)).await;
        let console = task.driver().console.clone();
        let status = match console.start(task).await {
            Ok(()) => {
                self.remember_console(task.node_id(), true);
                Status::End
            }
            Err(error) => {
                let text = format!("failed to start the console while taking over: {error}");
                self.note_failure(task, "takeover", &error, &text).await;
                task.node_mut().console_enabled = false;
                task.node_mut().last_error = Some(text);
                Status::Error
            }
        };
        self.notify(task.node(), told(status)).await;
        Ok(())
    }

    /// Stops what this conductor runs of a console that is another's, or nobody's, by now.
    async fn drop_console(self: &Arc<Self>, node: Uuid) {
        let mut task = match self.manager.try_exclusive(node, "stop console").await {
            Ok(task) => task,
            Err(Error::NotFound { .. }) => return self.remember_console(node, false),
            Err(error) => return tracing::debug!(%node, %error, "its console is stopped later"),
        };
        let console = task.driver().console.clone();
        match console.stop(&mut task).await {
            Ok(()) => self.remember_console(node, false),
            Err(error) => tracing::warn!(%node, %error, "its console could not be stopped"),
        }
        self.give_up(task).await;
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
