//! SQLite's write-ahead log, kept short by others than those who commit.
//!
//! What is committed stands in the log until a checkpoint has copied it into the database, for
//! which the disk is waited for several times. By itself SQLite has one of the commits do that
//! every 1,000 pages, and all commits behind it wait as long: where a disk takes 300 ms now and
//! then, everybody does. Here another thread does it meanwhile. As the log only begins anew when
//! all of it has been copied, and commits go on, the few pages that have come since are left to the
//! connection that commits (<https://sqlite.org/wal.html>, "Avoiding Excessively Large WAL Files").

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::OpenFlags;
use tokio::task::JoinHandle;

/// From how many pages on the log is copied.
const LONG: i64 = 4096;

/// How many pages are copied by who commits.
const FEW: i64 = 512;

/// From how many pages on who commits copies all of it: the other thread does not keep up.
const TOO_LONG: i64 = 32_768;

/// How many pages later the same is tried again: somebody may still read what is to be left behind.
const LATER: i64 = 1024;

/// Looks after the log of one connection that commits.
#[derive(Debug)]
pub(super) struct WalKeeper {
    file: PathBuf,
    flags: OpenFlags,
    /// Another connection, once it is needed.
    aside: Arc<Mutex<Option<rusqlite::Connection>>>,
    copying: Option<JoinHandle<()>>,
    /// From how many pages on they are copied by the other thread.
    copy_aside_from: i64,
    /// From how many pages on who commits copies the last few.
    finish_from: i64,
}

/// How many pages the log has, and how many of them have been copied.
#[derive(Debug, Clone, Copy)]
struct Extent {
    pages: i64,
    copied: i64,
}

impl WalKeeper {
    /// Takes the log over from a connection that has just been opened.
    pub(super) fn of(
        database: &rusqlite::Connection,
        file: PathBuf,
        flags: OpenFlags,
    ) -> rusqlite::Result<Self> {
        database.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
        Ok(Self {
            file,
            flags,
            aside: Arc::default(),
            copying: None,
            copy_aside_from: LONG,
            finish_from: LONG,
        })
    }

    /// Does what is due, between two commits. What goes wrong with it is no commit's failure.
    pub(super) fn look_after(&mut self, database: &rusqlite::Connection) {
        if let Err(error) = self.try_to(database) {
            tracing::warn!(%error, "SQLite's log is not copied into its database");
        }
    }

    fn try_to(&mut self, database: &rusqlite::Connection) -> rusqlite::Result<()> {
        let Extent { pages, copied } = checkpoint(database, "PRAGMA wal_checkpoint(NOOP)")?;
        if pages < LONG {
            self.copy_aside_from = LONG;
            self.finish_from = LONG;
            return Ok(());
        }
        let copying = self.copying.as_ref();
        let is_idle = copying.is_none_or(JoinHandle::is_finished);
        let is_nearly_done = is_idle && pages - copied <= FEW;
        if pages >= self.finish_from && (is_nearly_done || pages >= TOO_LONG) {
            self.finish_from = pages + LATER;
            checkpoint(database, PASSIVE)?;
        } else if pages >= self.copy_aside_from && is_idle && !is_nearly_done {
            self.copy_aside_from = pages + LATER;
            self.copying = Some(self.copy_aside());
        }
        Ok(())
    }

    /// Copies what there is by now on a thread where nobody waits for it.
    fn copy_aside(&self) -> JoinHandle<()> {
        let (file, flags) = (self.file.clone(), self.flags);
        let aside = Arc::clone(&self.aside);
        tokio::task::spawn_blocking(move || {
            let mut aside = aside.lock().unwrap_or_else(PoisonError::into_inner);
            let copied = match &*aside {
                Some(database) => checkpoint(database, PASSIVE).map(drop),
                None => open(&file, flags).and_then(|database| {
                    checkpoint(&database, PASSIVE)?;
                    *aside = Some(database);
                    Ok(())
                }),
            };
            if let Err(error) = copied {
                tracing::warn!(%error, "SQLite's log is not copied into its database");
            }
        })
    }
}

fn open(file: &PathBuf, flags: OpenFlags) -> rusqlite::Result<rusqlite::Connection> {
    let database = rusqlite::Connection::open_with_flags(file, flags)?;
    // As that of the commits: the log is on the disk before what is copied from it.
    database.pragma_update(None, "synchronous", "normal")?;
    // Nothing is known of a log before something has been read.
    database.pragma_query_value(None, "schema_version", |_| Ok(()))?;
    Ok(database)
}

