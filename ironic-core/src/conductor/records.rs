//! Records that belong to a node: written while it is held.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use super::record_rules::{NodeOwned, check_port};
use super::update::apply;
use crate::Error;
use crate::driver::Reservation;
use crate::model::{Port, Portgroup, VolumeConnector, VolumeTarget};
use crate::runtime::Timestamp;
use crate::store::{Batch, Expect, Kind, Op, Stored, put_new, put_over};
use crate::transport::{AnyRecord, Change, ClientRecord, Response};

impl Inner {
    pub(super) async fn create_record(
        self: &Arc<Self>,
        record: AnyRecord,
    ) -> Result<Response, Error> {
        match record {
            AnyRecord::Allocation(record) => self.create_allocation(*record).await,
            AnyRecord::Portgroup(mut record) => {
                // A default that changes later changes no group.
                let mode = &self.config.default_portgroup_mode;
                record.mode.get_or_insert_with(|| mode.clone());
                self.create_owned(*record).await
            }
            AnyRecord::VolumeConnector(record) => self.create_owned(*record).await,
            AnyRecord::VolumeTarget(record) => self.create_owned(*record).await,
            other => Err(not_here(other.kind())),
        }
    }

    pub(super) async fn update_record(
        self: &Arc<Self>,
        kind: Kind,
        id: Uuid,
        changes: &[Change],
    ) -> Result<Response, Error> {
        match kind {
            Kind::Allocation => self.update_allocation(id, changes).await,
            Kind::Portgroup => self.update_owned::<Portgroup>(id, changes).await,
            Kind::VolumeConnector => self.update_owned::<VolumeConnector>(id, changes).await,
            Kind::VolumeTarget => self.update_owned::<VolumeTarget>(id, changes).await,
            other => Err(not_here(other)),
        }
    }

    pub(super) async fn destroy_record(
        self: &Arc<Self>,
        kind: Kind,
        id: Uuid,
    ) -> Result<Response, Error> {
        match kind {
            Kind::Allocation => self.destroy_allocation(id).await,
            Kind::Portgroup => self.destroy_owned::<Portgroup>(id).await,
            Kind::VolumeConnector => self.destroy_owned::<VolumeConnector>(id).await,
            Kind::VolumeTarget => self.destroy_owned::<VolumeTarget>(id).await,
            other => Err(not_here(other)),
        }
    }

    async fn create_owned<T: NodeOwned>(self: &Arc<Self>, record: T) -> Result<Response, Error> {
        let node = record.node().unwrap_or_default();
        let held = self.reserve(node, &format!("{} creation", T::WHAT)).await?;
        let written = match put_new(&record) {
            Ok(op) => self.write(&held, vec![op]).await,
            Err(error) => Err(error),
        };
        self.hand_back(held).await?;
        match written {
            Ok(()) => Ok(answer(record)),
            Err(Error::Conflict { id, .. }) => Err(Error::AlreadyExists {
                what: T::WHAT,
                key: format!("uuid {id}"),
            }),
            Err(error) => Err(error),
        }
    }

    async fn update_owned<T: NodeOwned>(
        self: &Arc<Self>,
        id: Uuid,
        changes: &[Change],
    ) -> Result<Response, Error> {
        let repository = &self.manager.context().repository;
        let now = self.manager.context().clock.now();
        let stored = repository.load::<T>(id).await?.value;
        let from = stored.node().unwrap_or_default();
        let to = changed(&stored, changes, now)?.node().unwrap_or_default();
        let purpose = format!("{} update", T::WHAT);
        if from == to {
            let held = self.reserve(to, &purpose).await?;
            let updated = self.update_held_record::<T>(&held, None, id, changes).await;
            self.hand_back(held).await?;
            return updated.map(answer);
        }
        // Both nodes of a record that moves are held, whoever asks: always in the same order, so
        // that no two moves wait for each other.
        let first = self.reserve(from.min(to), &purpose).await?;
        let second = match self.reserve(from.max(to), &purpose).await {
            Ok(second) => second,
            Err(error) => {
                self.hand_back(first).await?;
                return Err(error);
            }
        };
        let (left, entered) = match from < to {
            true => (&first, &second),
            false => (&second, &first),
        };
        let updated = self
            .update_held_record::<T>(entered, Some(left), id, changes)
            .await;
        let second = self.hand_back(second).await;
        self.hand_back(first).await.and(second)?;
        updated.map(answer)
    }

