//! Numbers for Prometheus: what is asked of the service, what it does, and what it takes.
//!
//! | name | labels | |
//! |---|---|---|
//! | `ironic_api_requests_total` | `method`, `route`, `status` | requests answered |
//! | `ironic_api_request_duration_seconds` | `method`, `route` | from the head of a request to its answer |
//! | `ironic_api_requests_in_flight` | | requests that are being answered |
//! | `ironic_api_connections` | | connections |
//! | `ironic_api_connections_accepted_total` | | connections that there have been |
//! | `ironic_api_connections_evicted_total` | | connections ended to make room for others |
//! | `ironic_nodes` | `provision_state` | nodes of the whole fleet, counted at most every 10 s |
//! | `ironic_nodes_maintenance`, `ironic_nodes_reserved` | | of these, in maintenance; held by a conductor |
//! | `ironic_conductors` | `alive` | conductors on record |
//! | `ironic_store_up` | | whether the store answered when nodes were counted |
//! | `ironic_build_info` | `version` | 1 |
//! | `process_*` | | processor, memory, threads, files, start |
//!
//! With what conductors count (`ironic_core::metrics`) once [`Metrics::install`] has been called.
//!
//! `route` is the template of a path, such as `/v1/nodes/{ident}`, and `other` for paths that
//! there are not; no label names a node, or anything else that clients make up.

mod fleet;
mod page;
mod process;
mod registry;
mod requests;
mod series;

pub(crate) use page::Page;
pub use registry::Metrics;
pub(crate) use requests::Requests;
