use std::time::Duration;

use super::Bug;

/// What is simulated. Everything that happens follows from it, to the last byte.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct FleetSettings {
    /// Where chance begins.
    pub seed: u64,
    /// How many machines there are. Default 200.
    pub nodes: usize,
    /// How many conductors look after them, from 1. Default 5.
    pub conductors: usize,
    /// How long, in simulated time, operators ask for anything and everything fails that can.
    /// Default 450 s.
    pub storm: Duration,
    /// How long, in simulated time, the fleet then has to come to rest. Default 1 h.
    pub patience: Duration,
    /// Whether anything fails at all. Default: true.
    pub faults: bool,
    /// Whether every node is to be brought to `active`, once the fleet has come to rest: what has
    /// happened has spoilt none for good. Default: under every fourth seed.
    pub to_active: bool,
    /// A defect that is put back. Default: none.
    pub bug: Option<Bug>,
    /// The number of the node whose story is told. Default: none.
    pub trace: Option<usize>,
}

impl FleetSettings {
    /// The default fleet under this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            nodes: 200,
            conductors: 5,
            storm: Duration::from_secs(450),
            patience: Duration::from_secs(3600),
            faults: true,
            to_active: seed.is_multiple_of(4),
            bug: None,
            trace: None,
        }
    }

    /// When, in simulated time, all patience is over.
    pub(super) fn end(&self) -> Duration {
        self.storm + self.patience
    }

    /// The same with so many machines.
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// The same with so many conductors; one at least.
    pub fn conductors(mut self, conductors: usize) -> Self {
        self.conductors = conductors.max(1);
        self
    }

    /// The same with this defect put back.
    pub fn bug(mut self, bug: Option<Bug>) -> Self {
        self.bug = bug;
        self
    }

    /// The same, telling the story of the node of this number.
    pub fn trace(mut self, node: Option<usize>) -> Self {
        self.trace = node;
        self
    }
}
