use std::{fmt, sync::Arc};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::secret::{MASK, masked};

string_enum! {
    /// What sort of record.
    #[non_exhaustive]
    pub enum Kind("record kind") {
        /// A machine.
        Node = "node",
        /// What is going on with a machine.
        Flow = "flow",
        /// Who may write to a machine.
        Lock = "lock",
        /// A network port.
        Port = "port",
        /// A group of ports.
        Portgroup = "portgroup",
        /// A chassis.
        Chassis = "chassis",
        /// A claim on a machine.
        Allocation = "allocation",
        /// Deploy steps by trait.
        DeployTemplate = "deploy_template",
        /// Steps by name.
        Runbook = "runbook",
        /// What to do with what inspection found.
        InspectionRule = "inspection_rule",
        /// How a machine reaches a volume.
        VolumeConnector = "volume_connector",
        /// A volume that a machine uses.
        VolumeTarget = "volume_target",
        /// A firmware setting.
        BiosSetting = "bios_setting",
        /// A piece of firmware.
        FirmwareComponent = "firmware_component",
        /// A trait of a machine.
        Trait = "trait",
        /// What inspection found.
        Inventory = "inventory",
        /// Something that happened to a machine.
        History = "history",
        /// A conductor.
        Conductor = "conductor",
    }
}

/// A number from the store's one counter.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

/// A value that no two records of a kind share, such as a node's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UniqueKey {
    /// The field that it stands for.
    pub field: String,
    /// Its value.
    pub value: String,
}

impl UniqueKey {
    /// The key `field` = `value`.
    pub fn new(field: impl Into<String>, value: impl ToString) -> Self {
        Self {
            field: field.into(),
            value: value.to_string(),
        }
    }
}

impl std::fmt::Display for UniqueKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.field, self.value)
    }
}

/// A JSON object with its identity and version.
#[derive(Clone)]
pub struct Record {
    /// What sort of record.
    pub kind: Kind,
    /// Its identity within the kind.
    pub id: Uuid,
    /// The revision that created it.
    pub created: Revision,
    /// The revision that last wrote it.
    pub revision: Revision,
    /// The version of the body's layout.
    pub schema: u16,
    /// The values that no other record of the kind may have.
    pub keys: Vec<UniqueKey>,
    /// A JSON object, compact, without nulls and defaults. Shared, so that a record is cheap to
    /// clone however large it is.
    pub body: Arc<RawValue>,
}

impl fmt::Debug for Record {
    /// Prints the record with every secret masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = serde_json::from_str::<Map<String, Value>>(self.body.get())
            .map(|body| Value::Object(masked(&body, MASK)).to_string())
            .unwrap_or_else(|_| format!("{} bytes", self.body.get().len()));
        f.debug_struct("Record")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("created", &self.created)
            .field("revision", &self.revision)
            .field("schema", &self.schema)
            .field("keys", &self.keys)
            .field("body", &format_args!("{body}"))
            .finish()
    }
}

impl Record {
    /// The record as JSON: for stores that keep bytes.
    ///
    /// # Errors
    /// None that a body of valid JSON leads to.
    pub fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let kept = (
            self.created,
            self.revision,
            self.schema,
            &self.keys,
            &*self.body,
        );
        serde_json::to_vec(&kept).map_err(|error| corrupt(self.kind, self.id, &error))
    }

    /// Reads what [`Record::encode`] gave for the record of this kind and id.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is something else.
    pub fn decode(kind: Kind, id: Uuid, bytes: &[u8]) -> Result<Self, StoreError> {
        type Kept = (Revision, Revision, u16, Vec<UniqueKey>, Box<RawValue>);
        let kept = serde_json::from_slice::<Kept>(bytes);
        let (created, revision, schema, keys, body) = kept.map_err(|e| corrupt(kind, id, &e))?;
        Ok(Self {
            kind,
            id,
            created,
            revision,
            schema,
            keys,
            body: body.into(),
        })
    }
}

pub(super) fn corrupt(kind: Kind, id: Uuid, error: &serde_json::Error) -> StoreError {
    let message = error.to_string();
    StoreError::Corrupt { kind, id, message }
}

