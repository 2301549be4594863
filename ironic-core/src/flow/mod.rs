//! What is going on with a node, as a record: written together with the node, read after a crash.
//!
//! [Crash and replay](crate::guide::crash_and_replay) says what each part of it is for.

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
