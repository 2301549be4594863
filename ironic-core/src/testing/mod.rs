//! What tests of this engine and of its hosts are made of: conformance suites and wrappers that
//! fail on purpose. Not semver-stable.
//!
//! | | |
//! |---|---|
//! | contracts as tests | [`store_conformance!`](crate::store_conformance), [`transport_conformance!`](crate::transport_conformance), [`driver_conformance!`](crate::driver_conformance) |
//! | a store that fails when it is told to | [`FaultyStore`] |
//! | a whole fleet from one seed | [`run_fleet`]; [Simulation](crate::guide::simulation) is its page |

#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a failing test panics"
)]

mod driver;
mod faulty_store;
mod fleet;
mod polls;
mod store;
mod transport;

pub use driver::{DriverFactory, TestMachine, run_driver_case};
pub use faulty_store::{FaultyStore, Injected};
pub use fleet::{
    Bug, FleetHost, FleetProgress, FleetReport, FleetSettings, Violation, run_fleet, run_fleet_of,
};
pub use store::{STORE_CASES, StoreFactory, run_store_case};
pub use transport::{LocalCluster, TransportCluster, TransportFactory, run_transport_case};
