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
//! What to read first: [`client::Client`] is what a host calls; [`store::Store`] and
//! [`driver`]'s traits are what it may implement; [`engine::decide`] is where everything is
//! decided. `ARCHITECTURE.md` has the whole on one page.

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
pub mod membership;
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
