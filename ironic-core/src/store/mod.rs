//! Where records are kept: five methods that a host implements over whatever it has.
//!
//! [`Store`] is the contract, [`MemoryStore`] one that forgets everything with its process, and
//! [`Repository`] what the engine reads and writes typed records by. [Writing a
//! store](crate::guide::writing_a_store) says what each clause of the contract is for.

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
/// A store does not know what a node is. [Writing a store](crate::guide::writing_a_store) says
/// what each clause is for, and has a whole one.
///
/// # Contract
/// - **Who calls.** Conductors and clients, through a [`Repository`]: from any thread, many at
///   once, and from several processes where these share a fleet. No lock of a node is a lock of
///   the store's: that is what fences and expectations are for.
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
/// - **Errors.** [`StoreError::Unavailable`] leaves open whether a `commit` was applied; the engine
///   finds out by reading, and repeats nothing that its fence or its expectations do not make
///   harmless. The other errors say that nothing was applied.
/// - **Time.** The engine puts no limit on a call. A conductor whose keep-alive is not written
///   before its lease ends sends its machines nothing more, so a call that would take long should
///   fail instead.
///
/// **Checked by** `store_conformance!` (feature `testing`), which is this contract as code.
///
/// ```
/// use ironic_core::Uuid;
/// use ironic_core::store::{
///     Batch, Expect, Kind, MemoryStore, Op, Record, Revision, Store, StoreError, UniqueKey,
/// };
/// use serde_json::value::RawValue;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let record = Record {
///     kind: Kind::Node,
///     id: Uuid::from_u128(7),
///     created: Revision::default(), // The store says.
///     revision: Revision::default(),
///     schema: 1,
///     keys: vec![UniqueKey::new("name", "rack1-u4")],
///     body: RawValue::from_string(r#"{"name":"rack1-u4"}"#.to_owned())?.into(),
/// };
/// let put = |expect| {
///     let record = record.clone();
///     Batch { fence: None, ops: vec![Op::Put { record, expect }] }
/// };
/// let revisions = store.commit(put(Expect::Absent)).await?;
/// let stored = store.find(Kind::Node, &record.keys[0]).await?;
/// assert_eq!(stored.map(|stored| stored.revision), Some(revisions[0]));
///
/// // Who has not read what is there does not write over it.
/// let again = store.commit(put(Expect::Absent)).await;
/// assert!(matches!(again, Err(StoreError::Conflict { .. })));
/// store.commit(put(Expect::Revision(revisions[0]))).await?;
/// # Ok(())
/// # }
/// ```
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
