//! Why a rule lets somebody through, or does not.

use super::Rule;
use super::check::Check;
use super::judge::Question;

/// Whether a rule lets somebody through, and what decides that.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Whether it does.
    pub allowed: bool,
    /// Where it does, the checks that together are enough; else what of each way through fails.
    pub because: Vec<String>,
}

impl Explanation {
    pub(super) fn of(rule: &Rule, question: &Question<'_>) -> Self {
        if !rule.scope.holds(question.who) {
            return Self {
                allowed: false,
                because: vec![format!("it is for {} scope alone", rule.scope.name())],
            };
        }
        let allowed = question.holds(&rule.check);
        let mut because = Vec::new();
        decisive(&rule.check, question, &mut because);
        Self { allowed, because }
    }
}

/// The checks that make the whole what it is, each once.
fn decisive(check: &Check, question: &Question<'_>, into: &mut Vec<String>) {
    let holds = question.holds(check);
    let alike = |parts: &[Check]| -> Vec<Check> {
        let parts = parts.iter().filter(|part| question.holds(part) == holds);
        parts.cloned().collect()
    };
    match check {
        Check::All(parts) if holds => {
            for part in parts {
                decisive(part, question, into);
            }
        }
        Check::Any(parts) if !holds => {
            for part in parts {
                decisive(part, question, into);
            }
        }
        // The first one is enough.
        Check::All(parts) | Check::Any(parts) => {
            if let Some(part) = alike(parts).first() {
                decisive(part, question, into);
            }
        }
        Check::Not(inner) => decisive(inner, question, into),
        Check::Rule(name) => match question.rules.get(name) {
            Some(rule) => decisive(&rule.check, question, into),
            None => push(format!("rule:{name} is nowhere"), into),
        },
        Check::Always | Check::Never | Check::Role(_) | Check::Same(..) => {
            let word = if holds { "holds" } else { "does not hold" };
            push(format!("{check} {word}"), into);
        }
    }
}

fn push(line: String, into: &mut Vec<String>) {
    if !into.contains(&line) {
        into.push(line);
    }
}
