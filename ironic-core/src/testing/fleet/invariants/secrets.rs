use super::{Books, Commit, Invariant};
use crate::testing::fleet::chance::{PASSWORD, TOKEN};

/// No secret is in any record but where it is kept, nor in any event or log line.
pub(super) struct Secrets;

/// What stands before the value of a member that is known to be secret.
const KEPT: [&str; 2] = ["password\":\"", "token\":\""];

/// Whether a text shows a secret other than as the value of a secret member.
fn shows(text: &str, kept: &[&str]) -> bool {
    let shown = |secret: &str| {
        text.match_indices(secret).any(|(at, _)| {
            let before = text.get(..at).unwrap_or_default();
            !kept.iter().any(|key| before.ends_with(key))
        })
    };
    shown(PASSWORD) || shown(TOKEN)
}

impl Invariant for Secrets {
    fn name(&self) -> &'static str {
        "secrets are kept"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        for (kind, id, body) in &commit.bodies {
            if shows(body.get(), &KEPT) {
                return Err(format!("the {kind} {} shows a secret", books.name(*id)));
            }
        }
        Ok(())
    }

    fn text(&mut self, where_: &str, text: &str) -> Result<(), String> {
        if shows(text, &[]) {
            return Err(format!("{where_} shows a secret: {text}"));
        }
        Ok(())
    }
}
