use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{OwnedMutexGuard, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::error::Failure;

/// How long a program waits for another one that uses the same file.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Connections to one database, opened as they are needed and then kept.
///
/// sqlx's own pool asks each connection that comes back whether it still lives, by a task that it
/// spawns: with a file on this machine that costs as much as reading a record does.
#[derive(Debug)]
pub(super) struct Connections {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<Arc<tokio::sync::Mutex<SqliteConnection>>>>,
    permits: Semaphore,
}

impl Connections {
    pub(super) fn new(options: SqliteConnectOptions, at_most: usize) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            permits: Semaphore::new(at_most),
        }
    }

    /// One of the connections, as soon as one is free.
    pub(super) async fn acquire(&self) -> Result<Lease<'_>, sqlx::Error> {
        let permit = self.permits.acquire().await;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => Arc::new(self.connect().await?.into()),
        };
        Ok(Lease {
            connection: connection.lock_owned().await,
            usable: true,
            home: self,
            _permit: permit,
        })
    }

    /// A new connection. Whoever is the first sets the journal mode of a new file; SQLite does
    /// not let others wait for that, whatever the busy time-out.
    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let give_up = Instant::now() + BUSY_TIMEOUT;
        loop {
            match self.options.connect().await {
                Err(error) if is_busy(&error) && Instant::now() < give_up => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                connected => return connected,
            }
        }
    }

    // Nothing under this lock panics.
    fn idle(&self) -> MutexGuard<'_, Vec<Arc<tokio::sync::Mutex<SqliteConnection>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `SQLITE_BUSY`, or one of its extended codes (<https://sqlite.org/rescode.html>).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

/// A connection in use: it goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    connection: OwnedMutexGuard<SqliteConnection>,
    usable: bool,
    home: &'a Connections,
    // The last field to be dropped, so that no more connections are open than there are permits.
    _permit: SemaphorePermit<'a>,
}

impl Lease<'_> {
    /// What came of using the connection. One whose thread has died is not used again.
    pub(super) fn end<T>(mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        let died = matches!(&result, Err(Failure::Database(sqlx::Error::WorkerCrashed)));
        self.usable = !died;
        result
    }
}

impl Deref for Lease<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.usable {
            let connection = OwnedMutexGuard::mutex(&self.connection);
            self.home.idle().push(Arc::clone(connection));
        }
    }
}
