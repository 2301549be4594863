//! Taking a recorded decision again, with the engine of today.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::differ::differences;
use super::entry::{Entry, Verdict, shown};
use super::words::printable;
use crate::engine::{Catalogs, View, decide};
use crate::model::Node;
use crate::states::FlowKind;
use crate::steps::StepCatalog;

/// What came of deciding again.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Redecided {
    /// The same.
    Same,
    /// Something else.
    Different(Vec<Difference>),
}

/// Where a decision that was taken again differs from the recorded one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// Where in the verdict: `flow.cursor`, `changed.last_error`.
    pub path: String,
    /// What was decided then, if anything was.
    pub then: Option<Value>,
    /// What is decided now, if anything is.
    pub now: Option<Value>,
}

impl Redecided {
    /// Whether it is the same.
    pub const fn is_same(&self) -> bool {
        matches!(self, Self::Same)
    }

    /// Where it differs.
    pub fn differences(&self) -> &[Difference] {
        match self {
            Self::Same => &[],
            Self::Different(differences) => differences,
        }
    }
}

impl fmt::Display for Redecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("decided the same again"),
            Self::Different(differences) => {
                f.write_str("decided otherwise now:")?;
                differences
                    .iter()
                    .try_for_each(|difference| write!(f, "\n  {difference}"))
            }
        }
    }
}

impl fmt::Display for Difference {
    /// On one line, without what a terminal would obey.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        let (then, now) = (said(&self.then), said(&self.now));
        f.write_str(&printable(&format!(
            "{}: then {then}, now {now}",
            self.path
        )))
    }
}

impl Entry {
    /// Decides again on what was seen then, at the time of then, by the policy of then.
    pub fn redecide(&self) -> Redecided {
        let left = Mutex::new(self.saw.steps.clone());
        let unknown = Mutex::new(Vec::new());
        let catalogs = |_: &Node, kind: FlowKind| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = left.iter().position(|catalog| catalog.flow() == kind) {
                return left.remove(at);
            }
            let mut unknown = unknown.lock().unwrap_or_else(PoisonError::into_inner);
            unknown.push(kind);
            let mut asked = self.saw.steps.iter().rev();
            let last = asked.find(|catalog| catalog.flow() == kind).cloned();
            last.unwrap_or_else(|| StepCatalog::new(kind, Vec::new()))
        };
        let view = View::new(
            &self.saw.node,
            self.saw.flow.as_ref(),
            &self.saw.interfaces,
            Catalogs::new(&catalogs),
        );
        let decided = decide(&view, &self.input, &self.saw.policy, self.at);
        let before = shown(&self.saw.node);
        let now = before.and_then(|before| Verdict::of(&before, &decided));
        if now.as_ref().is_ok_and(|now| *now == self.verdict) {
            return Redecided::Same;
        }
        // As it reads from a journal: some of what is written as null reads as nothing.
        let now = now.and_then(serde_json::to_value);
        let now = now.and_then(serde_json::from_value::<Verdict>);
        let now = now.and_then(serde_json::to_value);
        let then = serde_json::to_value(&self.verdict);
        // What was read from JSON can be told as JSON.
        let (then, now) = (then.unwrap_or_default(), now.unwrap_or_default());
        let mut found: Vec<_> = differences(&then, &now)
            .into_iter()
            .map(|(path, then, now)| Difference { path, then, now })
            .collect();
        if !found.is_empty() {
            let unknown = unknown.into_inner().unwrap_or_else(PoisonError::into_inner);
            found.extend(unknown.into_iter().map(|kind| Difference {
                path: format!("(the steps of {kind} were asked for)"),
                then: Some(false.into()),
                now: Some(true.into()),
            }));
        }
        if found.is_empty() {
            Redecided::Same
        } else {
            Redecided::Different(found)
        }
    }
}
