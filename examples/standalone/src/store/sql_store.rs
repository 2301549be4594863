use async_trait::async_trait;
use ironic_core::store::{
    Batch, Filter, Kind, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use uuid::Uuid;

use super::OpenError;
use super::postgres::{self, Postgres};
use super::records::Records;
use super::sqlite::{self, Sqlite};

/// Keeps records in a SQLite or a PostgreSQL database.
///
/// Several programs can use one database: of SQLite, those on one machine.
///
/// - **SQLite.** A commit that has returned survives the end of the process; at a power failure
///   the last commits before it may be lost as a whole, never in part. Reads run on the thread that
///   polls them, unless they turn out to take long; commits on one of the store's own.
/// - **PostgreSQL.** A commit that has returned is as durable as the server's
///   `synchronous_commit` makes it. When the server restarts, calls fail with
///   [`StoreError::Unavailable`] until it is back, and then go on. Whether a commit that failed
///   so has happened is for the caller to find out, as after any lost connection.
#[derive(Debug)]
pub struct SqlStore(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Records<Sqlite>),
    Postgres(Records<Postgres>),
}

impl SqlStore {
    /// Opens the database at a URL, and brings its tables forward to what this program knows:
    ///
    /// - `sqlite:PATH`, a file that is created if there is none; `sqlite::memory:` is one that
    ///   nobody else sees and that ends with this;
    /// - `postgres://USER:PASSWORD@HOST:PORT/NAME`, a database that exists. Parameters may
    ///   follow, such as `?sslmode=verify-full&sslrootcert=FILE`, or `?host=/run/postgresql` for
    ///   a Unix socket.
    ///
    /// Commits to PostgreSQL run on the runtime on which this is called.
    ///
    /// # Errors
    /// [`OpenError`] tells them apart.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let inner = if postgres::is_url(url) {
            Inner::Postgres(Records::over(postgres::open(url)?).await?)
        } else {
            Inner::Sqlite(Records::over(sqlite::open(url)?).await?)
        };
        Ok(Self(inner))
    }
}

/// The same call on either database.
macro_rules! either {
    ($self:ident, $records:ident => $call:expr) => {
        match &$self.0 {
            Inner::Sqlite($records) => $call.await,
            Inner::Postgres($records) => $call.await,
        }
    };
}

#[async_trait]
impl Store for SqlStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        either!(self, records => records.get(kind, id))
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        either!(self, records => records.find(kind, key))
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        either!(self, records => records.list(query))
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        either!(self, records => records.count(kind, filter))
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        either!(self, records => records.commit(batch))
    }
}
