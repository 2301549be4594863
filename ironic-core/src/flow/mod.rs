//! What is going on with a node, as a record: written together with the node, read after a crash.

mod blocked;
mod cleaning;
mod effect;
mod record;

pub use blocked::{Blocked, BlockedReason};
pub use cleaning::CleaningSteps;
pub use effect::{Effect, PendingEffect, Progress, Resume, StepProgress, Wait, Waiting};
pub use record::Flow;
