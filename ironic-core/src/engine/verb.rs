//! What may be asked of a node in which state, and what it begins.

use super::{
    Draft, Rejected, abort, adopt, clean, deploy, hold, inspect, recover, rescue, service,
    tear_down, verify, waiting,
};
use crate::Error;
use crate::flow::CleaningSteps;
use crate::states::{Event, FlowKind, ProvisionState as S, Verb};
use crate::steps::{ReservedStep, UserStep};

/// Somebody asks for a verb.
pub(super) fn asked(
    draft: &mut Draft<'_>,
    verb: Verb,
    steps: &[UserStep],
    disable_ramdisk: bool,
    cleaning: &CleaningSteps,
) -> Result<(), Rejected> {
    allowed(draft, verb)?;
    can_run(draft, verb, steps)?;
    if disable_ramdisk && !matches!(verb, Verb::Clean | Verb::Service) {
        let message = "disable_ramdisk goes with the verbs clean and service only";
        return Err(Error::invalid(message).into());
    }
    match verb {
        Verb::Deploy => deploy::begin(draft, Event::Deploy, steps),
        Verb::Rebuild => deploy::begin(draft, Event::Rebuild, steps),
        Verb::Undeploy => tear_down::begin(draft, cleaning),
        Verb::Manage if draft.node.provision_state == S::Enroll => verify::begin(draft),
        Verb::Manage => taken_back(draft),
        Verb::Provide => provide(draft, cleaning),
        Verb::Inspect => inspect::begin(draft),
        Verb::Clean => clean::begin_manual(draft, steps, disable_ramdisk),
        Verb::Abort => abort::asked(draft),
        Verb::Adopt => adopt::begin(draft),
        Verb::Rescue => rescue::begin(draft),
        Verb::Unrescue => rescue::begin_unrescue(draft),
        Verb::Unhold => hold::end(draft),
        Verb::Service => service::begin(draft, steps, disable_ramdisk),
    }
}

/// A node that could not be cleaned as it should is not even taken off its manager's hands.
fn provide(draft: &mut Draft<'_>, cleaning: &CleaningSteps) -> Result<(), Rejected> {
    match cleaning {
        CleaningSteps::Unusable { message } => Err(Error::invalid(message).into()),
        usable => clean::begin_automated(draft, Event::Provide, usable),
    }
}

/// Somebody says that what the flow of this kind waits for is done.
pub(super) fn continued(draft: &mut Draft<'_>, kind: FlowKind) -> Result<(), Rejected> {
    let state = draft.node.provision_state;
    match (kind, state) {
        (FlowKind::Clean, S::CleanWait)
        | (FlowKind::Deploy, S::DeployWait)
        | (FlowKind::Service, S::ServiceWait) => waiting::continued(draft),
        // A deployment that nobody works on any more is gone on with.
        (FlowKind::Deploy, S::Deploying) => recover::recover(draft),
        (FlowKind::Service, S::Servicing) => Err(Error::StateConflict {
            message: format!("node {} does not wait: its steps run", draft.node.label()),
        }
        .into()),
        _ => Err(Error::InvalidState {
            verb: format!("continue {kind}"),
            node: draft.node.uuid,
            state: state.to_string(),
        }
        .into()),
    }
}

/// Refuses steps that the operator has disallowed, and those that this engine cannot run: better
/// none than all but those.
fn can_run(draft: &Draft<'_>, verb: Verb, steps: &[UserStep]) -> Result<(), Rejected> {
    let kind = match verb {
        Verb::Clean => FlowKind::Clean,
        Verb::Service => FlowKind::Service,
        _ => FlowKind::Deploy,
    };
    let disallowed = draft.policy.disallowed_steps(kind);
    for step in steps {
        let name = step.name();
        if disallowed.is_some_and(|names| names.contains(&name)) {
            return Err(Error::invalid(format!(
                "{kind} step {name} is not allowed: the operator has it in disallow_{kind}_steps"
            ))
            .into());
        }
        let switches_off = step.reserved() == Some(ReservedStep::PowerOff);
        if switches_off && draft.node.disable_power_off && !step.execute_on_child_nodes {
            return Err(Error::invalid(format!(
                "{kind} step {name} cannot run: power off is disabled for node {} (disable_power_off)",
                draft.node.label()
            ))
            .into());
        }
        let stands = matches!(
            step.reserved(),
            Some(ReservedStep::Hold | ReservedStep::Wait)
        );
        if step.execute_on_child_nodes && stands {
            return Err(Error::invalid(format!(
                "{kind} step {name} concerns the flow, so it cannot run on child nodes"
            ))
            .into());
        }
    }
    Ok(())
}

/// Checks the verb against the node's state and flags.
fn allowed(draft: &Draft<'_>, verb: Verb) -> Result<(), Rejected> {
    let node = &draft.node;
    let state = node.provision_state;
    let fits = state.on(verb.event()).is_ok();
    if node.maintenance
        && matches!(
            verb,
            Verb::Deploy
                | Verb::Rebuild
                | Verb::Clean
                | Verb::Rescue
                | Verb::Unrescue
                | Verb::Service
        )
    {
        return Err(Error::InMaintenance {
            verb: verb.to_string(),
            node: node.uuid,
        }
        .into());
    }
    if node.protected && matches!(verb, Verb::Rebuild | Verb::Undeploy) {
        return Err(Error::Protected { node: node.uuid }.into());
    }
    if !fits {
        return Err(Error::InvalidState {
            verb: verb.to_string(),
            node: node.uuid,
            state: state.to_string(),
        }
        .into());
    }
    let in_maintenance = node.maintenance && !draft.policy.allow_provisioning_in_maintenance;
    if in_maintenance && verb == Verb::Provide {
        return Err(Error::InMaintenance {
            verb: verb.to_string(),
            node: node.uuid,
        }
        .into());
    }
    if node.retired && verb == Verb::Provide {
        return Err(Error::InvalidParameter {
            message: format!(
                "node {} is retired, so it cannot be made available",
                node.label()
            ),
        }
        .into());
    }
    Ok(())
}

/// A node at rest goes back under management without further ado.
fn taken_back(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    // What went wrong is still to be seen until something is tried anew.
    let last_error = draft.node.last_error.clone();
    draft.end_flow();
    draft.event(Event::Manage, None)?;
    draft.node.last_error = last_error;
    Ok(())
}
