use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::states::{FlowKind, InterfaceKind};
use crate::steps::{PriorityOverrides, StepName};

/// What the engine's decisions depend on besides node and flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// Whether nodes are cleaned before they become available and after an instance is removed,
    /// unless the node says otherwise. Default: true (`[conductor] automated_clean`).
    pub automated_clean: bool,
    /// How long a deployment may wait for the agent. Default 30 min; zero waits for ever
    /// (`[conductor] deploy_callback_timeout`).
    pub deploy_callback_timeout: Duration,
    /// How long cleaning may wait for the agent. Default 30 min; zero waits for ever
    /// (`[conductor] clean_callback_timeout`).
    pub clean_callback_timeout: Duration,
    /// How long inspection may wait for the agent. Default 30 min; zero waits for ever
    /// (`[conductor] inspect_wait_timeout`).
    pub inspect_wait_timeout: Duration,
    /// How long rescuing may wait for the agent. Default 30 min; zero waits for ever
    /// (`[conductor] rescue_callback_timeout`).
    pub rescue_callback_timeout: Duration,
    /// How long servicing may wait for the agent. Default 30 min; zero waits for ever
    /// (`[conductor] service_callback_timeout`).
    pub service_callback_timeout: Duration,
    /// Whether an available node may be removed. Default: true
    /// (`[conductor] allow_deleting_available_nodes`).
    pub allow_deleting_available_nodes: bool,
    /// Whether a ramdisk that still runs is used instead of booting another. Default: false
    /// (`[deploy] fast_track`).
    pub fast_track: bool,
    /// How long ago the agent of such a ramdisk may have called last. Default 5 min, which is the
    /// most; less than a machine takes to start (`[deploy] fast_track_timeout`).
    pub fast_track_timeout: Duration,
    /// Whether nodes in maintenance may become available, and whether what waits for an agent
    /// goes on after the maintenance; else it is aborted as the agent calls. Default: true
    /// (`[conductor] allow_provisioning_in_maintenance`).
    pub allow_provisioning_in_maintenance: bool,
    /// Whether a machine is switched off when cleaning it has failed, which may harm one that
    /// writes its firmware. Default: false (`[conductor] poweroff_in_cleanfail`).
    pub poweroff_in_cleanfail: bool,
    /// The same when servicing it has failed. Default: false
    /// (`[conductor] poweroff_in_servicefail`).
    pub poweroff_in_servicefail: bool,
    /// Whether a machine is switched off when its deployment has failed. Default: true
    /// (`[deploy] power_off_after_deploy_failure`).
    pub power_off_after_deploy_failure: bool,
    /// Whether a node's history says with which steps a cleaning, deployment or servicing begins,
    /// and how it ends: two events each. Default: true
    /// (`[conductor] record_step_flows_in_history`).
    pub record_step_flows_in_history: bool,
    /// Priorities of automated clean steps instead of their own; 0 keeps a step from running.
    /// Default: none (`[conductor] clean_step_priority_override`).
    pub clean_step_priority_override: PriorityOverrides,
    /// Priorities of verify steps instead of their own; 0 keeps a step from running. Default: none
    /// (`[conductor] verify_step_priority_override`).
    pub verify_step_priority_override: PriorityOverrides,
    /// Clean steps that never run and cannot be asked for. Default: `vendor.send_raw`
    /// (`[api] disallow_clean_steps`).
    pub disallow_clean_steps: BTreeSet<StepName>,
    /// Deploy steps that never run and cannot be asked for. Default: `vendor.send_raw`
    /// (`[api] disallow_deploy_steps`).
    pub disallow_deploy_steps: BTreeSet<StepName>,
    /// Service steps that never run and cannot be asked for. Default: `vendor.send_raw`
    /// (`[api] disallow_service_steps`).
    pub disallow_service_steps: BTreeSet<StepName>,
    /// A defect that a simulation puts back. Default: none.
    #[cfg(feature = "testing")]
    #[serde(skip)]
    pub(crate) defect: Option<super::Defect>,
}

impl Policy {
    /// The priorities that steps of this kind of flow have instead of their own, where they can.
    pub const fn priority_overrides(&self, kind: FlowKind) -> Option<&PriorityOverrides> {
        match kind {
            FlowKind::Clean => Some(&self.clean_step_priority_override),
            FlowKind::Verify => Some(&self.verify_step_priority_override),
            _ => None,
        }
    }

    /// Whether a machine is switched off when this kind of flow has failed on it.
    pub const fn switches_off_after(&self, kind: FlowKind) -> bool {
        match kind {
            FlowKind::Clean => self.poweroff_in_cleanfail,
            FlowKind::Service => self.poweroff_in_servicefail,
            FlowKind::Deploy => self.power_off_after_deploy_failure,
            _ => false,
        }
    }

    /// The steps that never run in this kind of flow, where steps can be disallowed.
    pub const fn disallowed_steps(&self, kind: FlowKind) -> Option<&BTreeSet<StepName>> {
        match kind {
            FlowKind::Clean => Some(&self.disallow_clean_steps),
            FlowKind::Deploy => Some(&self.disallow_deploy_steps),
            FlowKind::Service => Some(&self.disallow_service_steps),
            _ => None,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let half_hour = Duration::from_secs(1800);
        let raw = BTreeSet::from([StepName::new(InterfaceKind::Vendor, "send_raw")]);
        Self {
            automated_clean: true,
            deploy_callback_timeout: half_hour,
            clean_callback_timeout: half_hour,
            inspect_wait_timeout: half_hour,
            rescue_callback_timeout: half_hour,
            service_callback_timeout: half_hour,
            allow_deleting_available_nodes: true,
            fast_track: false,
            fast_track_timeout: Duration::from_secs(300),
            allow_provisioning_in_maintenance: true,
            poweroff_in_cleanfail: false,
            poweroff_in_servicefail: false,
            power_off_after_deploy_failure: true,
            record_step_flows_in_history: true,
            clean_step_priority_override: PriorityOverrides::default(),
            verify_step_priority_override: PriorityOverrides::default(),
            disallow_clean_steps: raw.clone(),
            disallow_deploy_steps: raw.clone(),
            disallow_service_steps: raw,
            #[cfg(feature = "testing")]
            defect: None,
        }
    }
}
