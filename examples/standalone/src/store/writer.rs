//! The one task that writes: commits of many callers share a transaction.

use std::sync::Arc;

use ironic_core::store::{Batch, Revision, StoreError};
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::connections::Connections;
use super::error::Failure;
use super::group::Group;

/// How many commits wait before callers are held up.
const QUEUE: usize = 256;

/// How many commits share a transaction. It bounds how long the first one waits for the last.
const GROUP: usize = 64;

type Answer = Result<Vec<Revision>, StoreError>;

struct Job {
    batch: Batch,
    answer: oneshot::Sender<Answer>,
}

/// A way to the task that writes; when the last one is dropped the task ends.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the task on the current runtime.
    pub(super) fn start(connections: Arc<Connections>) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(connections, queue));
        Self { jobs }
    }

    /// Has a batch applied. The task does not stop in the middle of it when this is dropped.
    pub(super) async fn commit(&self, batch: Batch) -> Answer {
        let (answer, answered) = oneshot::channel();
        let job = Job { batch, answer };
        let gone =
            || StoreError::unavailable("the runtime on which the database was opened has ended");
        self.jobs.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn run(connections: Arc<Connections>, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while queue.recv_many(&mut jobs, GROUP).await > 0 {
        let answers = commit_all(&connections, &jobs).await;
        for (job, answer) in jobs.drain(..).zip(answers) {
            // A caller that has gone away does without.
            let _ = job.answer.send(answer);
        }
    }
}

/// Commits batches in one transaction; what is refused leaves no trace in it. When one of them
/// makes the database fail, each gets a transaction, and a failure, of its own.
async fn commit_all(connections: &Connections, jobs: &[Job]) -> Vec<Answer> {
    let error = match commit_group(connections, jobs).await {
        Ok(answers) => return answers,
        Err(error) => error,
    };
    // Another program keeps the lock: each of them would wait for it as long.
    if jobs.len() == 1 || is_busy(&error) {
        let error = StoreError::from(error);
        return vec![Err(error); jobs.len()];
    }
    tracing::warn!(
        ?error,
        batches = jobs.len(),
        "a group of commits failed; trying each"
    );
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let alone = commit_group(connections, std::slice::from_ref(job)).await;
        answers.extend(alone.unwrap_or_else(|error| vec![Err(error.into())]));
    }
    answers
}

async fn commit_group(connections: &Connections, jobs: &[Job]) -> Result<Vec<Answer>, Failure> {
    let mut lease = connections.acquire().await?;
    let committed = try_group(&mut lease, jobs).await;
    if committed.is_err() {
        // Fails where there is nothing to roll back any more.
        let _ = sqlx::query("ROLLBACK").execute(&mut *lease).await;
    }
    lease.end(committed)
}

async fn try_group(
    connection: &mut SqliteConnection,
    jobs: &[Job],
) -> Result<Vec<Answer>, Failure> {
    let mut group = Group::begin(connection, jobs.iter().map(|job| &job.batch)).await?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        // Now that nobody else writes, what is no longer waited for has not happened and never
        // will: another program's commit may have come first and told its caller so.
        answers.push(if job.answer.is_closed() {
            Ok(Vec::new())
        } else {
            group.apply(&job.batch)
        });
    }
    group.end(connection).await?;
    Ok(answers)
}

/// Whether a write could not begin because another program was writing all the while.
fn is_busy(error: &Failure) -> bool {
    /// SQLITE_BUSY; the higher bytes of a code say more.
    const BUSY: u32 = 5;
    let Failure::Database(sqlx::Error::Database(error)) = error else {
        return false;
    };
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == BUSY)
}
