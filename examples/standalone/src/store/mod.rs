//! Records in SQLite or PostgreSQL: the [`Store`](ironic_core::store::Store) that the reference
//! host runs on.
//!
//! ```
//! use ironic_core::store::{Filter, Kind, Store};
//! use ironic_standalone::store::SqlStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqlStore::open("sqlite::memory:").await?;
//! assert_eq!(store.count(Kind::Node, &Filter::All).await?, 0);
//! # Ok(())
//! # }
//! ```

mod admin;
mod columns;
mod connections;
mod dialect;
mod error;
mod group;
mod postgres;
mod records;
mod row;
mod schema;
mod sql;
mod sql_store;
mod sqlite;
mod translate;
mod writer;

pub use admin::{ExportError, Finding, ImportError, Progress, SchemaVersion, SqlAdmin};
pub use error::OpenError;
pub use sql_store::SqlStore;
