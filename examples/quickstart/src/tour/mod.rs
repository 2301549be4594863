//! One machine through every verb that there is.

mod legs;

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use ironic_core::states::ProvisionState as State;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::operator::Operator;

/// The verbs, in the order of the tour.
const VERBS: [&str; 14] = [
    "enrol", "manage", "inspect", "clean", "provide", "active", "service", "rescue", "unrescue",
    "rebuild", "unhold", "abort", "adopt", "deleted",
];

/// A verb that went as it should.
struct Leg {
    verb: &'static str,
    /// The states that the node went through, from the one that it was in.
    states: Vec<String>,
    time: Duration,
}

/// An operator on the tour.
pub(crate) struct Tour {
    operator: Operator,
    node: String,
    legs: Vec<Leg>,
}

/// How a tour went.
pub(crate) struct Report {
    legs: Vec<Leg>,
    /// The verb at which it ended, and why.
    pub(crate) failure: Option<(&'static str, Failure)>,
}

impl Tour {
    pub(crate) fn new(operator: Operator) -> Self {
        Self {
            operator,
            node: String::new(),
            legs: Vec::new(),
        }
    }

    /// Goes all the way, or as far as it goes.
    pub(crate) async fn go(mut self) -> Report {
        let mut failure = None;
        for verb in VERBS {
            let (began, passed) = (Instant::now(), self.operator.passed.len());
            if let Err(error) = self.leg(verb).await {
                failure = Some((verb, error));
                break;
            }
            self.legs.push(Leg {
                verb,
                states: self.states_since(passed),
                time: began.elapsed(),
            });
        }
        Report {
            legs: self.legs,
            failure,
        }
    }

    /// The states that the node has gone through since it had gone through so many, with the one
    /// that it was in before, unless it is a new node.
    fn states_since(&self, passed: usize) -> Vec<String> {
        let all = &self.operator.passed;
        let is_new = all.get(passed).is_some_and(|at| at.to == State::Enroll);
        let from = if is_new {
            passed
        } else {
            passed.saturating_sub(1)
        };
        let states = all.iter().skip(from);
        states.map(|passed| passed.to.to_string()).collect()
    }
}

impl Report {
    /// A row per verb, and how many there were.
    pub(crate) fn render(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(["verb", "transitions", "seconds"]);
        for leg in &self.legs {
            let seconds = format!("{:.2}", leg.time.as_secs_f64());
            table.add_row([leg.verb.to_owned(), leg.states.join(" → "), seconds]);
        }
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let (done, all) = (self.legs.len(), VERBS.len());
        match &self.failure {
            Some((verb, why)) => format!("{table}\n{verb}: {why}\ntour: {done} of {all} verbs"),
            None => format!("{table}\ntour: {done} of {all} verbs"),
        }
    }
}
