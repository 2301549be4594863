use std::time::Duration;

use super::books::Books;
use super::invariants::Invariant;
use super::journal::Journal;
use super::report::Violation;

/// After so many violations there is nothing further to learn.
const ENOUGH: usize = 20;

/// What changes.
pub(super) struct Ledger {
    pub(super) books: Books,
    pub(super) journal: Journal,
    pub(super) invariants: Vec<Box<dyn Invariant>>,
    pub(super) wrong: Vec<Violation>,
    pub(super) commands: u64,
    pub(super) requests: u64,
}

impl Ledger {
    /// Asks each invariant; what does not hold is written down.
    pub(super) fn judge(
        &mut self,
        at: Duration,
        mut ask: impl FnMut(&mut dyn Invariant, &Books) -> Result<(), String>,
    ) {
        let mut wrong = Vec::new();
        for invariant in &mut self.invariants {
            if let Err(text) = ask(invariant.as_mut(), &self.books) {
                wrong.push((invariant.name(), text));
            }
        }
        for (name, text) in wrong {
            self.accuse(at, name, text);
        }
    }

    /// Something is wrong.
    pub(super) fn accuse(&mut self, at: Duration, what: &'static str, text: String) {
        if self.journal.traced().is_some() {
            self.journal.line(at, &format!("WRONG: {what}: {text}"));
        }
        if self.wrong.len() < ENOUGH {
            self.wrong.push(Violation::new(at, what, text));
        }
    }
}
