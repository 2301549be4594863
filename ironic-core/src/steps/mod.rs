//! Steps: what they are, which apply, and in what order they run. Pure.

mod catalog;
mod check;
mod name;
mod overrides;
mod plan;
mod reserved;
mod runbook;
mod step;
mod template;
mod user;

#[cfg(test)]
mod properties;

pub use catalog::StepCatalog;
pub use name::StepName;
pub use overrides::PriorityOverrides;
pub use plan::StepPlan;
pub use reserved::ReservedStep;
pub use runbook::{Runbook, RunbookStep};
pub use step::{Impact, Replay, Step, StepDef, StepSource};
pub use template::DeployTemplate;
pub use user::UserStep;
