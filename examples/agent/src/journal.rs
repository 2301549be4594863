//! What one agent did, kept for the conductor to collect.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use ironic_core::Clock;

/// Lines that are kept.
const LINES: usize = 10_000;
/// Longest line, in characters.
const LINE: usize = 1000;

/// The last lines that the agent wrote; each also goes to `tracing`.
#[derive(Debug)]
pub(crate) struct Journal {
    clock: Arc<dyn Clock>,
    lines: Mutex<VecDeque<String>>,
}

impl Journal {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            lines: Mutex::default(),
        }
    }

    /// Something went as it should.
    pub(crate) fn info(&self, text: &str) {
        tracing::info!("{text}");
        self.keep("INFO", text);
    }

    /// Something did not.
    pub(crate) fn warn(&self, text: &str) {
        tracing::warn!("{text}");
        self.keep("WARN", text);
    }

    fn keep(&self, level: &str, text: &str) {
        let text: String = text
            .chars()
            .take(LINE)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let line = format!("{} {level} {text}\n", self.clock.now());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// All lines as one text.
    pub(crate) fn text(&self) -> String {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(String::as_str)
            .collect()
    }
}
