use uuid::Uuid;

use super::{Books, Command, Commit, Invariant};
use crate::states::{FlowKind, ProvisionState as S};

use crate::testing::fleet::books::{AllocationView, Change};
use crate::testing::fleet::machine::{Disk, Job};

/// No instance is lost: a node belongs to its instance until it is torn down; what is deployed is
/// on the disk; nobody writes to a disk that has an instance; and nobody gets what the one before
/// has left there.
pub(super) struct Instances;

impl Invariant for Instances {
    fn name(&self) -> &'static str {
        "no instance is lost"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        for change in &commit.nodes {
            let (Some(before), Some(after)) = (&change.before, &change.after) else {
                continue;
            };
            let name = books.name(change.id);
            if before.instance_uuid.is_some() && before.instance_uuid != after.instance_uuid {
                let flow = commit.flows.iter().find(|flow| flow.id == change.id);
                let flow = flow.and_then(|flow| flow.before.as_ref().or(flow.after.as_ref()));
                let gone = |change: &&Change<AllocationView>| change.after.is_none();
                let mut given_up = commit.allocations.iter().filter(gone);
                let given_up = given_up.any(|gone| Some(gone.id) == before.allocation_uuid);
                if !given_up && flow.is_none_or(|flow| flow.kind != FlowKind::TearDown) {
                    return Err(format!(
                        "{name} was taken from its instance while {}",
                        before.provision_state
                    ));
                }
            }
            let (from, to) = (before.provision_state, after.provision_state);
            let deployed = from == S::Deploying && to == S::Active;
            let disk = books.machines.get(&change.id).map(|machine| machine.disk);
            if from == S::Cleaning && to == S::Available && disk != Some(Disk::Blank) {
                return Err(format!("{name} is available, and its disk is {disk:?}"));
            }
            if deployed && disk != Some(Disk::Image(after.generation)) {
                return Err(format!(
                    "{name} is active by flow {} and its disk is {disk:?}",
                    after.generation
                ));
            }
        }
        Ok(())
    }

    fn command(&mut self, node: Uuid, command: &Command, books: &Books) -> Result<(), String> {
        if !matches!(command.job, Some(Job::Write | Job::Erase)) {
            return Ok(());
        }
        let state = books.nodes.get(&node).map(|node| node.provision_state);
        if matches!(
            state,
            Some(S::Deploying | S::DeployWait | S::Cleaning | S::CleanWait)
        ) {
            return Ok(());
        }
        Err(format!(
            "the disk of {} is written while it is {state:?}",
            books.name(node)
        ))
    }
}
