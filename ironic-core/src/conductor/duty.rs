//! Whose work a part of a flow is: the one answer by which it is both done and foreseen.

use std::sync::Arc;

use uuid::Uuid;

use crate::driver::{BareDriver, Deploy, Inspect, Interface, Rescue};
use crate::flow::Flow;
use crate::states::FlowKind;
use crate::steps::{ReservedStep, Step};

/// Whose work the `Prepare` or the `Finish` of a flow is.
pub(super) enum Duty<'a> {
    /// The conductor's own, which does nothing to the machine.
    Conductor,
    /// The inspect interface's.
    Inspect(&'a dyn Inspect),
    /// The deploy interface's.
    Deploy(&'a dyn Deploy),
    /// The rescue interface's.
    Rescue(&'a dyn Rescue),
}

impl<'a> Duty<'a> {
    /// Who makes the machine ready for the flow.
    pub(super) fn to_prepare(driver: &'a BareDriver, kind: FlowKind, in_ramdisk: bool) -> Self {
        match kind {
            FlowKind::Inspect => Self::Inspect(&*driver.inspect),
            FlowKind::Rescue | FlowKind::Unrescue => Self::Rescue(&*driver.rescue),
            FlowKind::Clean | FlowKind::Service if !in_ramdisk => Self::Conductor,
            FlowKind::Clean
            | FlowKind::Service
            | FlowKind::Deploy
            | FlowKind::TearDown
            | FlowKind::Adopt => Self::Deploy(&*driver.deploy),
            FlowKind::Verify | FlowKind::Power => Self::Conductor,
        }
    }

    /// Who undoes that once the flow has succeeded, as far as it is undone.
    pub(super) fn to_finish(driver: &'a BareDriver, kind: FlowKind, in_ramdisk: bool) -> Self {
        match kind {
            FlowKind::Inspect => Self::Inspect(&*driver.inspect),
            FlowKind::Rescue => Self::Rescue(&*driver.rescue),
            // What was not prepared is not undone.
            FlowKind::Clean | FlowKind::Service if in_ramdisk => Self::Deploy(&*driver.deploy),
            _ => Self::Conductor,
        }
    }

    /// The interface that it is of.
    pub(super) fn interface(&self) -> Option<&'a dyn Interface> {
        match *self {
            Self::Conductor => None,
            Self::Inspect(inspect) => Some(inspect),
            Self::Deploy(deploy) => Some(deploy),
            Self::Rescue(rescue) => Some(rescue),
        }
    }
}

/// Whether the flow runs in a ramdisk: its steps may do without.
pub(super) fn in_ramdisk(flow: Option<&Flow>) -> bool {
    flow.is_some_and(|flow| !flow.disable_ramdisk)
}

/// Who runs a step.
pub(super) enum Runner<'a> {
    /// Others: it is a step of these child nodes.
    Children(&'a [Uuid]),
    /// The conductor.
    Conductor(ReservedStep),
    /// An interface.
    Interface(Arc<dyn Interface>),
}

impl<'a> Runner<'a> {
    /// Who runs this one.
    pub(super) fn of(driver: &BareDriver, step: &'a Step) -> Self {
        match (&step.children, step.reserved()) {
            (Some(children), _) => Self::Children(children),
            (None, Some(reserved)) => Self::Conductor(reserved),
            (None, None) => Self::Interface(driver.interface(step.interface)),
        }
    }
}
