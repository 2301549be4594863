//! The journal of decisions: what each one saw, what it answered, and what came of it; and the
//! reading of it, far from the machines.
//!
//! An operator keeps a journal while all is well. When a node has gone wrong, its file is copied
//! to wherever there is peace, and tells there what happened ([`Story`]). As decisions are pure
//! functions, each is also taken again from what was recorded ([`Entry::redecide`]): that shows
//! whether today's engine would decide as that one did, and so what a fix would have changed.
//!
//! A conductor has no journal unless it is given one
//! ([`ConductorBuilder::journal`](crate::conductor::ConductorBuilder::journal)); without, nothing
//! is put together. Recorded is each decision that was committed, each that was refused, and each
//! input that came too late. An input that changed nothing, such as most calls of an agent, is
//! not.
//!
//! Every value under the key of a secret reads `***` before a [`Journal`] gets to see it, as in
//! the API's answers. No decision depends on such a value, so none is needed to decide again.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use ironic_core::driver::{fake, noop};
//! use ironic_core::journal::{Incident, JsonLines, Story};
//! use ironic_core::{Client, Conductor, MemoryStore, Node, ProvisionState, Registry, Uuid, Verb};
//!
//! let file = tempfile::NamedTempFile::new()?;
//! let journal = Arc::new(JsonLines::to(file.reopen()?)?);
//! let drivers = fake::register(noop::register(Registry::builder()), &fake::FakeBehaviour::new());
//! let conductor = Conductor::builder()
//!     .store(Arc::new(MemoryStore::new()))
//!     .registry(Arc::new(drivers.build()?))
//!     .journal(journal.clone())
//!     .start()
//!     .await?;
//! let client = Client::local(&conductor);
//! let node = client.create_node(Node::new(Uuid::nil(), "fake-hardware")).await?.uuid;
//! client.provision(node, Verb::Manage, Default::default()).await?;
//! client.wait_for(node, ProvisionState::Manageable, std::time::Duration::from_secs(60)).await?;
//! conductor.stop().await?;
//! journal.flush().await;
//!
//! // Anywhere, any time later:
//! let story: Story = Incident::read(std::io::BufReader::new(file)).of(node).collect();
//! println!("{story}");
//! assert!(story.entries().all(|entry| entry.redecide().is_same()));
//! # Ok(())
//! # }
//! ```

mod differ;
mod entry;
mod incident;
mod lines;
mod noted;
mod redecide;
mod story;
mod words;

#[cfg(test)]
mod tests;

pub use entry::{Decided, Entry, SCHEMA, Saw, Told, Verdict};
pub use incident::{Gap, Incident, MAX_LINE, Missing};
pub use lines::JsonLines;
pub(crate) use noted::{Decider, noted};
pub use redecide::{Difference, Redecided};
pub use story::Story;

/// Where the decisions of a conductor are recorded.
///
/// # Contract
/// - **Who calls.** The conductor that decided, from any thread.
/// - **When.** After the decision has been committed or rejected. The decisions under one lock of a
///   node come in their order; those of different nodes in any, and so may the last one under a
///   lock and the first one under the next: [`Entry::epoch`] tells which came first.
/// - **Must neither block nor panic**: it is called in the middle of the work on the node, without a
///   limit of time. What takes time is queued, what finds no room is counted, and told in the
///   journal itself.
/// - **At most once.** After a crash between the commit and the call the entry is missing.
/// - **Secrets** in an entry are masked already.
///
/// **Checked by** no suite.
///
/// ```
/// use std::sync::Mutex;
///
/// use ironic_core::journal::{Entry, Journal};
///
/// /// Remembers the last thing that was decided.
/// #[derive(Debug, Default)]
/// struct Last(Mutex<Option<Box<Entry>>>);
///
/// impl Journal for Last {
///     fn record(&self, entry: Box<Entry>) {
///         if let Ok(mut last) = self.0.lock() {
///             *last = Some(entry);
///         }
///     }
/// }
/// ```
pub trait Journal: Send + Sync + std::fmt::Debug + 'static {
    /// Takes note.
    fn record(&self, entry: Box<Entry>);
}
