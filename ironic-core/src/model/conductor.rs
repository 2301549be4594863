use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::is_default;
use crate::runtime::Timestamp;
use crate::states::InterfaceKind;

/// The interfaces of one kind that a hardware type has on a conductor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegisteredInterfaces {
    /// Those that are enabled and work on it, in the order of the alphabet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enabled: Vec<String>,
    /// The one that a node gets that names none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub default: String,
}

impl RegisteredInterfaces {
    /// These interfaces, with this one for nodes that name none.
    pub fn new(enabled: Vec<String>, default: impl Into<String>) -> Self {
        Self {
            enabled,
            default: default.into(),
        }
    }
}

/// A process that looks after nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConductorRecord {
    /// Derived from the host name, so that no name is registered twice.
    pub uuid: Uuid,
    /// Its name on the ring and on the transport.
    pub hostname: String,
    /// The group of nodes that it looks after; empty for the default group.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conductor_group: String,
    /// The hardware types that it has enabled, in order of name.
    pub drivers: Vec<String>,
    /// What nodes of each of those may have; empty in records of before this was told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub interfaces: BTreeMap<String, BTreeMap<InterfaceKind, RegisteredInterfaces>>,
    /// Whether it takes work; false once it has begun to stop.
    pub online: bool,
    /// Whether it has stopped in good order: nothing of it runs, and it holds no node.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stopped: bool,
    /// Rises at each keep-alive. Others judge by how long, on their own clock, it has not.
    pub beat: u64,
    /// Drawn anew at each start: tells one life of a host name from the next.
    pub incarnation: Uuid,
    /// When it registered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// The wall-clock time of the last keep-alive, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl ConductorRecord {
    /// The identity of the conductor with this host name.
    pub fn id(hostname: &str) -> Uuid {
        Uuid::new_v5(
            &Uuid::NAMESPACE_DNS,
            format!("conductor:{hostname}").as_bytes(),
        )
    }

    /// A conductor at its start.
    pub fn new(hostname: impl Into<String>, incarnation: Uuid) -> Self {
        let hostname = hostname.into();
        Self {
            uuid: Self::id(&hostname),
            hostname,
            conductor_group: String::new(),
            drivers: Vec::new(),
            interfaces: BTreeMap::new(),
            online: true,
            stopped: false,
            beat: 0,
            incarnation,
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }
}
