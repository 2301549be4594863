//! Records besides nodes and ports: one way for all types.

use uuid::Uuid;

use super::announce::body;
use super::{Client, unexpected};
use crate::Error;
use crate::conductor::{applied, changed};
use crate::model::Chassis;
use crate::notify::RecordChange;
use crate::store::{Batch, Expect, Filter, Kind, Op, Persistent, Query, StoreError};
use crate::transport::{Call, Change, ClientRecord, Request, Response, WrittenBy};

/// How often a chassis is looked at again because a node has moved into it or out of it meanwhile.
const ATTEMPTS: u32 = 8;

impl Client {
    /// Creates a record; a nil uuid is replaced by a new one.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when its identity or one of its unique values is taken;
    /// [`Error::InvalidParameter`] names the field at fault; for a record of a node
    /// [`Error::NotFound`] without its node and [`Error::NodeLocked`].
    pub async fn create_record<T: ClientRecord>(&self, mut record: T) -> Result<T, Error> {
        record.check()?;
        let (now, header) = (self.clock.now(), record.header());
        if header.uuid.is_nil() {
            *header.uuid = self.entropy.uuid();
        }
        *header.created_at = now;
        *header.updated_at = None;
        if T::WRITTEN_BY == WrittenBy::Client {
            let work = self.repository.create(&record);
            let planned = || body(&record);
            self.announced::<T, _>(RecordChange::Create, planned, work, |_| None)
                .await?;
            return Ok(record);
        }
        let (id, node) = (record.id(), record.node());
        let record = Box::new(record.into());
        self.written(id, node, Call::CreateRecord { record }).await
    }

