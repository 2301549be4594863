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
const POLL_LIMITS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(30));

/// How far an operation is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// To its end.
    Done,
    /// To its end, or until it waits for the machine's next start: settings that are applied then
    /// are tasks that do not end before.
    Scheduled,
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
        let deadline = Instant::now() + self.options.task_timeout;
        let mut reply = reply;
        loop {
            if let Some(reply) = settled(&monitor, reply.clone(), until)? {
                return Ok(reply);
            }
            let pause = retry_after(&reply.headers)
                .unwrap_or(self.options.task_poll)
                .clamp(POLL_LIMITS.0, POLL_LIMITS.1);
            if Instant::now() + pause > deadline {
                return Err(RedfishError::TaskTimeout {
                    path: monitor,
                    after: self.options.task_timeout,
                });
            }
            tokio::time::sleep(pause).await;
            reply = self
                .exchange(&Call::new(Method::GET, monitor.clone()))
                .await?;
        }
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
fn settled(monitor: &str, reply: Reply, until: Until) -> Result<Option<Reply>, RedfishError> {
    let task = task_in(&reply).unwrap_or_default();
    let Some(state) = task.task_state.as_deref() else {
        return Ok((reply.status != StatusCode::ACCEPTED).then_some(reply));
    };
    match Stage::of(state) {
        Stage::Completed => Ok(Some(reply)),
        Stage::Scheduled if until == Until::Scheduled => Ok(Some(reply)),
        Stage::Scheduled | Stage::Running => Ok(None),
        Stage::Failed => Err(RedfishError::TaskFailed {
            path: monitor.to_owned(),
            state: state.to_owned(),
            detail: task.detail(),
        }),
    }
}

fn task_in(reply: &Reply) -> Option<Task> {
    serde_json::from_slice(&reply.body).ok()
}
