use std::fmt;
use std::io::{self, BufRead, Read as _};

use serde::Deserialize;
use uuid::Uuid;

use super::entry::{Entry, SCHEMA};
use super::words::printable;
use crate::flow::{Effect, Flow};

/// The longest line of a journal, in bytes; a longer one is not read into memory.
pub const MAX_LINE: usize = 4 << 20;

/// Reads a journal, entry by entry; of what cannot be read it says why, and goes on.
#[derive(Debug)]
#[must_use = "nothing is read before it is asked for an entry"]
pub struct Incident<R> {
    from: R,
    line: u64,
    of: Option<Uuid>,
    over: bool,
}

/// A place in a journal that tells of no decision, though it should.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {missing}")]
#[non_exhaustive]
pub struct Gap {
    /// Which line, counted from 1.
    pub line: u64,
    /// What is wrong there.
    pub missing: Missing,
}

/// Why a decision is missing from a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// The last line ends amid: its writer was killed, or the file was copied meanwhile.
    #[error("the entry is cut off")]
    Cut,
    /// The line is no entry.
    #[error("no entry: {}", printable(why))]
    Damaged {
        /// What was found.
        why: String,
    },
    /// The line is longer than [`MAX_LINE`].
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    /// The entry is of a newer form than this program knows.
    #[error("of schema {schema}, and the newest that is known here is {SCHEMA}")]
    Newer {
        /// Its form.
        schema: u16,
    },
    /// The writer had no room for so many entries, or could not write them.
    #[error("{entries} decisions were not recorded here")]
    Dropped {
        /// How many.
        entries: u64,
    },
    /// Nothing more can be read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
}

impl Gap {
    /// Whether reading again may give more: what was cut off may have been about to be written.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.missing, Missing::Cut | Missing::Unreadable(_))
    }
}

impl<R: BufRead> Incident<R> {
    /// Reads the journal `from` its beginning.
    pub const fn read(from: R) -> Self {
        Self {
            from,
            line: 0,
            of: None,
            over: false,
        }
    }

    /// Reads what it tells of this node, and every gap.
    pub const fn of(mut self, node: Uuid) -> Self {
        self.of = Some(node);
        self
    }

    /// The next line that is not empty, and whether it is whole.
    fn next_line(&mut self) -> Option<Result<(Vec<u8>, bool), Missing>> {
        loop {
            let mut bytes = Vec::new();
            let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
            let read = (&mut self.from).take(most).read_until(b'\n', &mut bytes);
            match read {
                Ok(0) => return None,
                Ok(_) => self.line += 1,
                Err(error) => {
                    self.over = true;
                    return Some(Err(Missing::Unreadable(error)));
                }
            }
            let whole = bytes.ends_with(b"\n");
            if !whole && bytes.len() >= MAX_LINE {
                let skipped = skip_line(&mut self.from);
                self.over = skipped.is_err();
                return Some(Err(Missing::TooLong));
            }
            if !bytes.trim_ascii().is_empty() {
                return Some(Ok((bytes, whole)));
            }
        }
    }
}

impl<R: BufRead> Iterator for Incident<R> {
    type Item = Result<Entry, Gap>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            let parsed = match self.next_line()? {
                Ok((bytes, whole)) => match parse(&bytes, self.of) {
                    Err(Missing::Damaged { .. }) if !whole => Err(Missing::Cut),
                    parsed => parsed,
                },
                Err(missing) => Err(missing),
            };
            let line = self.line;
            match parsed {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(*entry)),
                Err(missing) => return Some(Err(Gap { line, missing })),
            }
        }
        None
    }
}

/// What every line has.
#[derive(Deserialize)]
struct Head {
    schema: u16,
    #[serde(default)]
    dropped: Option<u64>,
    #[serde(default)]
    node: Option<Uuid>,
}

/// An entry; none when it is of another node than the one that is asked for.
fn parse(bytes: &[u8], of: Option<Uuid>) -> Result<Option<Box<Entry>>, Missing> {
    let damaged = |why: &dyn fmt::Display| Missing::Damaged {
        why: why.to_string(),
    };
    if of.is_some() {
        let head: Head = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        if head.node.is_some() && head.node != of {
            return Ok(None);
        }
    }
    let entry: Box<Entry> = match serde_json::from_slice(bytes) {
        Ok(entry) => entry,
        Err(error) => {
            // It may be no entry, or one that only a newer program can read.
            let head = serde_json::from_slice::<Head>(bytes);
            return Err(match head.map(|head| (head.schema, head.dropped)) {
                Ok((schema, _)) if schema > SCHEMA => Missing::Newer { schema },
                Ok((_, Some(entries))) => Missing::Dropped { entries },
                _ => damaged(&error),
            });
        }
    };
    let schema = entry.schema;
    if schema > SCHEMA {
        return Err(Missing::Newer { schema });
    }
    if is_countable(&entry) {
        Ok(Some(entry))
    } else {
        Err(damaged(&"a number in it is higher than anything counts"))
    }
}

/// Whether there is room above every number that deciding counts up.
fn is_countable(entry: &Entry) -> bool {
    const MOST: u64 = u64::MAX / 2;
    const FEW: u32 = u32::MAX / 2;
    let flow_counts = |flow: &Flow| {
        let pending = flow.pending.iter();
        flow.generation < MOST
            && flow.next_seq < MOST
            && flow.cursor < FEW
            && pending.map(|p| (p.attempt, &p.effect)).all(|(n, effect)| {
                let index = match effect {
                    Effect::RunStep { index } | Effect::CheckStep { index } => *index,
                    _ => 0,
                };
                n < FEW && index < FEW
            })
    };
    entry.saw.node.generation < MOST && entry.saw.flow.as_ref().is_none_or(flow_counts)
}

/// Passes over the rest of a line.
fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = from.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let passed = end.map_or(bytes.len(), |end| end + 1);
        let over = end.is_some() || passed == 0;
        from.consume(passed);
        if over {
            return Ok(());
        }
    }
}
