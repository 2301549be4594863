use std::sync::Arc;

use super::{
    Bios, Boot, Console, Deploy, Firmware, Inspect, Interface, Management, Network, Power, Raid,
    Rescue, Storage, Vendor,
};
use crate::model::Node;
use crate::states::{FlowKind, InterfaceKind};
use crate::steps::StepCatalog;

/// A node's driver: one implementation of each interface.
#[derive(Clone)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each member is the interface of its name")]
pub struct BareDriver {
    pub bios: Arc<dyn Bios>,
    pub boot: Arc<dyn Boot>,
    pub console: Arc<dyn Console>,
    pub deploy: Arc<dyn Deploy>,
    pub firmware: Arc<dyn Firmware>,
    pub inspect: Arc<dyn Inspect>,
    pub management: Arc<dyn Management>,
    pub network: Arc<dyn Network>,
    pub power: Arc<dyn Power>,
    pub raid: Arc<dyn Raid>,
    pub rescue: Arc<dyn Rescue>,
    pub storage: Arc<dyn Storage>,
    pub vendor: Arc<dyn Vendor>,
}

impl std::fmt::Debug for BareDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BareDriver")
    }
}

impl BareDriver {
    /// The part of an interface that every interface has.
    pub fn interface(&self, kind: InterfaceKind) -> Arc<dyn Interface> {
        match kind {
            InterfaceKind::Bios => self.bios.clone(),
            InterfaceKind::Boot => self.boot.clone(),
            InterfaceKind::Console => self.console.clone(),
            InterfaceKind::Deploy => self.deploy.clone(),
            InterfaceKind::Firmware => self.firmware.clone(),
            InterfaceKind::Inspect => self.inspect.clone(),
            InterfaceKind::Management => self.management.clone(),
            InterfaceKind::Network => self.network.clone(),
            InterfaceKind::Power => self.power.clone(),
            InterfaceKind::Raid => self.raid.clone(),
            InterfaceKind::Rescue => self.rescue.clone(),
            InterfaceKind::Storage => self.storage.clone(),
            InterfaceKind::Vendor => self.vendor.clone(),
        }
    }

    /// The steps that all interfaces offer for a kind of flow, in the order of their kinds.
    pub fn steps(&self, node: &Node, flow: FlowKind) -> StepCatalog {
        let kinds = InterfaceKind::ALL.iter();
        let defs = kinds.flat_map(|kind| self.interface(*kind).steps(node, flow));
        StepCatalog::new(flow, defs.collect())
    }
}
