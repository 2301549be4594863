use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Batch, Expect, Fence, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use crate::Error;
use crate::flow::Flow;
use crate::model::{
    Allocation, BiosSetting, Chassis, ConductorRecord, FirmwareComponent, HistoryEvent,
    InspectionRule, Inventory, Lock, Node, NodeSummary, NodeTrait, Port, Portgroup,
    VolumeConnector, VolumeTarget,
};
use crate::steps::{DeployTemplate, Runbook};

/// A type that a [`Repository`] keeps.
///
/// # Contract
/// - **Who calls.** [`Repository`], at every read and write. Nothing here does I/O.
/// - **Who implements.** The engine, for its own records: [`Kind`] is its list of them. A host reads
///   and writes these through a [`Repository`].
/// - **Identity.** `id` never changes while the record lives. `keys` follow from the value alone,
///   and hold no secret: they come back in errors.
/// - **Round trip.** What is read is what was written. A body of an older `SCHEMA` goes through
///   `upgrade` before it is read; one that is newer is an error, so conductors are upgraded before
///   a layout is.
/// - **Members** that a type does not know stay in a record that is written over, so that older
///   and newer conductors can share a fleet.
///
/// **Checked by** no suite.
///
/// ```
/// use ironic_core::store::{Persistent, UniqueKey};
/// use ironic_core::{Node, Uuid};
///
/// let mut node = Node::new(Uuid::from_u128(7), "fake-hardware");
/// node.name = Some("rack1-u4".to_owned());
/// assert_eq!(node.id(), node.uuid);
/// assert_eq!(node.keys(), [UniqueKey::new("name", "rack1-u4")]);
/// ```
pub trait Persistent: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// What sort of record it is.
    const KIND: Kind;
    /// What it is called in an error.
    const WHAT: &'static str;
    /// The version of the layout that is written.
    const SCHEMA: u16 = 1;

    /// Its identity.
    fn id(&self) -> Uuid;

    /// The values that no other of its kind may have.
    fn keys(&self) -> Vec<UniqueKey> {
        Vec::new()
    }

    /// Brings a body of an older `schema` to [`Persistent::SCHEMA`].
    fn upgrade(_schema: u16, _body: &mut Map<String, Value>) {}
}

macro_rules! persistent {
    ($type:ty, $kind:ident, $what:literal $(, $self:ident => $keys:expr)?) => {
        impl Persistent for $type {
            const KIND: Kind = Kind::$kind;
            const WHAT: &'static str = $what;
            fn id(&self) -> Uuid {
                self.uuid
            }
            $(fn keys(&$self) -> Vec<UniqueKey> {
                $keys
            })?
        }
    };
}

persistent!(Node, Node, "node", self => {
    let name = self.name.as_ref().map(|name| UniqueKey::new("name", name));
    let instance = self.instance_uuid.map(|id| UniqueKey::new("instance_uuid", id));
    name.into_iter().chain(instance).collect()
});
persistent!(Port, Port, "port", self => {
    let name = self.name.as_ref().map(|name| UniqueKey::new("name", name));
    [UniqueKey::new("address", &self.address)].into_iter().chain(name).collect()
});
persistent!(Flow, Flow, "flow");
persistent!(Lock, Lock, "lock");
persistent!(Inventory, Inventory, "inventory");
persistent!(HistoryEvent, History, "history event");
persistent!(NodeTrait, Trait, "trait");
persistent!(BiosSetting, BiosSetting, "BIOS setting");
persistent!(FirmwareComponent, FirmwareComponent, "firmware component");
persistent!(Chassis, Chassis, "chassis");
persistent!(InspectionRule, InspectionRule, "inspection rule");
persistent!(Portgroup, Portgroup, "port group", self => {
    let name = self.name.as_ref().map(|name| UniqueKey::new("name", name));
    let address = self.address.as_ref().map(|address| UniqueKey::new("address", address));
    name.into_iter().chain(address).collect()
});
persistent!(VolumeConnector, VolumeConnector, "volume connector", self => {
    // As JSON, so that no two pairs look the same.
    vec![UniqueKey::new("connector", serde_json::json!([self.kind, self.connector_id]))]
});
persistent!(VolumeTarget, VolumeTarget, "volume target", self => {
    vec![UniqueKey::new("boot_index", format!("{} of node {}", self.boot_index, self.node_uuid))]
});
persistent!(Allocation, Allocation, "allocation", self => {
    self.name.iter().map(|name| UniqueKey::new("name", name)).collect()
});
persistent!(DeployTemplate, DeployTemplate, "deploy template", self => vec![UniqueKey::new("name", &self.name)]);
persistent!(Runbook, Runbook, "runbook", self => vec![UniqueKey::new("name", &self.name)]);
persistent!(ConductorRecord, Conductor, "conductor", self => vec![UniqueKey::new("hostname", &self.hostname)]);

