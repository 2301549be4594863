//! The transport within a process keeps the contract.

ironic_core::transport_conformance!(ironic_core::testing::LocalCluster::new);
