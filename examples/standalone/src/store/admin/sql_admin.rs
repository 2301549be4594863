use std::io::{BufRead, Write};

use super::check::{self, Finding};
use super::export::{self, ExportError};
use super::import::{self, ImportError};
use crate::store::OpenError;
use crate::store::connections::Connections;
use crate::store::dialect::Dialect;
use crate::store::postgres::{self, Postgres};
use crate::store::records::Database;
use crate::store::schema;
use crate::store::sqlite::{self, Sqlite};

/// A database as those see it who look after it: before its tables are brought forward, and as a
/// whole.
///
/// What reads and writes files here does so on the thread that polls it, so this is for programs
/// that do nothing else meanwhile.
#[derive(Debug)]
pub struct SqlAdmin(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Database<Sqlite>),
    Postgres(Database<Postgres>),
}

/// The version of a database's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaVersion {
    /// What sort of database: `SQLite` or `PostgreSQL`.
    pub database: &'static str,
    /// What it has; 0 if it has no tables yet.
    pub found: i64,
    /// The newest that this program knows, and works with.
    pub known: i64,
}

/// How far something is: records done, of how many.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// The same call on either database.
macro_rules! either {
    ($self:ident, $database:ident => $call:expr) => {
        match &$self.0 {
            Inner::Sqlite($database) => $call.await,
            Inner::Postgres($database) => $call.await,
        }
    };
}

impl SqlAdmin {
    /// The database at a URL, as [`SqlStore::open`](crate::store::SqlStore::open) takes it; the file of
    /// a SQLite database has to be there.
    ///
    /// # Errors
    /// [`OpenError::Url`]. Whether it can be reached shows when something is asked of it.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        Ok(Self(if postgres::is_url(url) {
            Inner::Postgres(postgres::open(url)?)
        } else {
            Inner::Sqlite(sqlite::open_existing(url)?)
        }))
    }

    /// The same, and a SQLite file is created if there is none.
    ///
    /// # Errors
    /// As [`SqlAdmin::new`]; [`OpenError::Create`].
    pub fn create(url: &str) -> Result<Self, OpenError> {
        Ok(Self(if postgres::is_url(url) {
            Inner::Postgres(postgres::open(url)?)
        } else {
            Inner::Sqlite(sqlite::open(url)?)
        }))
    }

    /// The version of its tables. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::Database`].
    pub async fn version(&self) -> Result<SchemaVersion, OpenError> {
        either!(self, database => version(&database.writer))
    }

    /// Brings its tables forward to what this program knows, in one transaction; answers what
    /// they were.
    ///
    /// # Errors
    /// [`OpenError::Newer`], [`OpenError::Encoding`], [`OpenError::Database`].
    pub async fn upgrade(&self) -> Result<SchemaVersion, OpenError> {
        either!(self, database => upgrade(&database.writer))
    }

    /// Looks whether all that is stored fits together, and tells each thing that does not. Other
    /// programs may go on meanwhile: all of it is seen as it was at the beginning.
    ///
    /// # Errors
    /// As [`SqlAdmin::export`].
    pub async fn check(&self, progress: Progress<'_>) -> Result<Vec<Finding>, ExportError> {
        either!(self, database => check::check(&database.writer, progress))
    }

    /// Writes all records as lines of JSON, as they were at one moment; answers how many. Other
    /// programs may go on meanwhile.
    ///
    /// They have the passwords of machines in them, in clear.
    ///
    /// # Errors
    /// [`ExportError`] tells them apart.
    pub async fn export(
        &self,
        to: &mut (dyn Write + Send),
        progress: Progress<'_>,
    ) -> Result<u64, ExportError> {
        either!(self, database => export::export(&database.writer, to, progress))
    }

    /// Reads what [`SqlAdmin::export`] wrote into a database that has no records, or in place of
    /// all that it has; answers how many. It is one transaction: whatever goes wrong, or if the
    /// program ends, nothing is changed. No conductor may use the database meanwhile.
    ///
    /// # Errors
    /// [`ImportError`] tells them apart.
    pub async fn import(
        &self,
        from: &mut (dyn BufRead + Send),
        replace: bool,
        progress: Progress<'_>,
    ) -> Result<u64, ImportError> {
        either!(self, database => import::import(&database.writer, from, replace, progress))
    }
}

async fn version<D: Dialect>(connections: &Connections<D>) -> Result<SchemaVersion, OpenError> {
    let found = schema::version::<D>(&mut *connections.acquire().await?).await?;
    Ok(of::<D>(found))
}

async fn upgrade<D: Dialect>(connections: &Connections<D>) -> Result<SchemaVersion, OpenError> {
    let found = schema::migrate::<D>(&mut *connections.acquire().await?).await?;
    Ok(of::<D>(found))
}

fn of<D: Dialect>(found: i64) -> SchemaVersion {
    SchemaVersion {
        database: D::NAME,
        found,
        known: schema::newest::<D>(),
    }
}
