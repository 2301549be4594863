//! The traits of nodes, and the RAID that is wanted of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Reservation;
use crate::model::{JsonMap, NodeTrait, is_valid_trait};
use crate::store::{Expect, Kind, Op, Persistent as _, put_new};
use crate::transport::Response;

/// How many traits a node has at most (as in the original).
const MOST: usize = 50;

impl Inner {
    /// Adds traits to a node, or puts them in place of those that it has.
    pub(super) async fn add_traits(
        self: &Arc<Self>,
        node: Uuid,
        names: BTreeSet<String>,
        replace: bool,
    ) -> Result<Response, Error> {
        if let Some(name) = names.iter().find(|name| !is_valid_trait(name)) {
            return Err(Error::invalid(format!(
                "{name:?} is no trait: a standard one, or CUSTOM_ and upper-case letters, digits and underscores"
            )));
        }
        let held = self.reserve(node, "traits").await?;
        let done = self.put_traits(&held, &names, replace).await;
        self.hand_back(held).await?;
        done.map(|()| Response::Done)
    }

    async fn put_traits(
        &self,
        held: &Reservation,
        names: &BTreeSet<String>,
        replace: bool,
    ) -> Result<(), Error> {
        let node = held.node().uuid;
        let own = self.manager.context().repository.trait_names(node).await?;
        let count = if replace {
            names.len()
        } else {
            own.union(names).count()
        };
        if count > MOST {
            return Err(Error::invalid(format!(
                "a node has at most {MOST} traits, not {count}"
            )));
        }
        let new = names.difference(&own);
        let mut ops = new
            .map(|name| put_new(&NodeTrait::new(node, name)))
            .collect::<Result<Vec<_>, _>>()?;
        if replace {
            ops.extend(own.difference(names).map(|name| removed(node, name)));
        }
        self.write(held, ops).await
    }

    /// Takes these traits from a node, or all.
    pub(super) async fn remove_traits(
        self: &Arc<Self>,
        node: Uuid,
        names: Option<BTreeSet<String>>,
    ) -> Result<Response, Error> {
        let held = self.reserve(node, "traits").await?;
        let done = self.drop_traits(&held, names).await;
        self.hand_back(held).await?;
        done.map(|()| Response::Done)
    }

    async fn drop_traits(
        &self,
        held: &Reservation,
        names: Option<BTreeSet<String>>,
    ) -> Result<(), Error> {
        let node = held.node().uuid;
        let own = self.manager.context().repository.trait_names(node).await?;
        let names = names.unwrap_or_else(|| own.clone());
        if let Some(name) = names.difference(&own).next() {
            return Err(Error::not_found(NodeTrait::WHAT, name));
        }
        let ops = names.iter().map(|name| removed(node, name)).collect();
        self.write(held, ops).await
    }

    /// Sets the RAID that the next cleaning is to make: none, or what the node's RAID interface
    /// understands.
    pub(super) async fn set_target_raid(
        self: &Arc<Self>,
        node: Uuid,
        config: JsonMap,
    ) -> Result<Response, Error> {
        let mut task = self
            .manager
            .exclusive(node, "target RAID configuration")
            .await?;
        let valid = if config.is_empty() {
            Ok(())
        } else {
            task.driver().raid.validate_config(&config)
        };
        let set = match valid {
            Ok(()) => {
                let now = task.now();
                let node = task.node_mut();
                node.target_raid_config = config;
                node.updated_at = Some(now);
                task.save().await
            }
            Err(error) => Err(error),
        };
        self.give_up(task).await;
        set.map(|()| Response::Done)
    }
}

fn removed(node: Uuid, name: &str) -> Op {
    Op::Delete {
        kind: Kind::Trait,
        id: NodeTrait::new(node, name).uuid,
        expect: Expect::Any,
    }
}
