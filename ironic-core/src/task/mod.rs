//! Acquiring nodes, committing decisions about them, giving them back.

mod acquire;
mod commit;
mod history;
mod line;
mod manager;
mod patience;
mod request;
mod tell;

pub(crate) use manager::TaskEnds;
pub use manager::TaskManager;
pub use patience::Patience;
pub(crate) use request::on_behalf_of;
