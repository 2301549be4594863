//! A journal that takes every decision again, from what a reader of its file would see.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ironic_core::journal::{Entry, Incident, Journal};

/// Keeps what was decided otherwise.
#[derive(Debug, Default)]
pub(crate) struct CheckedJournal {
    entries: AtomicU64,
    differ: Mutex<Vec<String>>,
}

impl Journal for CheckedJournal {
    fn record(&self, entry: Box<Entry>) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        let line = serde_json::to_string(&entry).unwrap();
        let read = Incident::read(line.as_bytes()).next();
        let told = match read {
            Some(Ok(read)) if read == *entry => match read.redecide() {
                same if same.is_same() => return,
                differs => differs.to_string(),
            },
            other => format!("it is read as {other:?}"),
        };
        let told = format!("{}: {told}\n{line}", entry.question());
        self.differ.lock().unwrap().push(told);
    }
}

/// At its end the test fails if a decision was not taken the same again.
#[derive(Debug, Default)]
pub(crate) struct Checked(pub(crate) Arc<CheckedJournal>);

impl Drop for Checked {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let differ = self.0.differ.lock().unwrap();
            let entries = self.0.entries.load(Ordering::Relaxed);
            assert!(
                differ.is_empty(),
                "{} of {entries} decisions are taken otherwise from the journal: {}",
                differ.len(),
                differ.join("\n")
            );
        }
    }
}