/// A value with the version at which it was read.
#[derive(Clone)]
pub struct Stored<T> {
    /// The value; change it, then write it back.
    pub value: T,
    /// The revision that was read.
    pub revision: Revision,
    body: Arc<RawValue>,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Stored<T> {
    /// Prints the value as it prints itself; the body would show what that masks.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("value", &self.value)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl<T> std::ops::Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Persistent> TryFrom<Record> for Stored<T> {
    type Error = Error;

    /// Reads a record of this type, as a [`Repository`] does.
    fn try_from(record: Record) -> Result<Self, Error> {
        read(record)
    }
}

/// Typed access to a [`Store`]: the engine's only way to it.
#[derive(Clone)]
pub struct Repository {
    store: Arc<dyn Store>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Repository")
    }
}

/// How often a merging update is tried again before it gives up.
const MERGE_ATTEMPTS: u32 = 32;

impl Repository {
    /// A repository over this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The store underneath.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The record of this identity, if there is one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails or holds what this version cannot read.
    pub async fn get<T: Persistent>(&self, id: Uuid) -> Result<Option<Stored<T>>, Error> {
        self.store.get(T::KIND, id).await?.map(read).transpose()
    }

    /// The record of this identity.
    ///
    /// # Errors
    /// [`Error::NotFound`]; otherwise as [`Repository::get`].
    pub async fn load<T: Persistent>(&self, id: Uuid) -> Result<Stored<T>, Error> {
        self.get(id)
            .await?
            .ok_or_else(|| Error::not_found(T::WHAT, id))
    }

    /// The record with this unique key.
    ///
    /// # Errors
    /// As [`Repository::get`].
    pub async fn find<T: Persistent>(
        &self,
        field: &str,
        value: impl ToString,
    ) -> Result<Option<Stored<T>>, Error> {
        self.store
            .find(T::KIND, &UniqueKey::new(field, value))
            .await?
            .map(read)
            .transpose()
    }

    /// The records that match.
    ///
    /// # Errors
    /// As [`Repository::get`]; [`Error::InvalidParameter`] for a marker that does not exist.
    pub async fn list<T: Persistent>(&self, query: &Query) -> Result<Vec<Stored<T>>, Error> {
        debug_assert_eq!(query.kind, T::KIND);
        self.store
            .list(query)
            .await?
            .into_iter()
            .map(read)
            .collect()
    }

    /// The nodes that match, as lists show them; what else the query says of fields is ignored.
    /// A store that keeps the members of [`NodeSummary`] apart reads no more than these.
    ///
    /// # Errors
    /// As [`Repository::list`].
    pub async fn summaries(&self, query: &Query) -> Result<Vec<NodeSummary>, Error> {
        let fields = NodeSummary::FIELDS.map(str::to_owned);
        let query = query.clone().fields(fields.to_vec());
        let mut summaries = Vec::new();
        for record in self.store.list(&query).await? {
            if record.schema == Node::SCHEMA {
                summaries.push(value::<Node, _>(record.id, &record.body)?);
                continue;
            }
            // What an older layout means is known for whole bodies only; a newer one is refused.
            // A node that has gone since then is no longer listed.
            let whole = self.get::<Node>(record.id).await?;
            summaries.extend(whole.map(|node| NodeSummary::from(node.value)));
        }
        Ok(summaries)
    }

