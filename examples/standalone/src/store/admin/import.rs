//! Records from the lines of an export.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _};

use ironic_core::store::{Kind, Record, StoreError, UniqueKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ExportError;
use super::Progress;
use super::line::{End, FORMAT, Head, Line, VERSION, hex};
use super::pages::expect_schema;
use crate::store::connections::Connections;
use crate::store::dialect::{Dialect, Found, begin_by};
use crate::store::error::{DatabaseError, Failure, OpenError};
use crate::store::group::{Changes, Wanted, Written};
use crate::store::schema;
use crate::store::sql::Sql;

/// How many records are written at once, and up to how many bytes of them.
const CHUNK: usize = 500;
const CHUNK_BYTES: usize = 16 << 20;

/// How long a line may be: what the databases take as one text is less.
const LONGEST_LINE: u64 = 512 << 20;

/// Why lines could not be taken into a database. Nothing of it has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database has records already.
    #[error("the database has {records} records: import into an empty one, or replace them")]
    NotEmpty {
        /// How many.
        records: u64,
    },
    /// The lines cannot be read.
    #[error("line {line} cannot be read: {source}")]
    Read {
        /// Counted from 1.
        line: u64,
        /// What the system says.
        source: io::Error,
    },
    /// A line is damaged, or does not fit with the others.
    #[error("line {line} {problem}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The database fails, or refuses a record.
    #[error("{source} (after line {line})")]
    Store {
        /// The last line that was read.
        line: u64,
        /// What it says.
        source: StoreError,
    },
}

pub(super) async fn import<D: Dialect>(
    connections: &Connections<D>,
    from: &mut (dyn BufRead + Send),
    replace: bool,
    progress: Progress<'_>,
) -> Result<u64, ImportError> {
    let mut lines = Lines {
        from,
        hash: Sha256::new(),
        number: 0,
        text: Vec::new(),
    };
    // Before anything is locked or removed.
    let head = lines.head()?;
    let mut lease = connections.acquire().await.map_err(OpenError::from)?;
    schema::migrate::<D>(&mut lease).await?;
    // What ends before its COMMIT has not happened.
    let begun = begin_by::<D>(&mut lease, D::BEGIN_ALONE).await;
    begun.map_err(OpenError::from)?;
    empty::<D>(&mut lease, replace).await?;
    let mut done = 0;
    let mut more = true;
    while more {
        let mut chunk = Chunk::default();
        while chunk.numbers.len() < CHUNK && chunk.bytes < CHUNK_BYTES {
            match lines.record(&head)? {
                Some(record) => chunk.take(lines.number, lines.text.len(), record)?,
                None => {
                    more = false;
                    break;
                }
            }
        }
        done += chunk.records.len() as u64;
        let line = lines.number;
        chunk
            .write::<D>(&mut lease, head.revision)
            .await
            .map_err(|error| match error {
                Refusal::Line(error) => error,
                Refusal::Store(error) => store(line, error),
            })?;
        progress(done, head.records);
    }
    if done != head.records {
        let problem = format!("ends {done} records, and line 1 promises {}", head.records);
        return Err(lines.wrong(problem));
    }
    let line = lines.number;
    D::run(&mut lease, "COMMIT")
        .await
        .map_err(|error| store(line, error.into()))?;
    Ok(done)
}

fn store(line: u64, error: Failure) -> ImportError {
    let source = StoreError::from(error);
    ImportError::Store { line, source }
}

/// Makes sure that nothing is there.
async fn empty<D: Dialect>(
    connection: &mut D::Connection,
    replace: bool,
) -> Result<(), ImportError> {
    let failed = |error: DatabaseError| ImportError::from(OpenError::from(error));
    if let Err(error) = expect_schema::<D>(connection).await {
        return Err(match error {
            ExportError::Open(error) => error.into(),
            other => ImportError::Line {
                line: 1,
                problem: other.to_string(),
            },
        });
    }
    let count = Sql::fixed("SELECT count(*) FROM records", []);
    let count = D::whole(connection, count).await.map_err(failed)?;
    let records = count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0);
    if records > 0 && !replace {
        return Err(ImportError::NotEmpty { records });
    }
    D::run(connection, "DELETE FROM records")
        .await
        .map_err(failed)?;
    D::run(connection, "DELETE FROM unique_keys")
        .await
        .map_err(failed)
}

/// Some records on their way, and the lines that they came by.
#[derive(Default)]
struct Chunk {
    records: Vec<Record>,
    bytes: usize,
    numbers: BTreeMap<(Kind, Uuid), u64>,
    keys: BTreeMap<(Kind, UniqueKey), u64>,
}

enum Refusal {
    Line(ImportError),
    Store(Failure),
}

impl Chunk {
    fn take(&mut self, line: u64, bytes: usize, record: Record) -> Result<(), ImportError> {
        let (kind, id) = (record.kind, record.id);
        if self.numbers.insert((kind, id), line).is_some() {
            return Err(twice(line, kind, id));
        }
        let own: BTreeSet<_> = record.keys.iter().collect();
        for key in own {
            if self.keys.insert((kind, key.clone()), line).is_some() {
                return Err(taken(line, kind, key));
            }
        }
        self.bytes += bytes;
        self.records.push(record);
        Ok(())
    }

