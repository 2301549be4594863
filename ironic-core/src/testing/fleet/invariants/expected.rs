use super::{Books, Commit, Invariant};

/// What is written goes over what had been read.
pub(super) struct Expected;

impl Invariant for Expected {
    fn name(&self) -> &'static str {
        "nobody writes over what he has not read"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        match commit.unmet.first() {
            Some((kind, id)) => Err(format!(
                "{} wrote over the {kind} of {}, which it had not read",
                commit.by.host,
                books.name(*id)
            )),
            None => Ok(()),
        }
    }
}
