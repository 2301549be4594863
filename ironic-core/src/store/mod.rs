//! Where records are kept: five methods that a host implements over whatever it has.

mod evaluate;
mod index;
mod judge;
mod lookup;
mod memory;
#[cfg(test)]
mod memory_tests;
mod query;
mod record;
mod repository;
#[cfg(test)]
mod repository_tests;

pub use memory::MemoryStore;
pub use query::{Compare, Filter, Query, Scalar, Sort};
pub use record::{Batch, Expect, Fence, Kind, Op, Record, Revision, StoreError, UniqueKey};
pub use repository::{Persistent, Repository, Stored};
pub(crate) use repository::{put_new, put_over, rebase, written};

use async_trait::async_trait;
use uuid::Uuid;

/// Keeps versioned JSON records by kind and uuid, and applies batches atomically.
///
/// A store does not know what a node is. `ironic_core::store_conformance!` (feature `testing`)
/// is this contract as code.
///
/// # Contract
/// - **Atomicity.** [`commit`](Store::commit) applies all of a batch or nothing, and a reader
///   sees all of it or nothing of it. The operations of a batch are judged against the state
///   before the batch. No two of them name the same record: such a batch fails with
///   [`StoreError::Conflict`].
/// - **Expectations.** `Expect::Absent` fails if the record exists, `Expect::Revision` unless it
///   exists at exactly that revision, `Expect::Any` never. A failure is
///   [`StoreError::Conflict`] and names the record, of several the first in the batch. All
///   expectations are judged before uniqueness.
/// - **Uniqueness.** Among the records of one kind no two have an equal [`UniqueKey`]; a batch
///   that would make it so fails with [`StoreError::Duplicate`], which names the key, of several
///   the first in the batch. A key that one operation of a batch frees can be taken by another.
/// - **Fencing.** A batch with a [`Fence`] is applied only if the record `(Kind::Lock, node)`
///   exists before the batch, its body's `holder` is not null and its body's `epoch` is the
///   fence's; else [`StoreError::Fenced`], whatever else is wrong with the batch.
/// - **Revisions** come from one counter for the whole store, so that of two commits the later
///   has the higher revision on every record it wrote. `created` is the revision at which the
///   record was put while absent; `Record::created` and `revision` of what is put are ignored.
/// - **Recency.** A call that begins after a `commit` has returned sees what it did, whoever
///   made either.
/// - **Order.** [`list`](Store::list) sorts as asked and breaks ties, and sorts where nothing is
///   asked, by `created`, then id. Its answer is one snapshot.
/// - **Durability.** Once `commit` has returned, the batch survives the end of the process, for
///   stores that persist at all.
/// - **Cancellation.** A dropped call has happened as a whole or not at all; which of the two is
///   decided, at the latest, when a `commit` that begins later has returned.
/// - **Bodies** come back with the same value, numbers and text to the last digit and character;
///   the suite goes up to 100 levels of nesting and to several MiB.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The record of this kind and id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the store cannot be asked, [`StoreError::Corrupt`] when
    /// what it holds makes no sense.
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError>;

    /// The record of this kind that has this unique key.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError>;

    /// The records that match, sorted, after the marker, up to the limit.
    ///
    /// # Errors
    /// As [`Store::get`]; [`StoreError::NoMarker`] when the marker is no record of that kind.
    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError>;

    /// How many records match.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError>;

    /// Applies a batch; answers the revision of each operation's record, in order (for a
    /// deletion the revision at which it happened).
    ///
    /// # Errors
    /// As [`Store::get`]; [`StoreError::Fenced`], [`StoreError::Conflict`] and
    /// [`StoreError::Duplicate`] as in the contract, with nothing applied.
    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError>;
}
