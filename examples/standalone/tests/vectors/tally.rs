//! Reading the cases, and counting what became of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn copies() -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../ironic-core/tests/vectors/"
    ))
    .to_owned()
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The cases from the folder that `IRONIC_VECTORS` names, else the copy.
#[allow(clippy::disallowed_methods, reason = "the test's own switch")]
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var("IRONIC_VECTORS").map_or_else(|_| copies(), PathBuf::from);
    read(&folder.join(file))["cases"]
        .as_array()
        .unwrap()
        .clone()
}

/// What became of a case: `None` where it is about something that there is not yet.
pub(crate) type Outcome = Option<Result<(), String>>;

/// What became of the cases of a file.
pub(crate) struct Tally {
    file: &'static str,
    passed: usize,
    misses: Vec<String>,
    skipped: BTreeSet<String>,
}

impl Tally {
    pub(crate) fn new(file: &'static str) -> Self {
        Self {
            file,
            passed: 0,
            misses: Vec::new(),
            skipped: BTreeSet::new(),
        }
    }

    /// Counts a case; `what` names what is skipped with it.
    pub(crate) fn count(&mut self, case: &Value, what: &str, outcome: Outcome) {
        match outcome {
            Some(Ok(())) => self.passed += 1,
            Some(Err(miss)) => self.misses.push(format!("{} {what}: {miss}", case["id"])),
            None => {
                self.skipped.insert(what.to_owned());
            }
        }
    }

    /// Prints the tally and fails on any miss.
    pub(crate) fn end(self) {
        for what in &self.skipped {
            println!("skipped: {} {what}", self.file);
        }
        let all = self.passed + self.misses.len();
        println!("{}: {} of {all} cases", self.file, self.passed);
        assert!(self.passed > 0, "{}: no case was run", self.file);
        let shown: Vec<_> = self.misses.iter().take(60).cloned().collect();
        assert!(
            self.misses.is_empty(),
            "{}: {} misses\n{}",
            self.file,
            self.misses.len(),
            shown.join("\n")
        );
    }
}
