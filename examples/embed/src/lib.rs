//! A store in a file, in an afternoon: [`KvStore`] keeps the fleet in a sorted map of bytes.
//!
//! ```
//! use ironic_core::store::{Filter, Kind, Store};
//! use ironic_embed::KvStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let store = KvStore::open(&folder.path().join("fleet.redb"))?;
//! assert_eq!(store.count(Kind::Node, &Filter::All).await?, 0);
//! # Ok(())
//! # }
//! ```

mod kv;

pub use kv::KvStore;
