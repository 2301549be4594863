use super::StepDef;
use crate::states::{FlowKind, InterfaceKind};

/// The steps that a node's interfaces offer for one kind of flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepCatalog {
    defs: Vec<StepDef>,
}

impl StepCatalog {
    /// The catalogue of these steps, in the order in which the interfaces gave them.
    pub fn new(defs: Vec<StepDef>) -> Self {
        Self { defs }
    }

    /// Every step.
    pub fn iter(&self) -> impl Iterator<Item = &StepDef> {
        self.defs.iter()
    }

    /// The step of this name.
    pub fn find(&self, interface: InterfaceKind, step: &str) -> Option<&StepDef> {
        self.defs
            .iter()
            .find(|def| def.interface == interface && def.step == step)
    }

    /// The steps that run unasked, in their order: by priority, the highest first; among equals
    /// by interface (`CLEANING_INTERFACE_PRIORITY` and `VERIFYING_INTERFACE_PRIORITY` of the
    /// original), then as they were given.
    pub fn automated(&self, flow: FlowKind) -> Vec<&StepDef> {
        let mut steps: Vec<_> = self.defs.iter().filter(|def| def.priority > 0).collect();
        steps.sort_by_key(|def| std::cmp::Reverse((def.priority, tie_break(flow, def.interface))));
        steps
    }
}

/// Which interface goes first among steps of equal priority: the higher number.
pub(crate) const fn tie_break(flow: FlowKind, interface: InterfaceKind) -> u8 {
    use InterfaceKind as I;
    match (flow, interface) {
        (FlowKind::Verify, I::Power) => 13,
        (FlowKind::Verify, I::Management) => 12,
        (FlowKind::Verify, I::Firmware) => 11,
        (FlowKind::Verify, I::Inspect) => 10,
        (FlowKind::Verify, I::Deploy) => 9,
        (FlowKind::Verify, I::Boot) => 8,
        (FlowKind::Verify, I::Bios) => 7,
        (FlowKind::Verify, I::Raid) => 6,
        (FlowKind::Verify, I::Vendor) => 5,
        (FlowKind::Verify, I::Network) => 4,
        (FlowKind::Verify, I::Storage) => 3,
        (FlowKind::Verify, I::Console) => 2,
        (FlowKind::Verify, I::Rescue) => 1,
        (FlowKind::Service, I::Network) => 8,
        (_, I::Vendor) => 7,
        (_, I::Power) => 6,
        (_, I::Management) => 5,
        (_, I::Firmware) => 4,
        (_, I::Deploy) => 3,
        (_, I::Bios) => 2,
        (_, I::Raid) => 1,
        _ => 0,
    }
}
