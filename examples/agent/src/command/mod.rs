//! Commands: what the conductor asks for, one at a time.

mod bootloader;
mod erase;
mod rescue;
mod standby;
mod steps;

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use standby::Standby;
pub(crate) use steps::MANAGER_VERSION;

use crate::fault::{Fault, FaultKind};
use crate::shared::Shared;
use crate::{archive, hardware::LogFile};

/// Commands whose results are kept.
const KEPT: usize = 500;

/// Parameters of a command.
pub(crate) type Params = Map<String, Value>;

/// A command that runs or has run.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) id: Uuid,
    name: &'static str,
    outcome: watch::Sender<Option<Result<Value, Fault>>>,
}

/// A command as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct CommandView {
    id: Uuid,
    command_name: &'static str,
    command_status: &'static str,
    command_error: Option<Fault>,
    command_result: Value,
}

impl Command {
    fn is_done(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    /// Waits until it has ended.
    pub(crate) async fn done(&self) {
        // The sender lives as long as `self`, so the channel does not close under the wait.
        let mut outcome = self.outcome.subscribe();
        let _ended = outcome.wait_for(Option::is_some).await;
    }

    pub(crate) fn view(&self) -> CommandView {
        let (status, error, result) = match &*self.outcome.borrow() {
            None => ("RUNNING", None, Value::Null),
            Some(Ok(result)) => ("SUCCEEDED", None, result.clone()),
            Some(Err(fault)) => {
                let status = match fault.kind {
                    FaultKind::VersionMismatch => "CLEAN_VERSION_MISMATCH",
                    _ => "FAILED",
                };
                (status, Some(fault.clone()), Value::Null)
            }
        };
        CommandView {
            id: self.id,
            command_name: self.name,
            command_status: status,
            command_error: error,
            command_result: result,
        }
    }
}

/// Ends a command that its work left without a result.
struct Ending(Arc<Command>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.outcome.send_if_modified(|outcome| {
            let open = outcome.is_none();
            if open {
                let details = "the command was broken off";
                *outcome = Some(Err(Fault::new(FaultKind::CommandExecutionError, details)));
            }
            open
        });
    }
}

/// The commands of one agent, in order.
#[derive(Debug, Default)]
pub(crate) struct CommandTable {
    commands: Mutex<Vec<Arc<Command>>>,
    turn: tokio::sync::Mutex<()>,
}

impl CommandTable {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Command>>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn views(&self) -> Vec<CommandView> {
        self.lock().iter().map(|command| command.view()).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Command>> {
        let commands = self.lock();
        commands
            .iter()
            .find(|command| command.id.to_string() == id)
            .cloned()
    }

    fn running(&self) -> Option<&'static str> {
        let commands = self.lock();
        let last = commands.last()?;
        (!last.is_done()).then_some(last.name)
    }

    fn push(&self, command: Arc<Command>) {
        let mut commands = self.lock();
        if commands.len() == KEPT {
            commands.remove(0);
        }
        commands.push(command);
    }
}

/// Whether the caller gets the result at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Synchronous,
    Asynchronous,
}

/// A command that has ended, for whoever watches the agent ([`AgentBuilder::on_command`]).
///
/// [`AgentBuilder::on_command`]: crate::AgentBuilder::on_command
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandReport {
    /// The command: `deploy.execute_deploy_step`.
    pub name: String,
    /// The step, if it ran one: `write_image`.
    pub step: Option<String>,
    /// What went wrong.
    pub fault: Option<Fault>,
}

/// A command that is ready to run.
struct Work {
    name: &'static str,
    /// The step that it runs, if it is of that sort.
    step: Option<String>,
    mode: Mode,
    run: BoxFuture<'static, Result<Value, Fault>>,
}

impl Work {
    fn now(
        name: &'static str,
        run: impl Future<Output = Result<Value, Fault>> + Send + 'static,
    ) -> Self {
        Self {
            name,
            step: None,
            mode: Mode::Synchronous,
            run: Box::pin(run),
        }
    }

    fn background(
        name: &'static str,
        run: impl Future<Output = Result<Value, Fault>> + Send + 'static,
    ) -> Self {
        Self {
            name,
            step: None,
            mode: Mode::Asynchronous,
            run: Box::pin(run),
        }
    }
}

/// Starts the command `name`; a synchronous one has ended on return.
///
/// # Errors
/// Faults that are the caller's: nothing was started, nothing is recorded.
pub(crate) async fn execute(
    shared: &Arc<Shared>,
    name: &str,
    params: Params,
) -> Result<Arc<Command>, Fault> {
    let _turn = shared.commands.turn.lock().await;
    let (extension, method) = name.split_once('.').ok_or_else(|| {
        Fault::new(
            FaultKind::InvalidCommandError,
            "Command name must be of the form <extension>.<name>",
        )
    })?;
    if let Some(running) = shared.commands.running() {
        let details = format!("executing command {running}");
        return Err(Fault::new(FaultKind::AgentIsBusy, details));
    }
    let work = prepare(shared, extension, method, params)?;
    let command = Arc::new(Command {
        id: shared.entropy.uuid(),
        name: work.name,
        outcome: watch::Sender::new(None),
    });
    shared.commands.push(Arc::clone(&command));
    let mode = work.mode;
    spawn(shared, name.to_owned(), Arc::clone(&command), work);
    if mode == Mode::Synchronous {
        command.done().await;
    }
    Ok(command)
}

