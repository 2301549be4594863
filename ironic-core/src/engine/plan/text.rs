//! The text of a plan.

use std::fmt;
use std::time::Duration;

use super::{Plan, PlanItem, PlanProblem, Summary};

impl fmt::Display for PlanItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { state } => write!(f, "→ {state}"),
            Self::Effect { flow, name } => write!(f, "  {name} ({flow})"),
            Self::Step {
                step,
                priority,
                source,
                impact,
            } => {
                write!(f, "  step {step}, priority {priority}, by the {source}")?;
                if impact.erases_data {
                    f.write_str(", erases data")?;
                }
                if impact.power_cycles {
                    f.write_str(", power cycles")?;
                }
                Ok(())
            }
            Self::AgentSteps { known_since: None } => {
                f.write_str("  the agent says which further steps it has (it was never asked)")
            }
            Self::AgentSteps {
                known_since: Some(since),
            } => write!(
                f,
                "  the agent says which further steps it has (last asked {since})"
            ),
            Self::Deed { what } => write!(f, "    {what}"),
            Self::Wait { on, within: None } => write!(f, "    {on}"),
            Self::Wait {
                on,
                within: Some(seconds),
            } => write!(f, "    {on} (at most {})", Span(*seconds)),
        }
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interface {
            Some(interface) => write!(f, "refused: {interface}: {}", self.message),
            None => write!(f, "refused: {}", self.message),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        for item in &self.items {
            writeln!(f, "{item}")?;
        }
        writeln!(f, "{}", self.summary())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |n: u32, one: &str| match n {
            1 => format!("1 {one}"),
            n => format!("{n} {one}s"),
        };
        let cycles = many(self.power_cycles, "power cycle");
        let moves = many(self.network_moves, "network move");
        write!(f, "in all: {cycles}, {moves}, ")?;
        if self.erases_data.is_empty() {
            f.write_str("no data lost by a known step")?;
        } else {
            write!(f, "data lost by {}", self.erases_data.join(", "))?;
        }
        write!(f, ", waits of at most {}", Span(self.waits.as_secs()))?;
        match self.endless_waits {
            0 => Ok(()),
            n => write!(f, " and {} without an end", many(n, "wait")),
        }
    }
}

/// A time in seconds, in the largest unit that it is whole in.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::from_secs(self.0).as_secs();
        match seconds {
            0 => f.write_str("0 s"),
            s if s % 3600 == 0 => write!(f, "{} h", s / 3600),
            s if s % 60 == 0 => write!(f, "{} min", s / 60),
            s => write!(f, "{s} s"),
        }
    }
}
