use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Books, Command, Commit, Invariant};
use crate::flow::Effect;
use crate::states::{FlowKind, Verb};

/// What is asked for is done once at most.
#[derive(Default)]
pub(super) struct Once {
    /// How often each was asked for that has not begun.
    owed: BTreeMap<(Uuid, FlowKind), u64>,
}

/// The flow that a verb begins, where no other verb and nobody else begins it too.
fn flow(verb: Verb) -> Option<FlowKind> {
    match verb {
        Verb::Manage => Some(FlowKind::Verify),
        Verb::Deploy | Verb::Rebuild => Some(FlowKind::Deploy),
        Verb::Undeploy => Some(FlowKind::TearDown),
        Verb::Inspect => Some(FlowKind::Inspect),
        Verb::Adopt => Some(FlowKind::Adopt),
        Verb::Rescue => Some(FlowKind::Rescue),
        Verb::Unrescue => Some(FlowKind::Unrescue),
        Verb::Service => Some(FlowKind::Service),
        _ => None,
    }
}

impl Invariant for Once {
    fn name(&self) -> &'static str {
        "what is asked for is done once at most"
    }

    fn asked(&mut self, node: Uuid, verb: Verb) {
        if let Some(kind) = flow(verb) {
            *self.owed.entry((node, kind)).or_default() += 1;
        }
    }

    fn refused(&mut self, node: Uuid, verb: Verb) {
        if let Some(owed) = flow(verb).and_then(|kind| self.owed.get_mut(&(node, kind))) {
            *owed = owed.saturating_sub(1);
        }
    }

    fn command(&mut self, node: Uuid, command: &Command, books: &Books) -> Result<(), String> {
        let (Some((generation, step)), Some(machine)) = (&command.step, books.machines.get(&node))
        else {
            return Ok(());
        };
        if !machine.has_begun(*generation, step) {
            return Ok(());
        }
        let (host, name) = (&command.host, books.name(node));
        Err(format!(
            "{host} begins {step} on {name}, where it has been begun for the same flow"
        ))
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        for change in &commit.flows {
            let Some(flow) = &change.after else { continue };
            let before = change.before.as_ref().map(|flow| flow.generation);
            // An abort of what has failed cleans up, and nothing else.
            let cleans_up = matches!(flow.main().map(|it| &it.effect), Some(Effect::CleanUp));
            let by_nobody = cleans_up || matches!(flow.kind, FlowKind::Clean | FlowKind::Power);
            if before == Some(flow.generation) || by_nobody {
                continue;
            }
            let owed = self.owed.entry((change.id, flow.kind)).or_default();
            if *owed == 0 {
                let name = books.name(change.id);
                return Err(format!(
                    "{} of {name} began and nobody had asked for it",
                    flow.kind
                ));
            }
            *owed -= 1;
        }
        Ok(())
    }
}
