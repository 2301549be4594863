//! What is going on with a node, as a record: written together with the node, read after a crash.

mod blocked;
mod cleaning;
mod effect;
mod forecast;
mod record;

pub use blocked::{Blocked, BlockedReason};
pub use cleaning::CleaningSteps;
pub use effect::{Effect, PendingEffect, Progress, Resume, StepProgress, Wait, Waiting};
pub use forecast::{Deed, Forecast, Outlook, Part};
pub use record::Flow;
