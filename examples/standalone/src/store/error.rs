use std::fmt;

use ironic_core::store::StoreError;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no database that this can use.
    // Not shown: a URL may have a password in it.
    #[error("the database URL is of neither form: sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME")]
    Url,
    /// The file cannot be created.
    #[error("the database {path} cannot be created")]
    Create {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A newer program has written the database.
    #[error(
        "the database has schema version {found}, and this program knows versions up to {known}: \
         use the program that wrote it, or a newer one"
    )]
    Newer {
        /// What the database has.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The database keeps text in another encoding.
    #[error("the database keeps text as {found}: create one with the encoding UTF8")]
    Encoding {
        /// What the database says.
        found: String,
    },
    /// The database fails.
    #[error("the database cannot be opened")]
    Database {
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<DatabaseError> for OpenError {
    fn from(DatabaseError { source, .. }: DatabaseError) -> Self {
        Self::Database { source }
    }
}

/// A database, or the way to it, fails.
#[derive(Debug)]
pub(super) struct DatabaseError {
    /// What that means for the connection, and for those who wait.
    pub(super) trouble: Trouble,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl DatabaseError {
    pub(super) fn new(
        trouble: Trouble,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self { trouble, source }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// Why a statement, or a batch, came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The contract says so, or a record makes no sense; the connection is as good as before.
    Refused(StoreError),
    /// The database fails; a transaction that is open is of no use any more.
    Database(DatabaseError),
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            // Their messages name tables and columns, never what is in them.
            Failure::Database(error) => Self::unavailable(error),
        }
    }
}

/// What an error of a database means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Somebody else is at it: later it may go well.
    Busy,
    /// The connection is of no use any more; another one may be.
    Lost,
    /// The database cannot take in what it was given, and never will.
    Content,
    /// Any other.
    Other,
}