    /// Creates a record.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when its identity or one of its unique keys is taken.
    pub async fn create<T: Persistent>(&self, value: &T) -> Result<Revision, Error> {
        let batch = Batch {
            fence: None,
            ops: vec![put_new(value)?],
        };
        match self.store.commit(batch).await {
            Ok(revisions) => Ok(revisions.first().copied().unwrap_or_default()),
            Err(StoreError::Conflict { id, .. }) => Err(Error::AlreadyExists {
                what: T::WHAT,
                key: format!("uuid {id}"),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes facts of a record. What `change` did is taken down member by member; when
    /// somebody else wrote meanwhile it is applied to what they wrote (an array counts as one
    /// value), after `change` has been run again on it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what `change` answers; [`Error::AlreadyExists`] for a unique key
    /// that is taken; [`Error::Conflict`] when others kept writing 32 times in a row.
    pub async fn update<T: Persistent, R>(
        &self,
        id: Uuid,
        fence: Option<Fence>,
        mut change: impl FnMut(&mut T) -> Result<R, Error> + Send,
    ) -> Result<(T, R), Error> {
        for _ in 0..MERGE_ATTEMPTS {
            let stored = self.load::<T>(id).await?;
            let mut value = stored.value.clone();
            let answer = change(&mut value)?;
            let Some(op) = put_changed(&stored, &value)? else {
                return Ok((value, answer));
            };
            match self
                .store
                .commit(Batch {
                    fence,
                    ops: vec![op],
                })
                .await
            {
                Ok(_) => return Ok((value, answer)),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict {
            what: T::WHAT,
            id: id.to_string(),
        })
    }

    /// Removes a record, if it is there.
    ///
    /// # Errors
    /// As [`Repository::get`].
    pub async fn delete<T: Persistent>(&self, id: Uuid) -> Result<(), Error> {
        let op = Op::Delete {
            kind: T::KIND,
            id,
            expect: Expect::Any,
        };
        self.store
            .commit(Batch {
                fence: None,
                ops: vec![op],
            })
            .await?;
        Ok(())
    }

    /// Applies a batch as it is.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.store.commit(batch).await
    }
}

/// The operation that writes a record that does not exist yet.
///
/// # Errors
/// [`Error::Internal`] when it cannot be written as JSON.
pub(crate) fn put_new<T: Persistent>(value: &T) -> Result<Op, Error> {
    Ok(Op::Put {
        record: record(value, body(value)?),
        expect: Expect::Absent,
    })
}

/// The operation that turns `stored` into `value`, if it is still as it was read, whether or not
/// they differ: a decision is bound to what it looked at.
pub(crate) fn put_over<T: Persistent>(stored: &Stored<T>, value: &T) -> Result<Op, Error> {
    put_between(stored, value, &body(&stored.value)?, body(value)?)
}

/// The same; `None` when there is no difference.
fn put_changed<T: Persistent>(stored: &Stored<T>, value: &T) -> Result<Option<Op>, Error> {
    let (before, after) = (body(&stored.value)?, body(value)?);
    if before.get() == after.get() {
        return Ok(None);
    }
    put_between(stored, value, &before, after).map(Some)
}

/// `before` and `after` are the stored value and the new one, as they are written.
fn put_between<T: Persistent>(
    stored: &Stored<T>,
    value: &T,
    before: &RawValue,
    after: Box<RawValue>,
) -> Result<Op, Error> {
    // A body that is written just as its value has no members but those that the value knows.
    let body = if stored.body.get() == before.get() {
        after
    } else {
        with_unknown(stored, value, after)?
    };
    Ok(Op::Put {
        record: record(value, body),
        expect: Expect::Revision(stored.revision),
    })
}

/// `after`, the new value as it is written, with the members of the stored body that this version
/// does not know.
fn with_unknown<T: Persistent>(
    stored: &Stored<T>,
    value: &T,
    after: Box<RawValue>,
) -> Result<Box<RawValue>, Error> {
    let known = object(value)?;
    let mut whole: Map<String, Value> = self::value::<T, _>(value.id(), &stored.body)?;
    merge(&mut whole, &object(&stored.value)?, &known);
    // The same members in another order: the next to write need not look at them one by one.
    if whole == known {
        return Ok(after);
    }
    to_raw_value(&whole).map_err(|e| unwritable::<T>(&e))
}

/// The value that `op` has written at `revision`, as if it had been read back.
pub(crate) fn written<T: Persistent>(op: &Op, value: T, revision: Revision) -> Option<Stored<T>> {
    match op {
        Op::Put { record, .. } => Some(Stored {
            value,
            revision,
            body: record.body.clone(),
        }),
        Op::Delete { .. } => None,
    }
}

/// `theirs` with the changes that lead from `before` to `after`: for a decision's node, onto
/// which a driver's changes are carried over after somebody else has written.
pub(crate) fn rebase<T: Persistent>(before: &T, after: &T, theirs: &T) -> Result<T, Error> {
    let mut body = object(theirs)?;
    merge(&mut body, &object(before)?, &object(after)?);
    serde_json::from_value(Value::Object(body))
        .map_err(|e| Error::internal(format!("{} cannot be merged: {e}", T::WHAT)))
}

/// Takes the changes from `before` to `after` down to `onto`, member by member. A map that is not
/// there counts as an empty one: two who each add the first member of one do not see each other.
fn merge(onto: &mut Map<String, Value>, before: &Map<String, Value>, after: &Map<String, Value>) {
    let none = Map::new();
    for (key, old) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        match (old, onto.get_mut(key)) {
            (Value::Object(old), Some(Value::Object(theirs))) => {
                merge(theirs, old, &none);
                if theirs.is_empty() {
                    onto.remove(key);
                }
            }
            _ => {
                onto.remove(key);
            }
        }
    }
    for (key, new) in after {
        match (before.get(key), new, onto.get_mut(key)) {
            (Some(old), new, _) if old == new => {}
            (Some(Value::Object(old)), Value::Object(new), Some(Value::Object(theirs))) => {
                merge(theirs, old, new)
            }
            (None, Value::Object(new), Some(Value::Object(theirs))) => merge(theirs, &none, new),
            (_, new, _) => {
                onto.insert(key.clone(), new.clone());
            }
        }
    }
}

fn object<T: Persistent>(value: &T) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Error::internal(format!("{} is no JSON object", T::WHAT))),
        Err(error) => Err(unwritable::<T>(&error)),
    }
}

