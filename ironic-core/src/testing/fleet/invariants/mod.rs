//! What must hold, whatever fails: one file each.

mod belongings;
mod claims;
mod expected;
mod heard;
mod instances;
mod lease;
mod locks_end;
mod once;
mod one_commander;
mod one_owner;
mod reason;
mod secrets;
mod table;

pub(super) use reason::{adrift, restless};

use uuid::Uuid;

use super::books::{Books, Commit};
use super::machine::Command;
use crate::notify::Notification;
use crate::states::Verb;

/// Something that must hold.
pub(super) trait Invariant: Send {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// A batch has been applied; the books are as after it.
    fn commit(&mut self, _commit: &Commit, _books: &Books) -> Result<(), String> {
        Ok(())
    }

    /// A machine gets a command.
    fn command(&mut self, _node: Uuid, _command: &Command, _books: &Books) -> Result<(), String> {
        Ok(())
    }

    /// A conductor tells of an event.
    fn event(&mut self, _notification: &Notification) -> Result<(), String> {
        Ok(())
    }

    /// Something is said where anybody may read it.
    fn text(&mut self, _where_: &str, _text: &str) -> Result<(), String> {
        Ok(())
    }

    /// A conductor has stopped in good order.
    fn stopped(&mut self, _host: &str, _books: &Books) -> Result<(), String> {
        Ok(())
    }

    /// An agent has been told that its call was heard; before it, so many were on record.
    fn heard(&mut self, _node: Uuid, _before: u64, _books: &Books) -> Result<(), String> {
        Ok(())
    }

    /// Somebody asks for a verb.
    fn asked(&mut self, _node: Uuid, _verb: Verb) {}

    /// A conductor has refused it.
    fn refused(&mut self, _node: Uuid, _verb: Verb) {}
}

/// All of them.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(one_owner::OneOwner),
        Box::new(locks_end::LocksEnd),
        Box::new(one_commander::OneCommander),
        Box::new(lease::Lease),
        Box::new(table::Table),
        Box::new(instances::Instances),
        Box::new(once::Once::default()),
        Box::new(reason::Reason),
        Box::new(secrets::Secrets),
        Box::new(heard::Heard),
        Box::new(expected::Expected),
        Box::new(claims::Claims),
        Box::new(belongings::Belongings),
    ]
}
