use std::sync::{Mutex, PoisonError};

use super::Entry;
use super::entry::{SCHEMA, Saw, Verdict, masked_copy, shown};
use crate::config::Policy;
use crate::engine::{Catalogs, Decision, Input, Rejected, View, decide};
use crate::model::Node;
use crate::runtime::Timestamp;
use crate::states::FlowKind;
use crate::steps::StepCatalog;

/// Who decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decider<'a> {
    /// The conductor.
    pub(crate) conductor: &'a str,
    /// Under which lock of the node.
    pub(crate) epoch: Option<u64>,
    /// What the node is held for.
    pub(crate) purpose: &'a str,
    /// On behalf of which request.
    pub(crate) request: Option<&'a str>,
}

/// Decides, and puts together what is to be recorded of it.
pub(crate) fn noted(
    view: &View<'_>,
    input: &Input,
    policy: &Policy,
    now: Timestamp,
    by: Decider<'_>,
) -> (Result<Decision, Rejected>, Option<Box<Entry>>) {
    let asked = Mutex::new(Vec::new());
    let catalogs = |node: &Node, kind: FlowKind| {
        let catalog = view.catalogs.of(node, kind);
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(catalog.clone());
        catalog
    };
    let watched = View::new(
        view.node,
        view.flow,
        view.interfaces,
        Catalogs::new(&catalogs),
    );
    let decided = decide(&watched, input, policy, now);
    if matches!(decided, Err(Rejected::Nothing)) {
        return (decided, None);
    }
    let steps = asked.into_inner().unwrap_or_else(PoisonError::into_inner);
    let entry = entry(view, input, policy, now, by, steps, &decided);
    if let Err(error) = &entry {
        tracing::warn!(node = %view.node.uuid, %error, "a decision could not be put into the journal");
    }
    (decided, entry.ok().map(Box::new))
}

fn entry(
    view: &View<'_>,
    input: &Input,
    policy: &Policy,
    now: Timestamp,
    by: Decider<'_>,
    steps: Vec<StepCatalog>,
    decided: &Result<Decision, Rejected>,
) -> Result<Entry, serde_json::Error> {
    let before = shown(view.node)?;
    let verdict = Verdict::of(&before, decided)?;
    Ok(Entry {
        schema: SCHEMA,
        at: now,
        conductor: by.conductor.to_owned(),
        node: view.node.uuid,
        epoch: by.epoch,
        purpose: by.purpose.to_owned(),
        request: by.request.map(str::to_owned),
        saw: Saw {
            node: serde_json::from_value(before)?,
            flow: view.flow.map(masked_copy).transpose()?,
            interfaces: view.interfaces.clone(),
            steps,
            policy: policy.clone(),
        },
        input: masked_copy(input)?,
        verdict,
        unwritten: None,
    })
}