    /// Writes the records, if none of what they are and have is there already.
    async fn write<D: Dialect>(
        &self,
        connection: &mut D::Connection,
        last: u64,
    ) -> Result<(), Refusal> {
        let wanted = Wanted {
            records: self.numbers.keys().copied().collect(),
            keys: self.keys.keys().map(|(kind, key)| (*kind, key)).collect(),
        };
        let found = D::read(connection, &wanted).await.map_err(Refusal::Store)?;
        for found in found {
            let refusal = match found {
                Found::Record(kind, id, _) => {
                    let line = self.numbers.get(&(kind, id)).copied();
                    line.map(|line| twice(line, kind, id))
                }
                Found::Owner(kind, key, _) => {
                    let line = self.keys.get(&(kind, key.clone())).copied();
                    line.map(|line| taken(line, kind, &key))
                }
                Found::Counter(_) => None,
            };
            if let Some(refusal) = refusal {
                return Err(Refusal::Line(refusal));
            }
        }
        let written = self.records.iter().map(|record| Written {
            record,
            created: record.created,
            revision: record.revision,
        });
        let owned = self.records.iter().flat_map(|record| {
            let own: BTreeSet<_> = record.keys.iter().collect();
            own.into_iter().map(|key| (record.kind, key, record.id))
        });
        let changes = Changes {
            freed: Vec::new(),
            deleted: Vec::new(),
            written: written.collect(),
            owned: owned.collect(),
            last: i64::try_from(last).unwrap_or(i64::MAX),
        };
        D::write(connection, &changes).await.map_err(Refusal::Store)
    }
}

fn twice(line: u64, kind: Kind, id: Uuid) -> ImportError {
    let problem = format!("is a second {kind} {id}");
    ImportError::Line { line, problem }
}

fn taken(line: u64, kind: Kind, key: &UniqueKey) -> ImportError {
    let problem = format!("has the {key}, as another {kind} has");
    ImportError::Line { line, problem }
}

/// The lines as they are read.
struct Lines<'a> {
    from: &'a mut (dyn BufRead + Send),
    hash: Sha256,
    /// That of the line that was read last, counted from 1.
    number: u64,
    text: Vec<u8>,
}

impl Lines<'_> {
    /// Reads the next line, with its end.
    fn next(&mut self) -> Result<(), ImportError> {
        self.number += 1;
        self.text.clear();
        let line = self.number;
        let mut limited = (&mut *self.from).take(LONGEST_LINE);
        let read = limited.read_until(b'\n', &mut self.text);
        read.map_err(|source| ImportError::Read { line, source })?;
        if self.text.is_empty() {
            return Err(self.wrong("is missing: the export has been cut off"));
        }
        if self.text.last() != Some(&b'\n') {
            return Err(self.wrong("is cut off, or too long"));
        }
        Ok(())
    }

    fn wrong(&self, problem: impl Into<String>) -> ImportError {
        ImportError::Line {
            line: self.number,
            problem: problem.into(),
        }
    }

    fn parse<'t, T: Deserialize<'t>>(&'t self, what: &str) -> Result<T, ImportError> {
        serde_json::from_slice(&self.text).map_err(|error| {
            // Without its "line 1 column 17": it is one line that it has been given.
            let column = error.column();
            let category = match error.classify() {
                serde_json::error::Category::Data => error_text(&error),
                _ => "it is no JSON".to_owned(),
            };
            self.wrong(format!("is no {what}: {category} (column {column})"))
        })
    }

    fn head(&mut self) -> Result<Head<'static>, ImportError> {
        self.next()?;
        let head: Head<'_> = self.parse("head of an export")?;
        if head.format != FORMAT || head.version != VERSION {
            let problem = "is the head of another format than this program reads";
            return Err(self.wrong(problem));
        }
        if i64::try_from(head.revision).is_err() {
            return Err(self.wrong("has a revision that no database counts up to"));
        }
        let head = Head {
            format: FORMAT.into(),
            ..head
        };
        self.hash.update(&self.text);
        Ok(head)
    }

    /// The next record; nothing once the last line has been read and all is as it was written.
    fn record(&mut self, head: &Head<'_>) -> Result<Option<Record>, ImportError> {
        self.next()?;
        if self.text.starts_with(b"{\"sha256\"") {
            let promised = self
                .parse::<End<'_>>("end of an export")?
                .sha256
                .into_owned();
            let digest = std::mem::take(&mut self.hash).finalize();
            if promised != hex(&digest) {
                return Err(self.wrong("has another checksum than the lines before it"));
            }
            self.nothing_more()?;
            return Ok(None);
        }
        let record = self.parse::<Line<'_>>("record")?.into_record();
        if !record.body.get().starts_with('{') {
            return Err(self.wrong("has a body that is no object"));
        }
        if record.created > record.revision || record.revision.0 > head.revision {
            return Err(self.wrong("has a revision that was never given"));
        }
        self.hash.update(&self.text);
        Ok(Some(record))
    }

    fn nothing_more(&mut self) -> Result<(), ImportError> {
        let line = self.number + 1;
        let rest = self.from.fill_buf();
        match rest {
            Ok([]) => Ok(()),
            Ok(_) => Err(ImportError::Line {
                line,
                problem: "comes after the end".into(),
            }),
            Err(source) => Err(ImportError::Read { line, source }),
        }
    }
}

/// What serde says, without a place in a line, and without what stands there: it may be secret.
fn error_text(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let is_of_names = ["missing field", "unknown field", "duplicate field"];
    if is_of_names.iter().any(|start| text.starts_with(start)) {
        text.to_owned()
    } else {
        "a member is of another type".to_owned()
    }
}