    /// The record of this identity.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn record<T: Persistent>(&self, id: Uuid) -> Result<T, Error> {
        Ok(self.repository.load::<T>(id).await?.value)
    }

    /// The record of this uuid or name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find_record<T: Persistent>(&self, ident: &str) -> Result<T, Error> {
        Ok(self.repository.load_by_ident::<T>(ident).await?.value)
    }

    /// The records that match, of every type: also of those that only the engine writes.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a marker that does not exist, and for a query of another
    /// kind; what the store answers.
    pub async fn records<T: Persistent>(&self, query: &Query) -> Result<Vec<T>, Error> {
        if query.kind != T::KIND {
            return Err(Error::invalid(format!(
                "a query for {}s lists no {}s",
                query.kind,
                T::KIND
            )));
        }
        let records = self.repository.list::<T>(query).await?;
        Ok(records.into_iter().map(|record| record.value).collect())
    }

    /// The records that belong to this node, in the order of their creation.
    ///
    /// # Errors
    /// [`Error::NotFound`] without the node; what the store answers.
    pub async fn records_of<T: Persistent>(&self, node: Uuid) -> Result<Vec<T>, Error> {
        self.node(node).await?;
        let records = self.repository.list_of_node::<T>(node).await?;
        Ok(records.into_iter().map(|record| record.value).collect())
    }

    /// Changes a record: all of the changes or none.
    ///
    /// # Errors
    /// [`Error::NotFound`]; otherwise as [`Client::create_record`]; for a record of a node
    /// [`Error::InvalidState`] and [`Error::StateConflict`] where the node's state forbids it.
    pub async fn update_record<T: ClientRecord>(
        &self,
        id: Uuid,
        changes: Vec<Change>,
    ) -> Result<T, Error> {
        if T::WRITTEN_BY == WrittenBy::Client {
            let before = self.record::<T>(id).await?;
            let planned = || applied(body(&before), &changes);
            let work = self.change::<T>(id, &changes);
            let became = |record: &T| Some(body(record));
            return self
                .announced::<T, _>(RecordChange::Update, planned, work, became)
                .await;
        }
        let node = match changes.iter().rev().find_map(new_node).transpose()? {
            Some(node) => Some(node),
            None => self.record::<T>(id).await?.node(),
        };
        let kind = T::KIND;
        let call = Call::UpdateRecord { kind, id, changes };
        self.written(id, node, call).await
    }

    /// Changes a record by what it is: `edit` gets it as it stands, and again if somebody else has
    /// written to it meanwhile, so that neither's change is lost. Its identity stays.
    ///
    /// # Errors
    /// What `edit` answers; otherwise as [`Client::update_record`];
    /// [`Error::InvalidParameter`] for a record of a type that conductors write.
    pub async fn edit_record<T: ClientRecord>(
        &self,
        id: Uuid,
        mut edit: impl FnMut(&mut T) -> Result<(), Error> + Send,
    ) -> Result<T, Error> {
        if T::WRITTEN_BY != WrittenBy::Client {
            return Err(Error::invalid(format!(
                "a {} is changed by the conductor that keeps its node",
                T::WHAT
            )));
        }
        let now = self.clock.now();
        let mut edited = move |record: &mut T| {
            let mut after = record.clone();
            edit(&mut after)?;
            let (header, before) = (after.header(), record.header());
            *header.uuid = *before.uuid;
            *header.created_at = *before.created_at;
            *header.updated_at = Some(now);
            after.check()?;
            *record = after;
            Ok(())
        };
        let mut planned = self.record::<T>(id).await?;
        edited(&mut planned)?;
        let work = async {
            let (record, ()) = self.repository.update::<T, ()>(id, None, edited).await?;
            Ok(record)
        };
        let became = |record: &T| Some(body(record));
        self.announced::<T, _>(RecordChange::Update, || body(&planned), work, became)
            .await
    }

    /// Removes a record.
    ///
    /// # Errors
    /// As [`Client::update_record`]; [`Error::InvalidParameter`] when others stand on it.
    pub async fn delete_record<T: ClientRecord>(&self, id: Uuid) -> Result<(), Error> {
        let record = self.record::<T>(id).await?;
        if T::WRITTEN_BY == WrittenBy::Client {
            let work = async {
                match T::KIND {
                    Kind::Chassis => self.delete_chassis(id).await,
                    _ => self.repository.delete::<T>(id).await,
                }
            };
            let planned = || body(&record);
            return self
                .announced::<T, _>(RecordChange::Delete, planned, work, |()| None)
                .await;
        }
        let kind = T::KIND;
        let call = Call::DestroyRecord { kind, id };
        match self.ask_writer(id, record.node(), call).await? {
            Response::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn written<T: ClientRecord>(
        &self,
        id: Uuid,
        node: Option<Uuid>,
        call: Call,
    ) -> Result<T, Error> {
        match self.ask_writer(id, node, call).await? {
            Response::Record { record } => (*record).try_into(),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks the conductor that keeps the record's node, or where it has none any that lives; which
    /// of these depends on the record, so that the work is spread.
    async fn ask_writer(
        &self,
        id: Uuid,
        node: Option<Uuid>,
        call: Call,
    ) -> Result<Response, Error> {
        if let Some(node) = node {
            return self.ask_keeper(&self.node(node).await?, call).await;
        }
        let living = || {
            let all = self.membership.conductors().into_iter();
            let living = all.filter(|(_, lives)| *lives);
            living.map(|(one, _)| one.hostname).collect::<Vec<_>>()
        };
        let mut hosts = living();
        if hosts.is_empty() {
            self.membership.refresh().await?;
            hosts = living();
        }
        let count = u128::try_from(hosts.len()).unwrap_or(1).max(1);
        let at = usize::try_from(id.as_u128() % count).unwrap_or(0);
        let host = hosts.get(at).ok_or_else(|| Error::NoValidHost {
            reason: "no conductor lives".to_owned(),
        })?;
        let request = Request::new(self.context.clone(), call);
        self.transport.call(host, request).await
    }

    async fn change<T: ClientRecord>(&self, id: Uuid, changes: &[Change]) -> Result<T, Error> {
        let now = self.clock.now();
        let (record, ()) = self
            .repository
            .update::<T, ()>(id, None, |record| {
                *record = changed(record, changes, now)?;
                Ok(())
            })
            .await?;
        Ok(record)
    }

    /// Removes a chassis in which no node stands: a node that moves in writes to it too, so none
    /// can do so unseen.
    async fn delete_chassis(&self, id: Uuid) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let chassis = self.repository.load::<Chassis>(id).await?;
            let within = Filter::text("chassis_uuid", id.to_string());
            let nodes = self.repository.store().count(Kind::Node, &within).await?;
            if nodes > 0 {
                return Err(Error::invalid(format!(
                    "chassis {id} cannot be removed: {nodes} nodes stand in it"
                )));
            }
            let op = Op::Delete {
                kind: Kind::Chassis,
                id,
                expect: Expect::Revision(chassis.revision),
            };
            let batch = Batch {
                fence: None,
                ops: vec![op],
            };
            match self.repository.commit(batch).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict {
            what: Chassis::WHAT,
            id: id.to_string(),
        })
    }
}

/// The node that the change moves the record to.
fn new_node(change: &Change) -> Option<Result<Uuid, Error>> {
    let named = change.path.iter().map(String::as_str).eq(["node_uuid"]);
    let value = change.value.as_ref().filter(|_| named)?;
    let node = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
    Some(node.ok_or_else(|| Error::invalid(format!("node_uuid must be a uuid, not {value}"))))
}
