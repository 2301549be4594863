use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::Sqlite;
use crate::store::OpenError;
use crate::store::connections::BUSY_TIMEOUT;
use crate::store::records::{Database, READERS};

/// The KiB of pages that a connection keeps (negative: <https://sqlite.org/pragma.html#pragma_cache_size>).
/// The system keeps them as well, once for all connections, and a copy of its costs little.
const CACHE: &str = "-512";

/// The database at a URL of the form `sqlite:PATH`; it is created if there is none.
pub(in crate::store) fn open(url: &str) -> Result<Database<Sqlite>, OpenError> {
    let options = options(url)?.create_if_missing(true);
    if is_memory(url) {
        // The records are gone with the only connection.
        return Ok(Database::shared(options));
    }
    create(options.get_filename())?;
    Ok(Database::new(options, READERS))
}

/// The same, of a file that has to be there.
pub(in crate::store) fn open_existing(url: &str) -> Result<Database<Sqlite>, OpenError> {
    let options = options(url)?.create_if_missing(false);
    Ok(Database::shared(options))
}

fn is_memory(url: &str) -> bool {
    url.starts_with("sqlite::memory:")
}

fn options(url: &str) -> Result<SqliteConnectOptions, OpenError> {
    let name = url.strip_prefix("sqlite:").ok_or(OpenError::Url)?;
    if name.trim_start_matches('/').is_empty() || name.starts_with('?') {
        return Err(OpenError::Url);
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Url)?;
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", CACHE)
        .row_buffer_size(1024)
        .disable_statement_logging();
    Ok(options)
}

/// Creates a file that only its owner reads, as it will hold the passwords of machines; SQLite
/// gives the same rights to the files that it puts beside it.
fn create(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(OpenError::Create {
            path: path.display().to_string(),
            source,
        }),
    }
}
