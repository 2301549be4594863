use serde::{Deserialize, Serialize};

use super::{PriorityOverrides, StepDef, UserStep};
use crate::states::{FlowKind, InterfaceKind};

/// The steps that a node's interfaces offer for one kind of flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCatalog {
    flow: FlowKind,
    defs: Vec<StepDef>,
}

impl StepCatalog {
    /// The catalogue of those of `defs` that a flow of this kind has room for, in the order in
    /// which the interfaces gave them. Only some interfaces have steps in each kind: the network
    /// interface, for one, has none in cleaning.
    pub fn new(flow: FlowKind, mut defs: Vec<StepDef>) -> Self {
        defs.retain(|def| tie_break(flow, def.interface).is_some());
        Self { flow, defs }
    }

    /// The same steps, with the priorities that the operator gave them.
    #[must_use]
    pub fn overridden(mut self, overrides: &PriorityOverrides) -> Self {
        self.defs.iter_mut().for_each(|def| overrides.apply(def));
        self
    }

    /// The kind of flow.
    pub const fn flow(&self) -> FlowKind {
        self.flow
    }

    /// Every step.
    pub fn iter(&self) -> impl Iterator<Item = &StepDef> {
        self.defs.iter()
    }

    /// The step of this name; of several, the last.
    pub fn find(&self, interface: InterfaceKind, step: &str) -> Option<&StepDef> {
        self.defs
            .iter()
            .rev()
            .find(|def| def.interface == interface && def.step == step)
    }

    /// The steps that run unasked, in their order: by priority, the highest first; among equals
    /// by interface (`CLEANING_INTERFACE_PRIORITY` and `VERIFYING_INTERFACE_PRIORITY` of the
    /// original), then as they were given. Priority 0 is for steps that run only when asked for;
    /// one below it runs last.
    pub fn automated(&self) -> Vec<&StepDef> {
        let mut steps: Vec<_> = self.defs.iter().filter(|def| def.priority != 0).collect();
        steps.sort_by_key(|def| std::cmp::Reverse(rank(self.flow, def.priority, def.interface)));
        steps
    }

    /// Whether every one of these steps is known and can do without the ramdisk. A child's step
    /// is for the child to answer, and a reserved step needs none.
    pub fn runs_without_ramdisk(&self, asked: &[UserStep]) -> bool {
        asked.iter().all(|user| {
            user.execute_on_child_nodes
                || user.reserved().is_some()
                || self
                    .find(user.interface, &user.step)
                    .is_some_and(|def| !def.requires_ramdisk)
        })
    }

    /// The names of the steps, for messages.
    pub(super) fn offered(&self) -> String {
        if self.defs.is_empty() {
            return "none".to_owned();
        }
        let names: Vec<_> = self.defs.iter().map(|def| def.name().to_string()).collect();
        names.join(", ")
    }
}

/// Where a step stands: the higher, the earlier.
pub(super) fn rank(flow: FlowKind, priority: i64, interface: InterfaceKind) -> (i64, Option<u8>) {
    (priority, tie_break(flow, interface))
}

/// Which interface goes first among steps of equal priority: the higher number. `None` when the
/// interface has no steps in this kind of flow.
const fn tie_break(flow: FlowKind, interface: InterfaceKind) -> Option<u8> {
    use InterfaceKind as I;
    Some(match (flow, interface) {
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
        (FlowKind::Clean | FlowKind::Deploy | FlowKind::Service, I::Vendor) => 7,
        (FlowKind::Clean | FlowKind::Deploy | FlowKind::Service, I::Power) => 6,
        (FlowKind::Clean | FlowKind::Deploy | FlowKind::Service, I::Management) => 5,
        (FlowKind::Clean | FlowKind::Deploy | FlowKind::Service, I::Firmware) => 4,
        (FlowKind::Clean | FlowKind::Deploy | FlowKind::Service, I::Deploy) => 3,
        (FlowKind::Clean | FlowKind::Deploy | FlowKind::Service, I::Bios) => 2,
        (FlowKind::Clean | FlowKind::Deploy | FlowKind::Service, I::Raid) => 1,
        _ => return None,
    })
}
