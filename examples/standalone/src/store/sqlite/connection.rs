use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::{OpenFlags, Row, params_from_iter};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

use super::wal::WalKeeper;
use crate::store::connections::BUSY_TIMEOUT;
use crate::store::error::{DatabaseError, Trouble};
use crate::store::sql::Sql;

/// The KiB of pages that a connection keeps (negative: <https://sqlite.org/pragma.html#pragma_cache_size>).
/// The system keeps them as well, once for all connections, and a copy of its costs little. What is
/// kept is of no use any more once another connection has committed.
const CACHE: i64 = -256;

/// The same of the connection that commits, for which all others wait: what it has kept stays good,
/// and it need not ask the disk for what the system has forgotten.
const CACHE_TO_WRITE: i64 = -4096;

/// How many statements a connection keeps compiled.
const STATEMENTS: usize = 128;

/// How many steps of SQLite's machine are a portion, and how many whole portions a read may take on
/// the thread of whoever asks. Some 100 records are found in them, in well below a millisecond.
const PORTION: i32 = 5000;
const PORTIONS: i64 = 2;

/// How to open a database.
#[derive(Debug, Clone)]
pub(in crate::store) struct Options {
    pub(super) file: PathBuf,
    pub(super) flags: OpenFlags,
    /// Those who may read for long, on other threads than their callers'; none if nobody does.
    pub(super) long_reads: Option<Arc<Semaphore>>,
    /// Whether it commits all the time, so that its log needs looking after.
    pub(super) keeps_log: bool,
}

/// An open database.
///
/// A statement runs on the thread that asks: a record is found in a few microseconds, and to wake
/// another thread for it, and be woken, takes tens of them. What turns out to take longer than a
/// glance is begun anew on a thread that nobody else waits for.
#[derive(Debug)]
pub(in crate::store) struct Connection {
    database: Arc<Mutex<rusqlite::Connection>>,
    /// How many more portions a read may take.
    left: Arc<AtomicI64>,
    long_reads: Option<Arc<Semaphore>>,
    wal: Option<WalKeeper>,
}

impl Connection {
    pub(super) fn open(options: &Options) -> rusqlite::Result<Self> {
        let mut database = rusqlite::Connection::open_with_flags(&options.file, options.flags)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        database.set_prepared_statement_cache_capacity(STATEMENTS);
        // Else a statement is compiled anew whenever it is given other values, for a plan that might
        // be better.
        database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let cache = if options.keeps_log {
            CACHE_TO_WRITE
        } else {
            CACHE
        };
        database.pragma_update(None, "cache_size", cache)?;
        // Of a file that can only be read it stays what it is.
        database.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        database.pragma_update(None, "synchronous", "normal")?;
        let left = Arc::new(AtomicI64::new(i64::MAX));
        if options.long_reads.is_some() {
            let left = Arc::clone(&left);
            let is_too_long = move || left.fetch_sub(1, Ordering::Relaxed) <= 0;
            database.progress_handler(PORTION, Some(is_too_long))?;
        }
        let keep = || WalKeeper::of(&database, options.file.clone(), options.flags);
        let wal = options.keeps_log.then(keep).transpose()?;
        Ok(Self {
            database: Arc::new(Mutex::new(database)),
            left,
            long_reads: options.long_reads.clone(),
            wal,
        })
    }

    /// The same as [`Connection::database`], between two commits.
    pub(super) async fn between_commits(&mut self) -> OwnedMutexGuard<rusqlite::Connection> {
        let database = self.database().await;
        if let Some(wal) = &mut self.wal {
            wal.look_after(&database);
        }
        database
    }

    /// The database, to be asked for what does not take long, or on a thread that may wait.
    pub(super) async fn database(&mut self) -> OwnedMutexGuard<rusqlite::Connection> {
        // Nobody else has it: a read that goes on when its caller has gone keeps its connection.
        let database = Arc::clone(&self.database).lock_owned().await;
        self.left.store(i64::MAX, Ordering::Relaxed);
        database
    }

    /// Ends a transaction that was left open; `false` if a read still goes on.
    pub(super) fn settle(&mut self) -> bool {
        let Ok(database) = self.database.try_lock() else {
            return false;
        };
        database.is_autocommit() || database.execute_batch("ROLLBACK").is_ok()
    }

    /// What a statement answers, row by row.
    pub(super) async fn rows<T, E>(
        &mut self,
        sql: Sql,
        each: impl Fn(&Row<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Vec<T>, E>
    where
        T: Send + 'static,
        E: From<rusqlite::Error> + From<DatabaseError> + Send + 'static,
    {
        let (text, args) = sql.into_parts();
        let read = move |database: &rusqlite::Connection| -> Result<Vec<T>, E> {
            let mut statement = database.prepare_cached(&text)?;
            let mut rows = statement.query(params_from_iter(&args))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(each(row)?);
            }
            Ok(all)
        };
        let guard = self.database().await;
        let Some(long_reads) = self.long_reads.clone() else {
            return read(&guard);
        };
        self.left.store(PORTIONS, Ordering::Relaxed);
        let seen = read(&guard);
        let was_too_long = seen.is_err() && self.left.load(Ordering::Relaxed) < 0;
        self.left.store(i64::MAX, Ordering::Relaxed);
        if !was_too_long {
            return seen;
        }
        let closed = |closed| DatabaseError::new(Trouble::Other, closed);
        let turn = long_reads.acquire_owned().await.map_err(closed)?;
        let reading = tokio::task::spawn_blocking(move || {
            let seen = read(&guard);
            drop((guard, turn));
            seen
        });
        let stopped = |stopped| DatabaseError::new(Trouble::Other, stopped);
        reading.await.map_err(stopped)?
    }
}
