//! Following what a service does after it has answered 202 (DSP0266, "Asynchronous operations").

use std::time::Duration;

use http::{Method, StatusCode, header};
use tokio::time::Instant;

use super::exchange::Call;
use super::retry::retry_after;
use super::{Client, Reply};
use crate::error::RedfishError;
use crate::model::Task;

/// The shortest and the longest pause between looks, whatever the BMC asks for.
const POLL_LIMITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// How long a task may take to be seen waiting for a restart. Some never are: iDRAC shows such a
/// job as starting, for as long as it takes.
const SCHEDULING_PATIENCE: Duration = Duration::from_secs(30);

/// How far an operation is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// To its end.
    Done,
    /// To its end, or until it waits for the machine's next start, or for 30 s: settings that are
    /// applied at the next start are tasks that do not end before.
    Scheduled,
}

/// What a look at an operation shows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Look {
    /// It has not begun yet; perhaps it waits for the machine's next start.
    Waiting {
        /// `TaskState` (DSP0268 Task).
        state: String,
    },
    /// It goes on.
    Running {
        /// `TaskState` (DSP0268 Task).
        state: String,
        /// How much of it is done, in percent, if the BMC says.
        percent: Option<f64>,
    },
    /// It has ended well.
    Ended,
}

/// Where a task stands, by its `TaskState` (DSP0268 Task.TaskState).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    Scheduled,
    Completed,
    Failed,
}

impl Stage {
    fn of(state: &str) -> Self {
        match state {
            "Completed" => Self::Completed,
            "Exception" | "Killed" | "Cancelled" | "Interrupted" => Self::Failed,
            "New" | "Pending" | "Scheduled" => Self::Scheduled,
            _ => Self::Running,
        }
    }
}

impl Client {
    /// Follows the operation behind `reply` until it has ended, for at most
    /// [`task_timeout`](super::ClientOptions::task_timeout). A reply other than 202 has ended.
    ///
    /// # Errors
    ///
    /// [`RedfishError::TaskFailed`] when it ended badly, [`RedfishError::TaskTimeout`] when it did
    /// not end in time, else as [`get`](Self::get).
    pub async fn finish(&self, reply: Reply, until: Until) -> Result<Reply, RedfishError> {
        if reply.status != StatusCode::ACCEPTED {
            return Ok(reply);
        }
        let Some(monitor) = self.monitor_of(&reply)? else {
            // Taken on, and no way to hear more of it.
            return Ok(reply);
        };
        let patience = match until {
            Until::Done => self.options.task_timeout,
            Until::Scheduled => self.options.task_timeout.min(SCHEDULING_PATIENCE),
        };
        let deadline = Instant::now() + patience;
        let mut reply = reply;
        loop {
            if let Some(reply) = settled(&monitor, &reply, until)? {
                return Ok(reply);
            }
            let pause = retry_after(&reply.headers).map_or(self.options.task_poll, |asked| {
                asked.clamp(POLL_LIMITS.0, POLL_LIMITS.1)
            });
            if Instant::now() + pause > deadline {
                return match until {
                    Until::Scheduled => Ok(reply),
                    Until::Done => Err(RedfishError::TaskTimeout {
                        path: monitor,
                        after: patience,
                    }),
                };
            }
            tokio::time::sleep(pause).await;
            reply = self
                .exchange(&Call::new(Method::GET, monitor.clone()))
                .await?;
        }
    }

    /// Where the operation behind `reply` can be watched; none when it has ended, or when there is
    /// no way to hear more of it.
    ///
    /// # Errors
    ///
    /// [`RedfishError::ForeignLink`] when that leads elsewhere.
    pub fn monitor(&self, reply: &Reply) -> Result<Option<String>, RedfishError> {
        if reply.status != StatusCode::ACCEPTED {
            return Ok(None);
        }
        self.monitor_of(reply)
    }

    /// Looks once at an operation that [`monitor`](Self::monitor) told of.
    ///
    /// # Errors
    ///
    /// [`RedfishError::TaskFailed`] when it ended badly, else as [`get`](Self::get).
    pub async fn look(&self, monitor: &str) -> Result<Look, RedfishError> {
        let path = self.connection.base.resolve(monitor)?;
        let reply = self.exchange(&Call::new(Method::GET, path)).await?;
        if settled(monitor, &reply, Until::Done)?.is_some() {
            return Ok(Look::Ended);
        }
        let task = task_in(&reply).unwrap_or_default();
        let state = task.task_state.unwrap_or_else(|| "Running".to_owned());
        if Stage::of(&state) == Stage::Scheduled || state == "Starting" {
            return Ok(Look::Waiting { state });
        }
        let percent = task.percent_complete;
        Ok(Look::Running { state, percent })
    }

    /// The task's monitor: `Location`, else `TaskMonitor` or `@odata.id` of a task in the body.
    fn monitor_of(&self, reply: &Reply) -> Result<Option<String>, RedfishError> {
        let task = task_in(reply).unwrap_or_default();
        let link = reply
            .header(header::LOCATION)
            .map(str::to_owned)
            .or(task.task_monitor)
            .or(task.odata_id);
        link.map(|link| self.connection.base.resolve(&link))
            .transpose()
    }
}

/// The reply, when the operation behind it has ended; `None` when it goes on.
fn settled(monitor: &str, reply: &Reply, until: Until) -> Result<Option<Reply>, RedfishError> {
    let task = task_in(reply).unwrap_or_default();
    let ended = match task.task_state.as_deref().map(Stage::of) {
        None => reply.status != StatusCode::ACCEPTED,
        Some(Stage::Completed) => true,
        Some(Stage::Scheduled) => until == Until::Scheduled,
        Some(Stage::Running) => false,
        Some(Stage::Failed) => {
            return Err(RedfishError::TaskFailed {
                path: monitor.to_owned(),
                detail: task.detail(),
                state: task.task_state.unwrap_or_default(),
            });
        }
    };
    Ok(ended.then(|| reply.clone()))
}

fn task_in(reply: &Reply) -> Option<Task> {
    serde_json::from_slice(&reply.body).ok()
}
