//! Steps: what they are, which apply, and in what order they run. Pure.

mod catalog;
mod plan;
mod step;

pub use catalog::StepCatalog;
pub use plan::StepPlan;
pub use step::{Impact, Replay, Step, StepDef, StepSource, UserStep};