fn body<T: Persistent>(value: &T) -> Result<Box<RawValue>, Error> {
    let body = to_raw_value(value).map_err(|error| unwritable::<T>(&error))?;
    if nesting(body.get()) > MAX_NESTING {
        let message = format!(
            "a {} cannot have values nested more than {MAX_NESTING} levels deep",
            T::WHAT
        );
        return Err(Error::invalid(message));
    }
    Ok(body)
}

/// How deep the objects and arrays of a body may be nested. What is nested deeper than 128 levels
/// could be written, but not be read again.
const MAX_NESTING: usize = 100;

/// How deep the objects and arrays of this JSON are nested.
fn nesting(json: &str) -> usize {
    let (mut deep, mut deepest) = (0_usize, 0);
    let mut bytes = json.bytes();
    let mut in_text = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                bytes.next();
            }
            b'{' | b'[' if !in_text => {
                deep += 1;
                deepest = deepest.max(deep);
            }
            b'}' | b']' if !in_text => deep = deep.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn unwritable<T: Persistent>(error: &serde_json::Error) -> Error {
    Error::internal(format!("{} cannot be written: {error}", T::WHAT))
}

fn record<T: Persistent>(value: &T, body: Box<RawValue>) -> Record {
    Record {
        kind: T::KIND,
        id: value.id(),
        created: Revision::default(),
        revision: Revision::default(),
        schema: T::SCHEMA,
        keys: value.keys(),
        body: body.into(),
    }
}

/// `V` from the body of a record of the kind of `T`.
fn value<T: Persistent, V: DeserializeOwned>(id: Uuid, body: &RawValue) -> Result<V, Error> {
    serde_json::from_str(body.get()).map_err(|e| {
        StoreError::Corrupt {
            kind: T::KIND,
            id,
            message: e.to_string(),
        }
        .into()
    })
}

fn read<T: Persistent>(record: Record) -> Result<Stored<T>, Error> {
    let corrupt = |message: String| StoreError::Corrupt {
        kind: T::KIND,
        id: record.id,
        message,
    };
    let body = match record.schema {
        same if same == T::SCHEMA => record.body,
        newer if newer > T::SCHEMA => {
            return Err(corrupt(format!(
                "schema {newer} is newer than {}; upgrade this program",
                T::SCHEMA
            ))
            .into());
        }
        older => {
            let mut body = value::<T, Map<String, Value>>(record.id, &record.body)?;
            T::upgrade(older, &mut body);
            to_raw_value(&body)
                .map_err(|e| corrupt(e.to_string()))?
                .into()
        }
    };
    Ok(Stored {
        value: value::<T, T>(record.id, &body)?,
        revision: record.revision,
        body,
    })
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { kind, id } => Self::Conflict {
                what: kind.as_str(),
                id: id.to_string(),
            },
            StoreError::Duplicate { kind, key } => Self::AlreadyExists {
                what: kind.as_str(),
                key: key.to_string(),
            },
            StoreError::NoMarker { kind, id } => Self::invalid(format!("marker {id} is no {kind}")),
            StoreError::Unavailable { message } => Self::Unreachable {
                what: "the store".into(),
                message,
            },
            other => Self::internal(other.to_string()),
        }
    }
}
