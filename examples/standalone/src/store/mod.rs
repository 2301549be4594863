//! Records in SQLite: the [`Store`](ironic_core::store::Store) that the reference host runs on.
//!
//! ```
//! use ironic_core::store::{Filter, Kind, Store};
//! use ironic_standalone::store::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open("sqlite::memory:").await?;
//! assert_eq!(store.count(Kind::Node, &Filter::All).await?, 0);
//! # Ok(())
//! # }
//! ```

mod columns;
mod connections;
mod error;
mod group;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod plan_tests;
mod row;
mod schema;
mod sqlite;
mod translate;
mod writer;

pub use error::OpenError;
pub use sqlite::SqliteStore;
