//! The store in memory keeps the contract.

use std::sync::Arc;

use ironic_core::store::{MemoryStore, Store};

ironic_core::store_conformance!(|| Arc::new(MemoryStore::new()) as Arc<dyn Store>, volatile);