fn spawn(shared: &Arc<Shared>, name: String, command: Arc<Command>, work: Work) {
    let agent = Arc::clone(shared);
    shared.tasks.spawn(async move {
        let ending = Ending(command);
        agent.journal.info(&format!("command {name} started"));
        let outcome = tokio::select! {
            biased;
            () = agent.stop.cancelled() => return,
            outcome = work.run => outcome,
        };
        match &outcome {
            Ok(_) => agent.journal.info(&format!("command {name} succeeded")),
            Err(fault) => agent
                .journal
                .warn(&format!("command {name} failed: {fault}")),
        }
        let report = CommandReport {
            name,
            step: work.step,
            fault: outcome.as_ref().err().cloned(),
        };
        ending.0.outcome.send_replace(Some(outcome));
        (agent.observer)(&report);
        if work.mode == Mode::Asynchronous {
            agent.news.notify_one();
        }
    });
}

fn prepare(
    shared: &Arc<Shared>,
    extension: &str,
    method: &str,
    params: Params,
) -> Result<Work, Fault> {
    let found = match extension {
        "clean" => steps::prepare(shared, steps::StepKind::Clean, method, params)?,
        "deploy" => steps::prepare(shared, steps::StepKind::Deploy, method, params)?,
        "service" => steps::prepare(shared, steps::StepKind::Service, method, params)?,
        "standby" => standby::prepare(shared, method, params)?,
        "image" => bootloader::prepare(shared, method, params)?,
        "rescue" => rescue::prepare(shared, method, params)?,
        "system" => prepare_system(shared, method, params)?,
        "log" => prepare_log(shared, method, params)?,
        "poll" => prepare_poll(shared, method, params)?,
        _ => {
            let shown: String = extension.chars().take(64).collect();
            return Err(Fault::new(
                FaultKind::RequestedObjectNotFoundError,
                format!("Extension with id {shown} not found."),
            ));
        }
    };
    found.ok_or_else(|| {
        let shown: String = method.chars().take(64).collect();
        Fault::new(
            FaultKind::InvalidCommandError,
            format!("Unknown command: {shown}"),
        )
    })
}

/// The agent takes no commands from here on, and says nothing: the machine goes on to its
/// instance, on a network where anybody may be.
fn prepare_system(
    shared: &Arc<Shared>,
    method: &str,
    params: Params,
) -> Result<Option<Work>, Fault> {
    if method != "lockdown" {
        return Ok(None);
    }
    read_none(&params)?;
    let shared = Arc::clone(shared);
    Ok(Some(Work::now("lockdown", async move {
        shared.locked.cancel();
        shared.rescued.cancel();
        Ok(Value::Null)
    })))
}

/// Reads a command's parameters.
fn read<T: DeserializeOwned>(params: Params) -> Result<T, Fault> {
    serde_json::from_value(Value::Object(params)).map_err(|error| {
        let text = error.to_string();
        // Other messages quote values, which may be secret.
        let details = if text.starts_with("unknown field") || text.starts_with("missing field") {
            text.chars().take(200).collect()
        } else {
            "a parameter is not of its type".to_owned()
        };
        Fault::new(FaultKind::InvalidCommandParamsError, details)
    })
}

/// Refuses parameters where none are taken.
fn read_none(params: &Params) -> Result<(), Fault> {
    match params.keys().next() {
        None => Ok(()),
        Some(name) => Err(Fault::new(
            FaultKind::InvalidCommandParamsError,
            format!(
                "unknown field `{}`",
                name.chars().take(64).collect::<String>()
            ),
        )),
    }
}

fn prepare_log(shared: &Arc<Shared>, method: &str, params: Params) -> Result<Option<Work>, Fault> {
    if method != "collect_system_logs" {
        return Ok(None);
    }
    read_none(&params)?;
    let shared = Arc::clone(shared);
    Ok(Some(Work::now("collect_system_logs", async move {
        Ok(json!({"system_logs": collect_logs(&shared).await?}))
    })))
}

/// The machine's logs and the agent's own, packed.
pub(crate) async fn collect_logs(shared: &Shared) -> Result<String, Fault> {
    let mut files = vec![LogFile::new(
        "ironic-agent.log",
        shared.journal.text().into(),
    )];
    files.extend(shared.hardware.logs().await);
    let now = shared.clock.now();
    tokio::task::spawn_blocking(move || archive::pack(&files, now))
        .await
        .map_err(std::io::Error::other)
        .and_then(|packed| packed)
        .map_err(|error| Fault::new(FaultKind::CommandExecutionError, error.to_string()))
}

fn prepare_poll(shared: &Arc<Shared>, method: &str, params: Params) -> Result<Option<Work>, Fault> {
    if method != "get_hardware_info" {
        return Ok(None);
    }
    read_none(&params)?;
    let shared = Arc::clone(shared);
    Ok(Some(Work::now("get_hardware_info", async move {
        let inventory = shared.inventory().await?;
        serde_json::to_value(inventory)
            .map_err(|error| Fault::new(FaultKind::CommandExecutionError, error.to_string()))
    })))
}
