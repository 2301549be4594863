//! The one task that writes: commits of many callers share a transaction.

use ironic_core::store::{Batch, Revision, StoreError};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Sqlite, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::batch::apply;
use super::error::Failure;

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
    pub(super) fn start(pool: SqlitePool) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(pool, queue));
        Self { jobs }
    }

    /// Has a batch applied. The task does not stop in the middle of it when this is dropped.
    pub(super) async fn commit(&self, batch: Batch) -> Answer {
        let (answer, answered) = oneshot::channel();
        let job = Job { batch, answer };
        let gone = || StoreError::Unavailable {
            message: "the runtime on which the database was opened has ended".to_owned(),
        };
        self.jobs.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn run(pool: SqlitePool, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while queue.recv_many(&mut jobs, GROUP).await > 0 {
        // Nobody waits for these any more: they have not happened.
        jobs.retain(|job| !job.answer.is_closed());
        let answers = commit_group(&pool, &jobs).await;
        for (job, answer) in jobs.drain(..).zip(answers) {
            // A caller that has gone away does without.
            let _ = job.answer.send(answer);
        }
    }
    pool.close().await;
}

/// Commits batches in one transaction; what is refused leaves no trace in it. When one of them
/// makes the database fail, each gets a transaction, and a failure, of its own.
async fn commit_group(pool: &SqlitePool, jobs: &[Job]) -> Vec<Answer> {
    // Taking the write lock at once: a transaction that has read and then wants to write is
    // refused, not kept waiting, when somebody else has written meanwhile.
    let transaction = match pool.begin_with("BEGIN IMMEDIATE").await {
        Ok(transaction) => transaction,
        // Trying each would have each wait for the lock as long.
        Err(error) => {
            let error = StoreError::from(Failure::from(error));
            return vec![Err(error); jobs.len()];
        }
    };
    match try_group(transaction, jobs).await {
        Ok(answers) => answers,
        Err(error) if jobs.len() == 1 => vec![Err(Failure::from(error).into())],
        Err(error) => {
            tracing::warn!(%error, batches = jobs.len(), "a group of commits failed; trying each");
            let mut answers = Vec::with_capacity(jobs.len());
            for job in jobs.chunks(1) {
                answers.extend(Box::pin(commit_group(pool, job)).await);
            }
            answers
        }
    }
}

async fn try_group(
    mut transaction: Transaction<'_, Sqlite>,
    jobs: &[Job],
) -> Result<Vec<Answer>, sqlx::Error> {
    let before = revision(&mut transaction).await?;
    let mut last = before;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push(match apply(&mut transaction, &job.batch, last + 1).await {
            Ok(revisions) => {
                last += i64::from(!revisions.is_empty());
                Ok(revisions)
            }
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Database(error)) => return Err(error),
        });
    }
    if last == before {
        transaction.rollback().await?;
        return Ok(answers);
    }
    sqlx::query("UPDATE revision SET value = ?")
        .bind(last)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(answers)
}

async fn revision(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT value FROM revision")
        .fetch_one(connection)
        .await
}
