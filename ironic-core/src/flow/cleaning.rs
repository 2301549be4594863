use serde::{Deserialize, Serialize};

use crate::steps::UserStep;

/// Where the steps of an automated cleaning come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CleaningSteps {
    /// From the interfaces and the agent, by their priorities.
    #[default]
    Priorities,
    /// From a runbook, as it was when the cleaning, or what led to it, was asked for.
    Runbook {
        /// The steps in their order.
        steps: Vec<UserStep>,
        /// Whether no ramdisk is booted for them.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        disable_ramdisk: bool,
    },
    /// From a runbook that is not there or not meant for the node: the cleaning fails, rather
    /// than that the node is taken for clean.
    Unusable {
        /// What is wrong.
        message: String,
    },
}
