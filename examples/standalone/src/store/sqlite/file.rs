use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rusqlite::OpenFlags;
use tokio::sync::Semaphore;

use super::Sqlite;
use super::connection::Options;
use crate::store::OpenError;
use crate::store::records::Database;

/// How many connections may read: each thread that asks uses one for as long as a statement runs.
const READERS: usize = 64;

/// How many reads run at once that take long.
const LONG_READS: usize = 4;

/// The database at a URL of the form `sqlite:PATH`; it is created if there is none.
pub(in crate::store) fn open(url: &str) -> Result<Database<Sqlite>, OpenError> {
    let write = options(url)?;
    if is_memory(url) {
        // The records are gone with the only connection.
        return Ok(Database::shared(write));
    }
    create(&write.file)?;
    let long_reads = Some(Arc::new(Semaphore::new(LONG_READS)));
    let read = Options {
        long_reads,
        ..write.clone()
    };
    let write = Options {
        keeps_log: true,
        ..write
    };
    Ok(Database::new(read, READERS, write))
}

/// The same, of a file that has to be there.
pub(in crate::store) fn open_existing(url: &str) -> Result<Database<Sqlite>, OpenError> {
    Ok(Database::shared(options(url)?))
}

fn is_memory(url: &str) -> bool {
    url == "sqlite::memory:"
}

/// Of the form `sqlite:PATH?mode=MODE`, where the path may have `%3f` for a question mark, and the
/// mode is `ro` to read only, or `rw` or `rwc`, which are as good as none.
pub(super) fn options(url: &str) -> Result<Options, OpenError> {
    let url = url.strip_prefix("sqlite:").ok_or(OpenError::Url)?;
    let (path, parameters) = url.split_once('?').unwrap_or((url, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = percent_decode_str(path).decode_utf8();
    let path = path.map_err(|_| OpenError::Url)?;
    if path.trim_start_matches('/').is_empty() {
        return Err(OpenError::Url);
    }
    let access = match parameters {
        "" | "mode=rw" | "mode=rwc" => OpenFlags::SQLITE_OPEN_READ_WRITE,
        "mode=ro" => OpenFlags::SQLITE_OPEN_READ_ONLY,
        _ => return Err(OpenError::Url),
    };
    Ok(Options {
        file: PathBuf::from(&*path),
        // A connection is used by one thread at a time.
        flags: access | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        long_reads: None,
        keeps_log: false,
    })
}

/// Creates a file that only its owner reads, as it will hold the passwords of machines; SQLite
/// gives the same rights to the files that it puts beside it.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
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
