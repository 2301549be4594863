use uuid::Uuid;

use super::{Books, Command, Invariant};

/// No command to a BMC is begun that could outlast the lease of who sends it.
pub(super) struct Lease;

impl Invariant for Lease {
    fn name(&self) -> &'static str {
        "no command outlasts its conductor's lease"
    }

    fn command(&mut self, node: Uuid, command: &Command, books: &Books) -> Result<(), String> {
        if command.order.is_none() {
            return Ok(());
        }
        let end = books.lease_end(&command.host);
        if end.is_some_and(|end| command.deadline <= end) {
            return Ok(());
        }
        let over = end.map(|end| command.deadline - end);
        Err(format!(
            "{} commands {} for {over:?} longer than it may",
            command.host,
            books.name(node)
        ))
    }
}
