use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::dialect::Dialect;
use super::error::{DatabaseError, Failure, Trouble};

/// How long a program waits for another one that uses the same database.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Connections to one database, opened as they are needed and then kept.
///
/// sqlx's own pool asks each connection that comes back whether it still lives, by a task that it
/// spawns; what one that has died means is known here.
#[derive(Debug)]
pub(super) struct Connections<D: Dialect> {
    options: D::Options,
    idle: Mutex<Vec<Arc<tokio::sync::Mutex<D::Connection>>>>,
    permits: Semaphore,
}

impl<D: Dialect> Connections<D> {
    pub(super) fn new(options: D::Options, at_most: usize) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            permits: Semaphore::new(at_most),
        }
    }

    /// One of the connections, as soon as one is free.
    pub(super) async fn acquire(&self) -> Result<Lease<'_, D>, DatabaseError> {
        let permit = self.permits.acquire().await;
        let permit = permit.map_err(|closed| DatabaseError::new(Trouble::Other, closed))?;
        let idle = self.idle().pop();
        let is_new = idle.is_none();
        let connection = match idle {
            Some(connection) => connection,
            // Rare, and of a server several KiB of state that no other read is to have room for.
            None => Arc::new(Box::pin(self.connect()).await?.into()),
        };
        Ok(Lease {
            connection: connection.lock_owned().await,
            usable: D::KEEPS_INTERRUPTED,
            is_new,
            home: self,
            _permit: permit,
        })
    }

    /// A new connection. A server that is starting is waited for, and so is whoever is the first
    /// in a new SQLite file and sets its journal mode: SQLite does not let others wait for that,
    /// whatever the busy time-out.
    async fn connect(&self) -> Result<D::Connection, DatabaseError> {
        let give_up = Instant::now() + BUSY_TIMEOUT;
        loop {
            match self.try_connect().await {
                Err(error) if error.trouble == Trouble::Busy && Instant::now() < give_up => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                connected => return connected,
            }
        }
    }

    async fn try_connect(&self) -> Result<D::Connection, DatabaseError> {
        patiently::<D, _, _>(D::connect(&self.options)).await
    }

    // Nothing under this lock panics.
    fn idle(&self) -> MutexGuard<'_, Vec<Arc<tokio::sync::Mutex<D::Connection>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a database as long as is right: a server that hangs is not waited for for ever.
pub(super) async fn patiently<D: Dialect, T, E: From<DatabaseError>>(
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some(patience) = D::PATIENCE else {
        return call.await;
    };
    match tokio::time::timeout(patience, call).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(DatabaseError::new(Trouble::Lost, elapsed).into()),
    }
}

/// A connection in use: it goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease<'a, D: Dialect> {
    connection: OwnedMutexGuard<D::Connection>,
    usable: bool,
    is_new: bool,
    home: &'a Connections<D>,
    // The last field to be dropped, so that no more connections are open than there are permits.
    _permit: SemaphorePermit<'a>,
}

impl<D: Dialect> Lease<'_, D> {
    /// What came of using the connection; nothing if it had gone stale while nobody used it, so
    /// that the same is to be done with another one.
    pub(super) fn end<T>(mut self, result: Result<T, Failure>) -> Option<Result<T, Failure>> {
        match &result {
            Ok(_) | Err(Failure::Refused(_)) => self.usable = true,
            Err(Failure::Database(error)) if self.failed(error) => return None,
            Err(Failure::Database(_)) => {}
        }
        Some(result)
    }

    /// Judges by an error whether the connection is used again; `true` if it had gone stale while
    /// nobody used it.
    pub(super) fn failed(&mut self, error: &DatabaseError) -> bool {
        self.usable = D::KEEPS_INTERRUPTED;
        if error.trouble != Trouble::Lost {
            return false;
        }
        self.usable = false;
        if !D::KEEPS_INTERRUPTED {
            // What ended this one, a restart of the server, has ended the others.
            self.home.idle().clear();
        }
        !self.is_new
    }
}

impl<D: Dialect> Deref for Lease<'_, D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        &self.connection
    }
}

impl<D: Dialect> DerefMut for Lease<'_, D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.connection
    }
}

impl<D: Dialect> Drop for Lease<'_, D> {
    fn drop(&mut self) {
        if self.usable && D::settle(&mut self.connection) {
            let connection = OwnedMutexGuard::mutex(&self.connection);
            self.home.idle().push(Arc::clone(connection));
        }
    }
}
