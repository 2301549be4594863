//! Looking for a machine for a claim.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::{matches, no_host};
use crate::conductor::Inner;
use crate::model::{Allocation, AllocationState, Node, NodeTrait};
use crate::states::ProvisionState;
use crate::store::{Filter, Kind, Query, Scalar, Stored};
use crate::task::Patience;
use crate::{Error, ErrorKind};

/// What came of trying to get one machine.
enum Tried {
    /// The allocation has it.
    Got,
    /// It does not fit, or not any more.
    Unfit,
    /// Somebody holds it just now.
    Busy,
}

impl Inner {
    /// Looks for a machine; what comes of it is on the record.
    pub(in crate::conductor) async fn allocate(self: &Arc<Self>, id: Uuid) {
        let failed = match self.look_for_machine(id).await {
            Ok(()) => return,
            Err(error) => error,
        };
        tracing::warn!(allocation = %id, error = %failed, "no machine was allocated");
        if let Err(error) = self.allocation_failed(id, &failed).await {
            tracing::warn!(allocation = %id, %error, "the failed allocation is not recorded");
        }
    }

    pub(super) async fn allocation_failed(&self, id: Uuid, why: &Error) -> Result<(), Error> {
        let context = self.manager.context();
        let (host, now) = (self.config.host.as_str(), context.clock.now());
        let failed = context
            .repository
            .update::<Allocation, ()>(id, None, |allocation| {
                // Somebody else may have gone on with it, or found a machine.
                if is_searched_by(allocation, host) {
                    allocation.state = AllocationState::Error;
                    allocation.node_uuid = None;
                    allocation.last_error = Some(why.to_string());
                    allocation.updated_at = Some(now);
                }
                Ok(())
            })
            .await;
        match failed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn look_for_machine(self: &Arc<Self>, id: Uuid) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let Some(allocation) = repository.get::<Allocation>(id).await? else {
            return Ok(());
        };
        if !is_searched_by(&allocation.value, &self.config.host) {
            return Ok(());
        }
        let mut nodes = self.candidates(&allocation.value).await?;
        // First whatever is free at once; then whatever is held, for as long as is usual.
        for patience in [Patience::None, Patience::Configured] {
            let mut busy = Vec::new();
            for node in std::mem::take(&mut nodes) {
                match self.try_node(&allocation, node, patience).await? {
                    Tried::Got => return Ok(()),
                    Tried::Unfit => {}
                    Tried::Busy => busy.push(node),
                }
            }
            nodes = busy;
        }
        Err(no_host(match nodes.len() {
            0 => "every suitable node has been taken meanwhile".to_owned(),
            some => format!("could not reserve any of {some} suitable nodes: others hold them"),
        }))
    }

    /// The machines that come into question, in the order in which they are tried: one of the
    /// allocation's name first, the others by chance, so that allocations do not queue for the same.
    async fn candidates(&self, allocation: &Allocation) -> Result<Vec<Uuid>, Error> {
        let context = self.manager.context();
        let class = allocation.resource_class.clone().unwrap_or_default();
        let mut filter = Filter::text("resource_class", &class)
            .and(Filter::text(
                "provision_state",
                ProvisionState::Available.as_str(),
            ))
            .and(Filter::Null("instance_uuid".to_owned()))
            .and(Filter::Not(Box::new(Filter::Null(
                "power_state".to_owned(),
            ))))
            .and(Filter::flag("maintenance", false));
        if !allocation.candidate_nodes.is_empty() {
            let ids = allocation.candidate_nodes.iter().map(Uuid::to_string);
            let ids = ids.map(Scalar::String).collect();
            filter = filter.and(Filter::In("uuid".to_owned(), ids));
        }
        if let Some(owner) = &allocation.owner {
            filter = filter.and(Filter::Or(vec![
                Filter::text("owner", owner),
                Filter::text("lessee", owner),
            ]));
        }
        let query = Query::all(Kind::Node).filter(filter);
        let nodes = context.repository.summaries(&query).await?;
        if nodes.is_empty() {
            let which = if allocation.candidate_nodes.is_empty() {
                "no available node is"
            } else {
                "none of the candidate nodes is available and"
            };
            return Err(no_host(format!("{which} of resource class \"{class}\"")));
        }
        let mut nodes: Vec<_> = nodes
            .into_iter()
            .map(|node| (node.uuid, node.name))
            .collect();
        if !allocation.traits.is_empty() {
            let fitting = self.nodes_with(&allocation.traits).await?;
            nodes.retain(|(id, _)| fitting.contains(id));
            if nodes.is_empty() {
                let traits = allocation.traits.join(", ");
                return Err(no_host(format!("no suitable node has the traits {traits}")));
            }
        }
        shuffle(&mut nodes, |bound| context.entropy.below(bound));
        if allocation.name.is_some() {
            nodes.sort_by_key(|(_, name)| *name != allocation.name);
        }
        Ok(nodes.into_iter().map(|(id, _)| id).collect())
    }

    /// The nodes that have all of these traits.
    async fn nodes_with(&self, traits: &[String]) -> Result<BTreeSet<Uuid>, Error> {
        let wanted: BTreeSet<_> = traits.iter().collect();
        let names = wanted.iter().map(|name| Scalar::String((*name).clone()));
        let filter = Filter::In("name".to_owned(), names.collect());
        let query = Query::all(Kind::Trait).filter(filter);
        let repository = &self.manager.context().repository;
        let mut found = BTreeMap::<Uuid, usize>::new();
        for one in repository.list::<NodeTrait>(&query).await? {
            *found.entry(one.node_uuid).or_default() += 1;
        }
        let all = found
            .into_iter()
            .filter(|(_, count)| *count == wanted.len());
        Ok(all.map(|(node, _)| node).collect())
    }

    async fn try_node(
        self: &Arc<Self>,
        allocation: &Stored<Allocation>,
        node: Uuid,
        patience: Patience,
    ) -> Result<Tried, Error> {
        let held = match self.manager.reserve(node, "allocating", patience).await {
            Ok(held) => held,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::NodeLocked => Ok(Tried::Busy),
                    ErrorKind::NotFound => Ok(Tried::Unfit),
                    _ => Err(error),
                };
            }
        };
        let tried = self.claim(&held, allocation, is_suitable).await;
        self.hand_back(held).await?;
        match tried {
            Ok(true) => Ok(Tried::Got),
            Ok(false) => Ok(Tried::Unfit),
            Err(error) => Err(error),
        }
    }
}

fn is_searched_by(allocation: &Allocation, host: &str) -> bool {
    allocation.state == AllocationState::Allocating && allocation.conductor.as_deref() == Some(host)
}

/// Whether a machine that came into question still does.
fn is_suitable(
    node: &Node,
    traits: &BTreeSet<String>,
    allocation: &Allocation,
) -> Result<(), String> {
    if node.maintenance {
        return Err("it is in maintenance".to_owned());
    }
    if node.instance_uuid.is_some() {
        return Err("it has an instance".to_owned());
    }
    if node.provision_state != ProvisionState::Available {
        return Err(format!("it is in state \"{}\"", node.provision_state));
    }
    matches(node, traits, allocation)
}

/// Fisher and Yates: every order is as likely.
fn shuffle<T>(items: &mut [T], below: impl Fn(u64) -> u64) {
    for last in (1..items.len()).rev() {
        let bound = u64::try_from(last + 1).unwrap_or(u64::MAX);
        let other = usize::try_from(below(bound)).unwrap_or(last);
        items.swap(last, other.min(last));
    }
}
