//! Pages for those who build on this engine; the code on them is compiled and tested.
//!
//! In this order:
//!
//! 1. [Embedding](embedding): what a host injects, several conductors, being told, stopping.
//! 2. [Plans and explanations](plans_and_explanations): what a verb will do, and why a node does
//!    not move.
//! 3. [Writing a driver](writing_a_driver): a hardware type for a BMC that nobody else knows.
//! 4. [Writing a store](writing_a_store): five methods, over whatever the host has.
//! 5. [Crash and replay](crash_and_replay): what is on record at every moment, and what the next
//!    conductor makes of it.
//! 6. [Simulation](simulation): a whole fleet in one thread, from one seed.

#[doc = include_str!("embedding.md")]
pub mod embedding {}

#[doc = include_str!("plans_and_explanations.md")]
pub mod plans_and_explanations {}

#[doc = include_str!("writing_a_driver.md")]
pub mod writing_a_driver {}

#[doc = include_str!("writing_a_store.md")]
#[doc = "```"]
#[doc = include_str!("card_index.rs")]
#[doc = "```"]
#[doc = include_str!("testing_a_store.md")]
pub mod writing_a_store {}

#[doc = include_str!("crash_and_replay.md")]
pub mod crash_and_replay {}

#[doc = include_str!("simulation.md")]
pub mod simulation {}
