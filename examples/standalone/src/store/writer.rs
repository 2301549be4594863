//! The one task that writes: commits of many callers share a transaction.

use std::sync::Arc;

use ironic_core::store::{Batch, Op, Revision, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::connections::{Connections, Lease, patiently};
use super::dialect::Dialect;
use super::error::{DatabaseError, Failure, Trouble};
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
    /// Starts the task.
    pub(super) fn start<D: Dialect>(
        connections: Arc<Connections<D>>,
    ) -> Result<Self, DatabaseError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        D::spawn(run(connections, queue))?;
        Ok(Self { jobs })
    }

    /// Has a batch applied. The task does not stop in the middle of it when this is dropped.
    pub(super) async fn commit(&self, batch: Batch) -> Answer {
        let (answer, answered) = oneshot::channel();
        let job = Job { batch, answer };
        let gone = || {
            StoreError::unavailable(
                "nothing is written to the database any more: its task has ended",
            )
        };
        self.jobs.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn run<D: Dialect>(connections: Arc<Connections<D>>, mut queue: mpsc::Receiver<Job>) {
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
async fn commit_all<D: Dialect>(connections: &Connections<D>, jobs: &[Job]) -> Vec<Answer> {
    let error = match commit_group(connections, jobs).await {
        Ok(answers) => return answers,
        Err(error) => error,
    };
    // One that cannot be written now, or at all; or nothing can, and each would wait for it as long.
    let trouble = match &error {
        Failure::Database(error) => Some(error.trouble),
        Failure::Refused(_) => None,
    };
    if let ([job], Some(Trouble::Content)) = (jobs, trouble) {
        return vec![Err(refused(&job.batch, error))];
    }
    if jobs.len() == 1 || matches!(trouble, Some(Trouble::Busy | Trouble::Lost)) {
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
        let alone = std::slice::from_ref(job);
        // Not deeper than this: alone it is not taken apart again.
        answers.extend(Box::pin(commit_all(connections, alone)).await);
    }
    answers
}

/// What to say of a batch with something in it that the database cannot take in, as JSON that is
/// nested too deep: trying it again would be of no use.
fn refused(batch: &Batch, error: Failure) -> StoreError {
    let put = batch.ops.iter().find(|op| matches!(op, Op::Put { .. }));
    match (put, error) {
        (Some(op), Failure::Database(error)) => {
            let (kind, id) = op.target();
            let message = error.to_string();
            StoreError::Corrupt { kind, id, message }
        }
        (_, error) => error.into(),
    }
}

async fn commit_group<D: Dialect>(
    connections: &Connections<D>,
    jobs: &[Job],
) -> Result<Vec<Answer>, Failure> {
    loop {
        let mut lease = connections.acquire().await?;
        let batches = jobs.iter().map(|job| &job.batch);
        let begun = patiently::<D, _, _>(Group::begin::<D>(&mut lease, batches)).await;
        let (error, written) = match begun {
            Ok(group) => {
                let finished = patiently::<D, _, _>(finish::<D>(&mut lease, group, jobs)).await;
                match finished {
                    Ok(answers) => {
                        lease.end(Ok(()));
                        return Ok(answers);
                    }
                    Err(error) => (error, true),
                }
            }
            Err(error) => (error, false),
        };
        let was_stale = abandon(lease, &error).await;
        // What may have been written is not tried again: nobody knows whether it has been.
        if written || !was_stale {
            return Err(error);
        }
    }
}

/// Ends a transaction that has failed; `true` if its connection had gone stale before it.
async fn abandon<D: Dialect>(mut lease: Lease<'_, D>, error: &Failure) -> bool {
    match error {
        Failure::Database(error) => lease.failed(error),
        Failure::Refused(_) => {
            let ended = D::run(&mut lease, "ROLLBACK").await;
            lease.end(ended.map_err(Failure::from));
            false
        }
    }
}

async fn finish<'a, D: Dialect>(
    connection: &mut D::Connection,
    mut group: Group<'a>,
    jobs: &'a [Job],
) -> Result<Vec<Answer>, Failure> {
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
    group.end::<D>(connection).await?;
    Ok(answers)
}
