//! The reference host: the Bare Metal REST API on SQLite or PostgreSQL.
//!
//! A [`Host`] puts a store, drivers, a conductor and the API into one process. The program
//! `ironic` runs one from a settings file; another program embeds one, with drivers and routes of
//! its own, or takes a single piece: [`store::SqlStore`], or [`api::router`].
//!
//! ```
//! use ironic_standalone::{Host, HostConfig};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = HostConfig::parse(r#"
//!     [conductor]
//!     host = "rack-1"
//!     [drivers]
//!     enabled_hardware_types = ["fake-hardware"]
//! "#)?;
//! let host = Host::builder(config).start().await?;
//! let node = ironic_core::model::Node::new(uuid::Uuid::nil(), "fake-hardware");
//! let node = host.client().create_node(node).await?;
//! assert_eq!(host.client().node(node.uuid).await?.driver, "fake-hardware");
//! host.stop().await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```

pub mod access;
pub mod api;
pub mod config;
mod drivers;
mod edition;
mod front;
mod host;
mod journal_file;
pub mod metrics;
mod serve;
mod services;
pub mod store;
mod tls;
mod webhook;

pub use config::{ConfigError, HostConfig};
pub use front::Cors;
pub use host::{Host, HostBuilder, HostError};
pub use serve::Limits;
pub use services::{BootServers, ServiceError};
pub use tls::{TlsError, TlsSettings, TlsVersion};
pub use webhook::{SIGNATURE_HEADER, WebhookNotifier, WebhookSenders, WebhookSettings};
