//! A whole fleet from one seed: machines, agents, operators and conductors in one thread and in
//! virtual time, with a store and a wire that fail, and with somebody who watches every commit,
//! every command and every word.
//!
//! What may happen is in `weather`; what must hold is in `invariants`, one file each.

mod agent;
mod books;
mod bug;
mod chance;
mod crew;
mod driver;
mod invariants;
mod journal;
mod life;
mod log;
mod machine;
mod operator;
mod run;
mod settings;
mod store;
mod weather;
mod wire;
mod world;

pub use bug::Bug;
pub use run::run_fleet;
pub use settings::{FleetProgress, FleetReport, FleetSettings};