/// Copies what nobody who reads or commits has to wait for.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The columns that say how much of the log there is stand behind one that says whether another
/// checkpoint is under way (<https://sqlite.org/pragma.html#pragma_wal_checkpoint>).
fn checkpoint(database: &rusqlite::Connection, pragma: &'static str) -> rusqlite::Result<Extent> {
    let mut statement = database.prepare_cached(pragma)?;
    statement.query_one((), |row| {
        Ok(Extent {
            pages: row.get(1)?,
            copied: row.get(2)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::sqlite::connection::{Connection, Options};
    use crate::store::sqlite::file;

    /// A file with a table, whose log nobody looks after but the test.
    struct Tended {
        _folder: TempDir,
        options: Options,
        database: rusqlite::Connection,
        keeper: WalKeeper,
    }

    impl Tended {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let url = format!("sqlite:{}", folder.path().join("a.db").display());
            file::create(&folder.path().join("a.db")).unwrap();
            let options = file::options(&url).unwrap();
            // Sets the file to have a log at all.
            drop(Connection::open(&options).unwrap());
            let database = rusqlite::Connection::open(&options.file).unwrap();
            let keeper = WalKeeper::of(&database, options.file.clone(), options.flags).unwrap();
            database
                .execute_batch("CREATE TABLE pages (content BLOB)")
                .unwrap();
            Self {
                _folder: folder,
                options,
                database,
                keeper,
            }
        }

        /// Commits about so many pages, in one commit and then another.
        fn commit(&self, pages: i64) {
            let fill = "INSERT INTO pages VALUES (zeroblob(?))";
            self.database.execute(fill, [pages * 4096]).unwrap();
            self.database.execute(fill, [1]).unwrap();
        }

        fn extent(&self) -> Extent {
            checkpoint(&self.database, "PRAGMA wal_checkpoint(NOOP)").unwrap()
        }

        fn look_after(&mut self) {
            self.keeper.look_after(&self.database);
        }

        /// Somebody who reads what there is now.
        fn reader(&self) -> rusqlite::Connection {
            let reader = rusqlite::Connection::open(&self.options.file).unwrap();
            reader.execute_batch("BEGIN").unwrap();
            let count = "SELECT count(*) FROM pages";
            let _: i64 = reader.query_one(count, (), |row| row.get(0)).unwrap();
            reader
        }

        async fn copied_aside(&mut self) {
            let copying = self.keeper.copying.take();
            copying.expect("nothing is copied").await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_long_log_is_copied_aside_and_begins_anew() {
        let mut file = Tended::new();
        file.commit(LONG / 2);
        file.look_after();
        assert!(file.keeper.copying.is_none());
        assert_eq!(file.extent().copied, 0);
        file.commit(LONG);
        // As if a few pages came while the others are copied, which somebody who reads sees to.
        let reader = file.reader();
        file.commit(FEW / 2);
        file.look_after();
        file.copied_aside().await;
        drop(reader);
        let Extent { pages, copied } = file.extent();
        assert!(copied > LONG && copied < pages, "{copied} of {pages}");
        file.look_after();
        assert!(file.keeper.copying.is_none());
        assert_eq!(file.extent().copied, file.extent().pages);
        file.commit(1);
        assert!(file.extent().pages < FEW);
        assert_eq!(file.keeper.finish_from, pages + LATER);
        file.look_after();
        assert_eq!(file.keeper.finish_from, LONG);
    }

    #[tokio::test]
    async fn more_than_a_few_pages_are_copied_aside_once_more() {
        let mut file = Tended::new();
        file.commit(LONG);
        let reader = file.reader();
        file.commit(FEW * 2);
        file.look_after();
        file.copied_aside().await;
        drop(reader);
        assert!(file.extent().copied < file.extent().pages);
        file.commit(LATER);
        file.look_after();
        file.copied_aside().await;
        assert_eq!(file.extent().copied, file.extent().pages);
    }

    #[tokio::test]
    async fn somebody_who_reads_for_long_does_not_have_every_commit_copy() {
        let mut file = Tended::new();
        let reader = file.reader();
        file.commit(LONG);
        file.look_after();
        file.copied_aside().await;
        for _ in 0..10 {
            file.commit(1);
            file.look_after();
            assert!(file.keeper.copying.is_none());
        }
        // The reader has gone, and all is copied: but for another one, which reads the last.
        drop(reader);
        file.commit(LATER);
        let reader = file.reader();
        file.look_after();
        file.copied_aside().await;
        file.look_after();
        assert_eq!(file.extent().copied, file.extent().pages);
        for _ in 0..10 {
            let pages = file.extent().pages;
            file.commit(1);
            assert!(file.extent().pages > pages, "what is read is written over");
            file.look_after();
            assert!(file.extent().copied < file.extent().pages);
        }
        drop(reader);
        file.commit(LATER);
        file.look_after();
        file.copied_aside().await;
        file.look_after();
        file.commit(1);
        assert!(file.extent().pages < FEW);
    }

    #[tokio::test]
    async fn who_commits_copies_what_is_too_long() {
        let mut file = Tended::new();
        // The other thread does not come to anything.
        file.keeper.copying = Some(tokio::spawn(std::future::pending()));
        file.commit(TOO_LONG);
        file.look_after();
        assert_eq!(file.extent().copied, file.extent().pages);
        file.commit(1);
        assert!(file.extent().pages < FEW);
    }
}
