//! A whole fleet from one seed: machines, agents, operators and conductors in one thread and in
//! virtual time, with a store and a wire that fail, and with somebody who watches every commit,
//! every command and every word.
//!
//! What may happen is in `weather`; what must hold is in `invariants`, one file each; `bug` lists
//! what is put back on purpose, to see that it is found.
//! # With a host's own store and drivers
//!
//! [`run_fleet_of`] simulates with what a [`FleetHost`] brings along. Its store lies behind the
//! failures: calls of it get lost, are late and fail before they reach it or after, and conductors
//! die around them, so that what is found is what the engine makes of such a store. Its drivers
//! stand beside those of the simulated machines, which keep power, deployment, inspection and
//! rescue; networks are connected and boot is prepared for each ramdisk that boots, so these
//! interfaces see every order of events that a fleet comes to.
//!
//! Two rules keep one seed one story: all waiting is on tokio's clock, and all chance comes from
//! the seed.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use ironic_core::MemoryStore;
//! use ironic_core::driver::noop::NoopNetwork;
//! use ironic_core::states::InterfaceKind::Network;
//! use ironic_core::testing::{FleetHost, FleetSettings, run_fleet_of};
//!
//! let host = FleetHost::default()
//!     .store(Arc::new(MemoryStore::new()))
//!     .drivers(|builder| {
//!         builder
//!             .network("mine", Arc::new(NoopNetwork))
//!             .enable(Network, ["mine"])
//!             .default_interface(Network, "mine")
//!     });
//! let mut settings = FleetSettings::new(7).nodes(3).conductors(2);
//! settings.storm = Duration::from_secs(60);
//! let report = run_fleet_of(host, &settings, &mut |progress| {
//!     println!("{}: {} of {}", progress.phase, progress.done, progress.of);
//! })?;
//! assert!(report.is_well(), "{:?}", report.violations);
//! # Ok::<(), std::io::Error>(())
//! ```

mod agent;
mod books;
mod bug;
mod chance;
mod claimant;
mod crew;
mod driver;
mod ear;
mod host;
mod invariants;
mod journal;
mod ledger;
mod life;
mod log;
mod machine;
mod operator;
mod report;
mod run;
mod settings;
mod site;
mod store;
mod wall_clock;
mod weather;
mod wire;
mod world;

pub use bug::Bug;
pub use host::FleetHost;
pub use report::{FleetProgress, FleetReport, Violation};
pub use run::{run_fleet, run_fleet_of};
pub use settings::FleetSettings;
