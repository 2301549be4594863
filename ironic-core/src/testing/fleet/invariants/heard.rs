use uuid::Uuid;

use super::{Books, Invariant};

/// An agent that is told that it has been heard has been: its call is on record.
pub(super) struct Heard;

impl Invariant for Heard {
    fn name(&self) -> &'static str {
        "what an agent says is heard"
    }

    fn heard(&mut self, node: Uuid, before: u64, books: &Books) -> Result<(), String> {
        let now = books.calls.get(&node).copied().unwrap_or_default();
        if now > before || !books.nodes.contains_key(&node) {
            return Ok(());
        }
        Err(format!(
            "the agent of {} was told that it was heard, and no further call than {before} is on record",
            books.name(node)
        ))
    }
}
