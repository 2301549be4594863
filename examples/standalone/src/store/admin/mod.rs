//! A database looked after: its tables brought forward, its records checked, written out, read in.

mod check;
mod export;
mod import;
mod line;
mod pages;
mod sql_admin;

pub use check::Finding;
pub use export::ExportError;
pub use import::ImportError;
pub use sql_admin::{Progress, SchemaVersion, SqlAdmin};
