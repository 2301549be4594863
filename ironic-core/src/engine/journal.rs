//! What of steps goes into a node's history: with which a flow begins, and how it ends.

use serde_json::Value;

use super::Draft;
use crate::flow::Flow;
use crate::model::Severity;
use crate::secret::{MASK, masked};
use crate::states::{FlowKind, ProvisionState};

/// What these entries have as their code.
const CODE: &str = "steps";

/// A flow of steps begins; one that has none leaves no entry.
pub(super) fn begun(draft: &mut Draft<'_>) {
    let Some((name, steps)) = told(draft) else {
        return;
    };
    let text = format!("{} begins with the steps {steps}", readable(name));
    draft.chronicle(Severity::Info, &format!("{name}_start"), CODE, text);
}

/// A flow of steps has come to its end: before its last step, or after it.
pub(super) fn ended(draft: &mut Draft<'_>, failed: bool) {
    let Some((name, steps)) = told(draft) else {
        return;
    };
    let at = draft.flow.as_ref().filter(|_| failed);
    let at = at.and_then(|flow| flow.plan.get(flow.cursor));
    let name_end = format!("{name}_end");
    let name = readable(name);
    match (failed, at) {
        (false, _) => {
            let text = format!("{name} has run the steps {steps}");
            draft.chronicle(Severity::Info, &name_end, CODE, text);
        }
        (true, at) => {
            let at = at.map_or_else(|| "after the last".to_owned(), |step| format!("at {step}"));
            let text = format!("{name} has ended {at} of the steps {steps}");
            draft.chronicle(Severity::Error, &name_end, CODE, text);
        }
    }
}

/// The name that the original has for the flow, and its steps, where it is told of.
fn told(draft: &Draft<'_>) -> Option<(&'static str, String)> {
    let flow = draft.flow.as_ref()?;
    if !draft.policy.record_step_flows_in_history || flow.plan.is_empty() {
        return None;
    }
    let manual = draft.node.target_provision_state == Some(ProvisionState::Manageable);
    let name = match flow.kind {
        FlowKind::Clean if manual => "manual_cleaning",
        FlowKind::Clean => "automated_cleaning",
        FlowKind::Deploy => "deployment",
        FlowKind::Service => "servicing",
        _ => return None,
    };
    Some((name, steps(flow)))
}

fn readable(name: &str) -> String {
    name.replace('_', " ")
}

/// The steps with their arguments, of which secrets are masked.
fn steps(flow: &Flow) -> String {
    let shown = flow.plan.steps().iter().map(|step| {
        if step.args.is_empty() {
            return step.to_string();
        }
        let args = Value::Object(masked(&step.args, MASK));
        format!("{step} {args}")
    });
    shown.collect::<Vec<_>>().join(", ")
}
