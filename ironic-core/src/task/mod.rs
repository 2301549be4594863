//! Acquiring nodes, committing decisions about them, giving them back.

mod commit;
mod manager;

pub(crate) use manager::TaskEnds;
pub use manager::TaskManager;
