use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::managed::{check_length, check_name, header};
use super::{JsonMap, Managed, is_default, is_valid_trait};
use crate::Error;
use crate::runtime::Timestamp;

string_enum! {
    /// How far an allocation is.
    #[non_exhaustive]
    pub enum AllocationState("allocation state") {
        /// A machine is being looked for.
        Allocating = "allocating",
        /// It has a machine.
        Active = "active",
        /// No machine was found.
        Error = "error",
    }
}

/// A claim on a machine: of any that fits, or of one that is in use already.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Allocation {
    /// Its identity, which becomes that of the instance on the machine.
    pub uuid: Uuid,
    /// What the caller gave for an identity, where that is no uuid: [`Allocation::id_of`] it is
    /// the identity then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_id: Option<String>,
    /// A unique name. A machine of the same name is preferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The machine that it has. In a request: one that is active already, to be claimed as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_uuid: Option<Uuid>,
    /// How far it is.
    pub state: AllocationState,
    /// Why no machine was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The class that the machine has to be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_class: Option<String>,
    /// The traits that the machine has to have, and the instance gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<String>,
    /// The machines that come into question; none named stands for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate_nodes: Vec<Uuid>,
    /// Whose it is: only machines that this project owns or leases come into question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Anything that the caller wants to remember.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: JsonMap,
    /// The conductor that looks for a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conductor: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

masked_debug!(Allocation);

impl Allocation {
    /// A claim on any machine of this class; a nil uuid is replaced by a new one.
    pub fn new(uuid: Uuid, resource_class: impl Into<String>) -> Self {
        Self::of(uuid, Some(resource_class.into()), None)
    }

    /// A claim on a machine that is active already.
    pub fn backfill(uuid: Uuid, node: Uuid) -> Self {
        Self::of(uuid, None, Some(node))
    }

    /// The identity of the allocation that is known by this text, which is no uuid.
    pub fn id_of(given: &str) -> Uuid {
        Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("allocation:{given}").as_bytes(),
        )
    }

    fn of(uuid: Uuid, resource_class: Option<String>, node_uuid: Option<Uuid>) -> Self {
        Self {
            uuid,
            given_id: None,
            name: None,
            node_uuid,
            state: AllocationState::Allocating,
            last_error: None,
            resource_class,
            traits: Vec::new(),
            candidate_nodes: Vec::new(),
            owner: None,
            extra: Map::new(),
            conductor: None,
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }
}

impl Managed for Allocation {
    const SETTABLE: &'static [&'static str] = &["name", "extra"];

    header!();

    fn node(&self) -> Option<Uuid> {
        self.node_uuid
    }

    fn check(&mut self) -> Result<(), Error> {
        let what = "allocation";
        check_name(what, self.name.as_deref())?;
        check_length(what, "owner", self.owner.as_deref(), 255)?;
        let class = self.resource_class.as_deref();
        check_length(what, "resource_class", class, 80)?;
        match self.traits.iter().find(|name| !is_valid_trait(name)) {
            Some(name) => Err(Error::invalid(format!("{name:?} is no trait"))),
            None => Ok(()),
        }
    }
}
