use serde::{Deserialize, Serialize};

use crate::Error;
use crate::model::{
    Allocation, Chassis, InspectionRule, Managed, Portgroup, VolumeConnector, VolumeTarget,
};
use crate::notify::Object;
use crate::steps::{DeployTemplate, Runbook};
use crate::store::{Kind, Persistent};

/// Who writes records of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrittenBy {
    /// The client itself: they belong to no node.
    Client,
    /// The conductor that looks after their node, while that is held.
    NodesConductor,
    /// Any conductor, which goes on working at them.
    AnyConductor,
}

/// A record type that a [`Client`](crate::client::Client) creates, changes and removes.
///
/// # Contract
/// - **Who calls.** The client, to find out who writes a record, and to put it into a request.
/// - **Who implements.** The engine, for the types of [`AnyRecord`] and no others.
/// - **Round trip.** A record comes back from its [`AnyRecord`] as it went in; another type's is an
///   error.
/// - **Lock.** As [`WRITTEN_BY`](Self::WRITTEN_BY) says: what belongs to a node is written under its
///   lock, the rest by expectation of a revision.
///
/// **Checked by** no suite; `every_call_arrives_as_it_was_sent`, of the suite of transports, sends
/// one of each.
///
/// ```
/// use ironic_core::Uuid;
/// use ironic_core::model::Chassis;
/// use ironic_core::transport::{AnyRecord, ClientRecord, WrittenBy};
///
/// assert_eq!(Chassis::WRITTEN_BY, WrittenBy::Client);
/// let record = AnyRecord::from(Chassis::new(Uuid::from_u128(7)));
/// assert!(Chassis::try_from(record).is_ok());
/// ```
pub trait ClientRecord:
    Managed + Persistent + Into<AnyRecord> + TryFrom<AnyRecord, Error = Error>
{
    /// Who writes it.
    const WRITTEN_BY: WrittenBy;

    /// What events about it call it.
    const OBJECT: Object;
}

macro_rules! any_record {
    ($($type:ident by $by:ident,)+) => {
        /// A record of any type that clients create.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "body", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum AnyRecord {
            $(#[doc = concat!("A [`", stringify!($type), "`].")] $type(Box<$type>),)+
        }

        impl AnyRecord {
            /// What sort of record it is.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$type(_) => Kind::$type,)+ }
            }
        }

        /// What events about records of this kind call them, where clients create such.
        pub(crate) const fn object_of(kind: Kind) -> Option<Object> {
            match kind {
                $(Kind::$type => Some(Object::$type),)+
                _ => None,
            }
        }

        $(
            impl ClientRecord for $type {
                const WRITTEN_BY: WrittenBy = WrittenBy::$by;
                const OBJECT: Object = Object::$type;
            }

            impl From<$type> for AnyRecord {
                fn from(record: $type) -> Self {
                    Self::$type(Box::new(record))
                }
            }

            impl TryFrom<AnyRecord> for $type {
                type Error = Error;

                fn try_from(record: AnyRecord) -> Result<Self, Error> {
                    match record {
                        AnyRecord::$type(record) => Ok(*record),
                        other => Err(Error::internal(format!(
                            "a conductor answered with a {} instead of a {}",
                            other.kind(),
                            Kind::$type
                        ))),
                    }
                }
            }
        )+
    };
}

any_record! {
    Allocation by AnyConductor,
    Chassis by Client,
    DeployTemplate by Client,
    InspectionRule by Client,
    Portgroup by NodesConductor,
    Runbook by Client,
    VolumeConnector by NodesConductor,
    VolumeTarget by NodesConductor,
}
