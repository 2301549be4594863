//! Entries in words.

use std::time::Duration;

use super::entry::{Entry, Verdict};
use crate::engine::{Input, Outcome};
use crate::flow::{Blocked, Effect, Flow, StepProgress};
use crate::model::Severity;
use crate::runtime::Timestamp;
use crate::states::{PowerTarget, Verb};
use crate::steps::{Replay, Step, UserStep};

impl Entry {
    /// What the decision answers, in words, without what a terminal would obey.
    pub fn question(&self) -> String {
        printable(&self.asked())
    }

    fn asked(&self) -> String {
        match &self.input {
            Input::Verb {
                verb, steps, user, ..
            } => asked(user.as_deref(), word(*verb)) + &listed(steps),
            Input::Power { target, user, .. } => asked(user.as_deref(), power(*target)),
            Input::Outcome { seq, outcome, .. } => self.outcome(*seq, outcome),
            Input::Continue { kind } => format!("told to go on with {kind}"),
            Input::Heartbeat => "the agent calls".to_owned(),
            Input::Inspected => "the agent has inspected".to_owned(),
            Input::Due { .. } => self.due(),
            Input::Recover => "found as its conductor left it".to_owned(),
        }
    }

    fn outcome(&self, seq: u64, outcome: &Outcome) -> String {
        let flow = self.saw.flow.as_ref();
        let what = flow
            .and_then(|flow| Some(effect_of(flow, &flow.pending(seq)?.effect)))
            .unwrap_or_else(|| format!("effect #{seq}"));
        let came = match outcome {
            Outcome::Done => "done",
            Outcome::Wait(_) => "has begun",
            Outcome::Failed { .. } => "failed",
            Outcome::Progress(progress) => match progress {
                StepProgress::NotStarted => "has not begun",
                StepProgress::Running { .. } => "runs",
                StepProgress::Done => "is done",
                StepProgress::Failed { .. } => "has failed",
                StepProgress::Unknown => "nobody knows",
            },
        };
        format!("{what}: {came}")
    }

    fn due(&self) -> String {
        let flow = self.saw.flow.as_ref();
        let deadline = flow.and_then(|flow| flow.deadline);
        if deadline.is_some_and(|deadline| deadline <= self.at) {
            "its time is up".to_owned()
        } else {
            "time to look again".to_owned()
        }
    }

    /// What came of it besides the state, in words, a line each, without what a terminal would obey.
    pub fn details(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.verdict {
            Verdict::Decided(_) => self.consequences(&mut lines),
            Verdict::Refused(error) => lines.push(format!("refused: {}", error.message)),
            Verdict::Stale => lines.push("too late: what it belongs to is over".to_owned()),
            Verdict::Nothing => lines.push("nothing to decide".to_owned()),
        }
        if let Some(error) = &self.unwritten {
            lines.push(format!("perhaps not written: {error}"));
        }
        lines.iter().map(|line| printable(line)).collect()
    }

    fn consequences(&self, lines: &mut Vec<String>) {
        let Some(decided) = self.decided() else {
            return;
        };
        let error: Option<String> = self.changed("last_error");
        lines.extend(error.iter().map(|error| format!("error: {error}")));
        if self.changed("maintenance") == Some(true) {
            lines.push("the node is put into maintenance".to_owned());
        }
        if let Some(power) = self.changed::<String>("power_state") {
            lines.push(format!("the machine is {power} now"));
        }
        for told in &decided.history {
            let said = error.as_ref() == Some(&told.event) || told.severity == Severity::Error;
            if !said {
                lines.push(told.event.clone());
            }
        }
        let Some(flow) = &decided.flow else {
            if self.saw.flow.is_some() {
                lines.push("at rest".to_owned());
            }
            return;
        };
        for (seq, effect) in &decided.effects {
            let replay = flow.pending(*seq).map(|pending| pending.replay);
            let what = effect_of(flow, effect);
            lines.push(format!("next: {what} (#{seq}, {})", contract(replay)));
        }
        if decided.effects.is_empty() {
            lines.extend(flow.blocked.iter().map(|blocked| wait(blocked, self.at)));
        }
    }
}

/// An effect, with its step where it has one.
fn effect_of(flow: &Flow, effect: &Effect) -> String {
    let step = |index: u32| {
        let step = flow.plan.get(index).map(Step::to_string);
        let step = step.unwrap_or_else(|| "that is not in the plan".to_owned());
        format!(
            "step {step} ({} of {})",
            index.saturating_add(1),
            flow.plan.len()
        )
    };
    match effect {
        Effect::RunStep { index } => step(*index),
        Effect::CheckStep { index } => format!("ask about {}", step(*index)),
        Effect::SetPower { target, .. } => power(*target).to_owned(),
        other => other.name().to_owned(),
    }
}

fn asked(user: Option<&str>, what: &str) -> String {
    match user {
        Some(user) => format!("{user} asked: {what}"),
        None => format!("asked: {what}"),
    }
}

/// What people call a verb.
const fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Deploy => "deploy",
        Verb::Undeploy => "undeploy",
        other => other.as_str(),
    }
}

const fn power(target: PowerTarget) -> &'static str {
    match target {
        PowerTarget::On => "power on",
        PowerTarget::Off => "power off",
        PowerTarget::Reboot => "reboot",
        PowerTarget::SoftOff => "soft power off",
        PowerTarget::SoftReboot => "soft reboot",
    }
}

/// What may be done with an effect after a crash.
const fn contract(replay: Option<Replay>) -> &'static str {
    match replay {
        Some(Replay::Idempotent) => "may run again",
        Some(Replay::Probe) => "is asked about after a crash",
        Some(Replay::Never) => "never twice",
        None => "not recorded",
    }
}

/// What a flow waits for, and until when, counted from `now`.
fn wait(blocked: &Blocked, now: Timestamp) -> String {
    let mut text = blocked.reason.to_string();
    for (what, at) in [
        ("looks again", blocked.next_attempt),
        ("gives up", blocked.until),
    ] {
        if let Some(at) = at {
            text.push_str(&format!("; {what} after {}", clock(at.since(now))));
        }
    }
    text.push_str(&format!("; {}", blocked.unblock));
    text
}

fn listed(steps: &[UserStep]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let names: Vec<_> = steps.iter().map(|step| step.name().to_string()).collect();
    format!(" ({})", names.join(", "))
}

/// A time span as hours, minutes, seconds and milliseconds.
pub(super) fn clock(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours}:{minutes:02}:{rest:02}.{:03}", span.subsec_millis())
}

/// The same text on one line, without what a terminal would obey: what machines and callers say
/// stands in a journal as it is. Control characters, and marks that turn the direction of writing
/// (Unicode Standard Annex #9 §2), read as blanks.
pub(super) fn printable(text: &str) -> String {
    let obeyed = |c: char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || c.is_control()
    };
    let shown = |c: char| if obeyed(c) { ' ' } else { c };
    text.chars().map(shown).collect()
}
