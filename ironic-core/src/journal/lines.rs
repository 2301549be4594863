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
/// dropped and counted; a line of the journal says how many are missing where it stands. A writer
/// that fails is tried again with the next entry, on a line of its own.
#[derive(Debug)]
pub struct JsonLines {
    queue: mpsc::Sender<Item>,
    dropped: Arc<Dropped>,
}

#[derive(Debug)]
enum Item {
    Entry {
        entry: Box<Entry>,
        /// How many had found no room when this one did.
        turned_away: u64,
    },
    Flush(oneshot::Sender<()>),
}

#[derive(Debug, Default)]
struct Dropped {
    /// Those that found no room in the queue.
    turned_away: AtomicU64,
    /// Those that could not be written.
    unwritten: AtomicU64,
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
            told: 0,
            lost: 0,
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
        let Dropped {
            turned_away,
            unwritten,
        } = &*self.dropped;
        turned_away.load(Ordering::Relaxed) + unwritten.load(Ordering::Relaxed)
    }
}

impl Journal for JsonLines {
    fn record(&self, entry: Box<Entry>) {
        let turned_away = self.dropped.turned_away.load(Ordering::Relaxed);
        let item = Item::Entry { entry, turned_away };
        if self.queue.try_send(item).is_err() {
            self.dropped.turned_away.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What the thread works with.
struct Scribe<W> {
    writer: W,
    dropped: Arc<Dropped>,
    /// Of how many that were turned away the journal tells.
    told: u64,
    /// How many could not be written of which it does not tell yet.
    lost: u64,
    /// Whether the last line may have been written in part.
    amid: bool,
    /// Whether the last write failed: said once.
    failing: bool,
}

impl<W: Write> Scribe<W> {
    fn write_all(mut self, mut items: mpsc::Receiver<Item>) {
        while let Some(item) = items.blocking_recv() {
            let flushed = match item {
                Item::Entry { entry, turned_away } => {
                    self.tell_dropped(turned_away);
                    self.write_entry(&entry);
                    None
                }
                Item::Flush(done) => Some(done),
            };
            // Whoever was turned away by now, was so before anything that may yet come.
            let turned_away = self.dropped.turned_away.load(Ordering::Relaxed);
            if items.is_empty() {
                self.tell_dropped(turned_away);
                self.flush();
            } else if flushed.is_some() {
                self.tell_dropped(self.told);
                self.flush();
            }
            if let Some(flushed) = flushed {
                let _ = flushed.send(());
            }
        }
        self.tell_dropped(self.dropped.turned_away.load(Ordering::Relaxed));
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
            self.lost += 1;
            self.dropped.unwritten.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says how many entries are missing here, where some are: those that could not be written,
    /// and of those that were turned away the first so many.
    fn tell_dropped(&mut self, turned_away: u64) {
        let untold = turned_away.saturating_sub(self.told) + self.lost;
        if untold == 0 {
            return;
        }
        let line = json!({"schema": SCHEMA, "dropped": untold}).to_string();
        if self.line(line.into_bytes()) {
            self.told = self.told.max(turned_away);
            self.lost = 0;
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