    /// Changes a record of the node that is held, or that is moved to it from `left`.
    async fn update_held_record<T: NodeOwned>(
        &self,
        held: &Reservation,
        left: Option<&Reservation>,
        id: Uuid,
        changes: &[Change],
    ) -> Result<T, Error> {
        let context = self.manager.context();
        let stored = context.repository.load::<T>(id).await?;
        let after = changed(&stored.value, changes, context.clock.now())?;
        let source = left.unwrap_or(held).node();
        if stored.value.node() != Some(source.uuid) || after.node() != Some(held.node().uuid) {
            return Err(Error::Conflict {
                what: T::WHAT,
                id: id.to_string(),
            });
        }
        let ports = self.ports_of(source.uuid).await?;
        let values: Vec<_> = ports.iter().map(|port| port.value.clone()).collect();
        if left.is_some() {
            // It leaves no port behind, and the node that it leaves has a say too.
            stored.value.may_go(source, &values)?;
            stored.value.may_become(&after, source, &values)?;
        }
        let moved = stored.value.may_become(&after, held.node(), &values)?;
        let mut ops = vec![put_over(&stored, &after)?];
        for port in &moved {
            if let Some(before) = ports.iter().find(|before| before.uuid == port.uuid) {
                ops.push(put_over(before, port)?);
            }
        }
        self.write(held, ops).await?;
        Ok(after)
    }

    async fn destroy_owned<T: NodeOwned>(self: &Arc<Self>, id: Uuid) -> Result<Response, Error> {
        let repository = &self.manager.context().repository;
        let node = repository.load::<T>(id).await?.value.node();
        let held = self
            .reserve(node.unwrap_or_default(), &format!("{} deletion", T::WHAT))
            .await?;
        let removed = self.destroy_held_record::<T>(&held, id).await;
        self.hand_back(held).await?;
        removed.map(|()| Response::Done)
    }

    async fn destroy_held_record<T: NodeOwned>(
        &self,
        held: &Reservation,
        id: Uuid,
    ) -> Result<(), Error> {
        let node = held.node();
        let stored = self.manager.context().repository.load::<T>(id).await?;
        if stored.value.node() != Some(node.uuid) {
            return Err(Error::Conflict {
                what: T::WHAT,
                id: id.to_string(),
            });
        }
        let ports = self.ports_of(node.uuid).await?;
        let ports: Vec<_> = ports.into_iter().map(|port| port.value).collect();
        stored.value.may_go(node, &ports)?;
        let op = Op::Delete {
            kind: T::KIND,
            id,
            expect: Expect::Revision(stored.revision),
        };
        self.write(held, vec![op]).await
    }

    /// The node's ports, in the order of their creation.
    async fn ports_of(&self, node: Uuid) -> Result<Vec<Stored<Port>>, Error> {
        self.manager.context().repository.list_of_node(node).await
    }

    /// Whether the node's state and the port's group let it be as it is to be.
    pub(super) async fn check_port(
        &self,
        held: &Reservation,
        before: Option<&Port>,
        after: &Port,
    ) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let group = match after.portgroup_uuid {
            Some(id) => repository.get::<Portgroup>(id).await?,
            None => None,
        };
        let ports = self.ports_of(after.node_uuid).await?;
        let ports: Vec<_> = ports.into_iter().map(|port| port.value).collect();
        let group = group.as_ref().map(|group| &group.value);
        check_port(before, after, held.node(), group, &ports)
    }

    pub(super) async fn write(&self, held: &Reservation, ops: Vec<Op>) -> Result<(), Error> {
        let fence = Some(held.fence());
        let repository = &self.manager.context().repository;
        repository.commit(Batch { fence, ops }).await?;
        Ok(())
    }
}

pub(super) fn answer(record: impl Into<AnyRecord>) -> Response {
    Response::Record {
        record: Box::new(record.into()),
    }
}

fn not_here(kind: Kind) -> Error {
    Error::invalid(format!("no conductor writes {kind} records: clients do"))
}

/// The record with the changes, checked.
pub(crate) fn changed<T: ClientRecord>(
    record: &T,
    changes: &[Change],
    now: Timestamp,
) -> Result<T, Error> {
    let mut after = apply(record, changes, T::SETTABLE)?;
    after.check()?;
    *after.header().updated_at = Some(now);
    Ok(after)
}
