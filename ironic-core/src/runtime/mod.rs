//! Time and chance, injected: nothing else in the engine asks the machine for either.

mod clock;
mod entropy;
mod timestamp;

pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, OsEntropy, SeededEntropy};
pub use timestamp::{InvalidTimestamp, Timestamp};
