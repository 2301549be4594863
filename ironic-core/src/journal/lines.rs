use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{Entry, Journal, MAX_LINE, SCHEMA};

/// How many entries wait to be written before others are dropped; each is some 10 KB.
const QUEUE: usize = 1024;

/// A journal of one JSON object a line, written by a thread of its own.
///
/// Entries that find no room in the queue, are longer than [`MAX_LINE`] or cannot be written are
/// dropped and counted; a line of the journal says how many are missing at its place. A writer
/// that fails is tried again with the next entry, on a line of its own.
#[derive(Debug)]
pub struct JsonLines {
    queue: mpsc::Sender<Item>,
    dropped: Arc<Dropped>,
}

#[derive(Debug)]
enum Item {
    Entry(Box<Entry>),
    Flush(oneshot::Sender<()>),
}

#[derive(Debug, Default)]
struct Dropped {
    /// All of them.
    all: AtomicU64,
    /// Those that the journal does not tell of yet.
    untold: AtomicU64,
}

impl Dropped {
    fn add(&self, entries: u64) {
        self.all.fetch_add(entries, Ordering::Relaxed);
        self.untold.fetch_add(entries, Ordering::Relaxed);
    }
}

impl JsonLines {
    /// A journal that is written to `writer`: a file that the host has opened for appending, a
    /// pipe. What is written is flushed whenever nothing more waits.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn to(writer: impl Write + Send + 'static) -> io::Result<Self> {
        Self::with_capacity(writer, QUEUE)
    }

    /// The same, with room for so many entries (at least one) that wait to be written.
    ///
    /// # Errors
    /// As [`JsonLines::to`].
    pub fn with_capacity(writer: impl Write + Send + 'static, entries: usize) -> io::Result<Self> {
        let (queue, items) = mpsc::channel(entries.max(1));
        let dropped = Arc::<Dropped>::default();
        let scribe = Scribe {
            writer,
            dropped: Arc::clone(&dropped),
            amid: false,
            failing: false,
        };
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || scribe.write_all(items))?;
        Ok(Self { queue, dropped })
    }

    /// Waits until everything is written that has been recorded so far, or has failed to be.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Item::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }

    /// How many entries are missing.
    pub fn dropped(&self) -> u64 {
        self.dropped.all.load(Ordering::Relaxed)
    }
}

impl Journal for JsonLines {
    fn record(&self, entry: Box<Entry>) {
        if self.queue.try_send(Item::Entry(entry)).is_err() {
            self.dropped.add(1);
        }
    }
}

/// What the thread works with.
struct Scribe<W> {
    writer: W,
    dropped: Arc<Dropped>,
    /// Whether the last line may have been written in part.
    amid: bool,
    /// Whether the last write failed: said once.
    failing: bool,
}

impl<W: Write> Scribe<W> {
    fn write_all(mut self, mut items: mpsc::Receiver<Item>) {
        while let Some(item) = items.blocking_recv() {
            self.tell_dropped();
            match item {
                Item::Entry(entry) => self.write_entry(&entry),
                Item::Flush(done) => {
                    self.flush();
                    let _ = done.send(());
                    continue;
                }
            }
            if items.is_empty() {
                self.flush();
            }
        }
        self.tell_dropped();
        self.flush();
    }

    fn write_entry(&mut self, entry: &Entry) {
        let line = serde_json::to_vec(entry);
        let written = match line {
            Ok(line) if line.len() < MAX_LINE => self.line(line),
            Ok(line) => {
                let bytes = line.len();
                tracing::warn!(node = %entry.node, bytes, "a decision is too long for the journal");
                false
            }
            Err(_) => false,
        };
        if !written {
            self.dropped.add(1);
        }
    }

    /// Says how many entries are missing, where some are.
    fn tell_dropped(&mut self) {
        let untold = self.dropped.untold.swap(0, Ordering::Relaxed);
        if untold == 0 {
            return;
        }
        let line = json!({"schema": SCHEMA, "dropped": untold}).to_string();
        if !self.line(line.into_bytes()) {
            self.dropped.untold.fetch_add(untold, Ordering::Relaxed);
        }
    }

    fn line(&mut self, mut line: Vec<u8>) -> bool {
        line.push(b'\n');
        let whole = if self.amid {
            self.writer.write_all(b"\n")
        } else {
            Ok(())
        };
        let written = whole.and_then(|()| self.writer.write_all(&line));
        self.amid = written.is_err();
        self.note(written)
    }

    fn flush(&mut self) {
        let flushed = self.writer.flush();
        self.note(flushed);
    }

    /// Whether it went well; a run of failures is logged once.
    fn note(&mut self, done: io::Result<()>) -> bool {
        match done {
            Ok(()) => self.failing = false,
            Err(ref error) if !self.failing => {
                tracing::warn!(%error, "the journal cannot be written");
                self.failing = true;
            }
            Err(_) => {}
        }
        done.is_ok()
    }
}
