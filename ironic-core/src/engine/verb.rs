//! What may be asked of a node in which state, and what it begins.

use super::{Draft, Rejected, abort, clean, deploy, inspect, tear_down, verify};
use crate::Error;
use crate::states::{Event, ProvisionState as S, Verb};
use crate::steps::UserStep;

/// Somebody asks for a verb.
pub(super) fn asked(draft: &mut Draft<'_>, verb: Verb, steps: &[UserStep]) -> Result<(), Rejected> {
    allowed(draft, verb)?;
    match verb {
        Verb::Deploy => deploy::begin(draft, Event::Deploy, steps),
        Verb::Rebuild => deploy::begin(draft, Event::Rebuild, steps),
        Verb::Undeploy => tear_down::begin(draft),
        Verb::Manage if draft.node.provision_state == S::Enroll => verify::begin(draft),
        Verb::Manage => taken_back(draft),
        Verb::Provide => clean::begin_automated(draft, Event::Provide),
        Verb::Inspect => inspect::begin(draft),
        Verb::Clean => clean::begin_manual(draft, steps),
        Verb::Abort => abort::asked(draft),
        Verb::Adopt | Verb::Rescue | Verb::Unrescue | Verb::Unhold | Verb::Service => {
            Err(Error::Unsupported {
                driver: "this engine".to_owned(),
                extension: format!("the provision verb \"{verb}\""),
            }
            .into())
        }
    }
}

/// Checks the verb against the node's state and flags.
fn allowed(draft: &Draft<'_>, verb: Verb) -> Result<(), Rejected> {
    let node = &draft.node;
    let state = node.provision_state;
    let fits = state.on(verb.event()).is_ok();
    if node.maintenance
        && matches!(
            verb,
            Verb::Deploy | Verb::Rebuild | Verb::Inspect | Verb::Clean
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
    draft.event(Event::Manage, None)?;
    draft.node.last_error = last_error;
    Ok(())
}
