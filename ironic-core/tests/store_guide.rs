//! The store of the page "Writing a store" keeps the contract.

use std::sync::Arc;

include!("../src/guide/card_index.rs");

ironic_core::store_conformance!(
    || Arc::new(CardIndex::default()) as Arc<dyn Store>,
    volatile
);
