use super::FakeOperation;
use crate::Error;
use crate::states::FlowKind;
use crate::steps::{Step, StepDef};

/// The operation that a step is, if it is one of those offered.
///
/// # Errors
/// [`Error::Unsupported`] for any other.
pub(super) fn operation(
    offered: &[StepDef],
    flow: FlowKind,
    step: &Step,
) -> Result<FakeOperation, Error> {
    let known = offered.iter().any(|def| def.step == step.step);
    let named = known.then(|| step.to_string().parse().ok()).flatten();
    named.ok_or_else(|| Error::Unsupported {
        driver: "fake".to_owned(),
        extension: format!("{flow} step {step}"),
    })
}
