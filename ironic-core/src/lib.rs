//! An embeddable bare-metal provisioning engine.
//!
//! It owns the life of every machine: enrol, verify, inspect, clean, deploy, tear down. The host
//! program injects where records are kept ([`Store`]), how requests travel
//! ([`transport::Transport`]), which machines there are ([`Registry`]) and, if it likes, time and
//! chance; there are no globals, and several engines run in one process.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ironic_core::Error> {
//! use std::{sync::Arc, time::Duration};
//!
//! use ironic_core::driver::{fake, noop};
//! use ironic_core::{Client, Conductor, MemoryStore, Node, ProvisionState, Registry, Uuid, Verb};
//!
//! let drivers = fake::register(noop::register(Registry::builder()), &fake::FakeBehaviour::new());
//! let conductor = Conductor::builder()
//!     .store(Arc::new(MemoryStore::new()))
//!     .registry(Arc::new(drivers.build()?))
//!     .start()
//!     .await?;
//! let client = Client::local(&conductor);
//!
//! let node = client.create_node(Node::new(Uuid::nil(), "fake-hardware")).await?.uuid;
//! for (verb, state) in [
//!     (Verb::Manage, ProvisionState::Manageable),
//!     (Verb::Provide, ProvisionState::Available),
//!     (Verb::Deploy, ProvisionState::Active),
//! ] {
//!     client.provision(node, verb, Default::default()).await?;
//!     client.wait_for(node, state, Duration::from_secs(60)).await?;
//! }
//! assert!(client.explain(node).await?.is_none(), "it rests where it should");
//! conductor.stop().await
//! # }
//! ```
//!
//! # Read in this order
//!
//! | | |
//! |---|---|
//! | [`client::Client`] | what a host calls: records, verbs, power, plans, explanations |
//! | [Embedding](guide::embedding) | what a host injects; several conductors; being told; stopping |
//! | [Plans and explanations](guide::plans_and_explanations) | what a verb will do, said beforehand; why a node does not move |
//! | [`states`] | the states of a node, and what leads from one to another |
//! | [Writing a driver](guide::writing_a_driver) | a hardware type for a BMC that nobody else knows, and its conformance suite |
//! | [Writing a store](guide::writing_a_store) | five methods, over whatever the host has, and their conformance suite |
//! | [Crash and replay](guide::crash_and_replay) | what is on record at every moment, and who goes on with it |
//! | [`journal`] | every decision on record: an incident is told, and decided again, far from the machines |
//! | [Simulation](guide::simulation) | a whole fleet in one thread, from one seed |
//! | [`engine::decide`] | where everything is decided, as one pure function |
//!
//! # Contracts
//!
//! Everything that a host can implement is a trait, and its page has a section *Contract*: who
//! calls it, when and under which lock, what is repeated, what errors mean, what a crash in its
//! midst leads to, by which suite that is checked, and an example.
//!
//! | | |
//! |---|---|
//! | where records are | [`Store`] |
//! | how requests travel | [`transport::Transport`], [`transport::Handler`] |
//! | who is told | [`notify::Notifier`], and of each decision [`journal::Journal`] |
//! | time and chance | [`Clock`], [`Entropy`] |
//! | machines | [`driver::HardwareType`], [`driver::Interface`] and the thirteen that extend it: [`Bios`](driver::Bios), [`Boot`](driver::Boot), [`Console`](driver::Console), [`Deploy`](driver::Deploy), [`Firmware`](driver::Firmware), [`Inspect`](driver::Inspect), [`Management`](driver::Management), [`Network`](driver::Network), [`Power`](driver::Power), [`Raid`](driver::Raid), [`Rescue`](driver::Rescue), [`Storage`](driver::Storage), [`Vendor`](driver::Vendor) |
//! | agents and images | [`agent::AgentTransport`], [`image::ImageService`] |
//!
//! # Features
//!
//! - `testing`: conformance suites, a store that fails on purpose, the simulated fleet. Not
//!   semver-stable.
//! - `http`: [`agent::AgentTransport`] over HTTP. The host chooses a TLS provider.
//! - `metrics`: [numbers](metrics) of what conductors do.
//!
//! `ARCHITECTURE.md` in the repository has the whole on one page.

#[macro_use]
mod macros;

pub mod agent;
pub mod client;
pub mod conductor;
pub mod config;
pub mod driver;
pub mod engine;
pub mod error;
pub mod flow;
pub mod governor;
pub mod guide;
pub mod image;
pub mod inspection;
pub mod journal;
pub mod membership;
pub mod metrics;
pub mod model;
pub mod notify;
pub mod runtime;
pub mod secret;
pub mod sha_crypt;
pub mod states;
pub mod steps;
pub mod store;
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;

pub use client::Client;
pub use conductor::Conductor;
pub use config::{Config, Policy};
pub use driver::Registry;
pub use error::{Error, ErrorKind, WireError};
pub use model::{MacAddress, Node, Port};
pub use runtime::{Clock, Entropy, OsEntropy, SystemClock, Timestamp};
pub use secret::Secret;
pub use states::{PowerState, PowerTarget, ProvisionState, Verb};
pub use store::{MemoryStore, Store};
pub use uuid::Uuid;
