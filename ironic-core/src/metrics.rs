//! Numbers of what a conductor does, for whoever collects them.
//!
//! With the feature `metrics` they go to the recorder that the host has installed for the facade
//! of the crate `metrics`; without the feature, or a recorder, nowhere, at no cost.
//!
//! | name | labels | |
//! |---|---|---|
//! | `ironic_flows_total` | `flow`, `outcome` | flows that have ended: `done`, `failed` |
//! | `ironic_flow_duration_seconds` | `flow`, `outcome` | from their begin to their end, waiting included |
//! | `ironic_transitions_total` | `from`, `to` | changes of provision states |
//! | `ironic_step_duration_seconds` | `interface`, `outcome` | calls of interfaces that carry out steps: `done`, `waiting` (it goes on in the machine), `failed` |
//! | `ironic_lock_wait_seconds` | `outcome` | waits for nodes: `acquired`, `refused` |
//! | `ironic_bmc_wait_seconds` | | waits for other commands to the same BMC |
//! | `ironic_bmc_command_duration_seconds` | | commands to BMCs, from the leave to send to the end |
//! | `ironic_heartbeats_total` | | calls of agents |
//!
//! Each label is of a closed set; none names a node.

use std::time::Duration;

/// A label's name and its value.
type Labels<'a> = &'a [(&'static str, &'static str)];

/// A flow has ended.
pub(crate) fn flow_ended(flow: &'static str, failed: bool, took: Duration) {
    let outcome = if failed { "failed" } else { "done" };
    let labels = [("flow", flow), ("outcome", outcome)];
    count("ironic_flows_total", &labels);
    measure("ironic_flow_duration_seconds", &labels, took);
}

/// A node has come from one provision state into another.
pub(crate) fn transition(from: &'static str, to: &'static str) {
    count("ironic_transitions_total", &[("from", from), ("to", to)]);
}

/// An interface has been called for a step.
pub(crate) fn step(interface: &'static str, outcome: &'static str, took: Duration) {
    let labels = [("interface", interface), ("outcome", outcome)];
    measure("ironic_step_duration_seconds", &labels, took);
}

/// A node has been waited for.
pub(crate) fn lock_waited(acquired: bool, took: Duration) {
    let outcome = if acquired { "acquired" } else { "refused" };
    measure("ironic_lock_wait_seconds", &[("outcome", outcome)], took);
}

/// Another command to a BMC has been waited for.
pub(crate) fn bmc_waited(took: Duration) {
    measure("ironic_bmc_wait_seconds", &[], took);
}

/// A command to a BMC is over.
pub(crate) fn bmc_commanded(took: Duration) {
    measure("ironic_bmc_command_duration_seconds", &[], took);
}

/// An agent has called.
pub(crate) fn heartbeat() {
    count("ironic_heartbeats_total", &[]);
}

/// Tells the recorder what each number is about; to be called once it is installed.
#[cfg(feature = "metrics")]
pub fn describe() {
    use metrics::{Unit, describe_counter, describe_histogram};

    describe_counter!("ironic_flows_total", "Flows that have ended.");
    describe_counter!(
        "ironic_transitions_total",
        "Changes of nodes' provision states."
    );
    describe_counter!("ironic_heartbeats_total", "Calls of agents.");
    for (name, help) in [
        (
            "ironic_flow_duration_seconds",
            "Time from the begin of a flow to its end, waiting included.",
        ),
        (
            "ironic_step_duration_seconds",
            "Time that calls of interfaces for steps take.",
        ),
        (
            "ironic_lock_wait_seconds",
            "Time that nodes are waited for.",
        ),
        (
            "ironic_bmc_wait_seconds",
            "Time that other commands to the same BMC are waited for.",
        ),
        (
            "ironic_bmc_command_duration_seconds",
            "Time that commands to BMCs take.",
        ),
    ] {
        describe_histogram!(name, Unit::Seconds, help);
    }
}

#[cfg(feature = "metrics")]
fn count(name: &'static str, labels: Labels<'_>) {
    metrics::counter!(name, labels).increment(1);
}

#[cfg(feature = "metrics")]
fn measure(name: &'static str, labels: Labels<'_>, took: Duration) {
    metrics::histogram!(name, labels).record(took.as_secs_f64());
}

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str, _: Labels<'_>) {}

#[cfg(not(feature = "metrics"))]
fn measure(_: &'static str, _: Labels<'_>, _: Duration) {}
