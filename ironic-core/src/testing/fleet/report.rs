use std::fmt;
use std::time::Duration;

/// How far a simulation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetProgress {
    /// What goes on.
    pub phase: &'static str,
    /// Simulated time since the beginning.
    pub time: Duration,
    /// How far the phase is, and of how much.
    pub done: usize,
    /// See `done`.
    pub of: usize,
}

/// Something that should not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// When it was seen, in simulated time.
    pub at: Duration,
    /// What must hold, and did not.
    pub invariant: &'static str,
    /// Who did what.
    pub text: String,
}

impl Violation {
    pub(super) fn new(at: Duration, invariant: &'static str, text: String) -> Self {
        Self {
            at,
            invariant,
            text,
        }
    }

    /// The number of the node that it is about, if it is about one.
    pub fn node(&self) -> Option<usize> {
        let (_, rest) = self.text.split_once("node-")?;
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.as_secs_f64();
        write!(f, "{at:.3} s: {}: {}", self.invariant, self.text)
    }
}

/// What came of a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetReport {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them rest at the end.
    pub settled: usize,
    /// How many of them are active at the end.
    pub active: usize,
    /// What should not have been, in the order in which it was seen; empty when all went well.
    pub violations: Vec<Violation>,
    /// SHA-256, in hexadecimal, of every committed record and every event, in order.
    pub digest: String,
    /// The story of the node that was asked for.
    pub story: Vec<String>,
    /// How many batches were committed.
    pub commits: u64,
    /// How many events were told of.
    pub events: u64,
    /// How many requests were sent.
    pub requests: u64,
    /// How many commands machines got.
    pub commands: u64,
    /// How often a conductor died.
    pub deaths: u64,
    /// Simulated time.
    pub time: Duration,
}

impl FleetReport {
    /// Whether nothing went wrong, and every node came to rest.
    pub fn is_well(&self) -> bool {
        self.violations.is_empty() && self.settled == self.nodes
    }
}