/// What a record must be for an operation to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It does not exist.
    Absent,
    /// It exists at this revision.
    Revision(Revision),
    /// Anything.
    Any,
}

impl Expect {
    /// Whether a record that is at this revision, or does not exist, is as expected.
    pub fn is_met_by(self, current: Option<Revision>) -> bool {
        match self {
            Self::Absent => current.is_none(),
            Self::Revision(revision) => current == Some(revision),
            Self::Any => true,
        }
    }
}

/// A part of a batch.
#[derive(Debug, Clone)]
pub enum Op {
    /// Writes a record.
    Put {
        /// What to write; its `created` and `revision` are ignored.
        record: Record,
        /// What has to be there.
        expect: Expect,
    },
    /// Removes a record; one that does not exist is no error under `Expect::Any`.
    Delete {
        /// What sort.
        kind: Kind,
        /// Which one.
        id: Uuid,
        /// What has to be there.
        expect: Expect,
    },
}

impl Op {
    /// What sort of record it is about, and which one.
    pub fn target(&self) -> (Kind, Uuid) {
        match self {
            Self::Put { record, .. } => (record.kind, record.id),
            Self::Delete { kind, id, .. } => (*kind, *id),
        }
    }

    /// What has to be there for it.
    pub fn expect(&self) -> Expect {
        match self {
            Self::Put { expect, .. } | Self::Delete { expect, .. } => *expect,
        }
    }
}

/// Proof of holding a node: checked atomically against its `Kind::Lock` record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The node.
    pub node: Uuid,
    /// The epoch at which its lock was acquired.
    pub epoch: u64,
}

impl Fence {
    /// Whether this record, the node's `Kind::Lock` record before the batch, lets the batch through.
    pub fn holds(&self, lock: Option<&Record>) -> bool {
        /// The two members of [`Lock`](crate::model::Lock) whose names never change.
        #[derive(Deserialize)]
        struct Held {
            #[serde(default)]
            holder: Option<IgnoredAny>,
            epoch: u64,
        }
        let held = lock.and_then(|lock| serde_json::from_str::<Held>(lock.body.get()).ok());
        held.is_some_and(|held| held.holder.is_some() && held.epoch == self.epoch)
    }
}

/// Operations that happen together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The lock that has to be held.
    pub fence: Option<Fence>,
    /// What to do.
    pub ops: Vec<Op>,
}

/// What went wrong in a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A record is not what the batch expected it to be.
    #[error("{kind} {id} is not at the expected revision")]
    Conflict {
        /// What sort of record.
        kind: Kind,
        /// Which one.
        id: Uuid,
    },
    /// Another record has this unique key.
    #[error("another {kind} has the {key}")]
    Duplicate {
        /// What sort of record.
        kind: Kind,
        /// The key.
        key: UniqueKey,
    },
    /// The lock is not held any more.
    #[error("the lock of node {node} is no longer held at epoch {epoch}")]
    Fenced {
        /// The node.
        node: Uuid,
        /// The epoch of the refused batch.
        epoch: u64,
    },
    /// The marker of a list does not exist.
    #[error("there is no {kind} {id} to continue after")]
    NoMarker {
        /// What sort of record.
        kind: Kind,
        /// The marker.
        id: Uuid,
    },
    /// What is stored makes no sense.
    #[error("the stored {kind} {id} cannot be read: {message}")]
    Corrupt {
        /// What sort of record.
        kind: Kind,
        /// Which one.
        id: Uuid,
        /// What is wrong with it.
        message: String,
    },
    /// The store cannot be reached, or failed.
    #[error("the store is not available: {message}")]
    Unavailable {
        /// What it said.
        message: String,
    },
}

impl StoreError {
    /// The store cannot be reached, or failed, by what it said.
    pub fn unavailable(message: impl fmt::Display) -> Self {
        Self::Unavailable {
            message: message.to_string(),
        }
    }

    /// Whether trying the same again may succeed. `Conflict` is not: read again first.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
