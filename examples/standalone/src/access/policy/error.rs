use std::path::PathBuf;

/// Why an operator's policies cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("the policy file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no mapping of names to checks.
    #[error("{place}, line {line}: {message}")]
    Syntax {
        /// Which file.
        place: String,
        /// The line, from 1.
        line: u32,
        /// What is wrong there.
        message: String,
    },
    /// A rule cannot be what the file says.
    #[error("{place}, line {line}: the rule {rule:?} is wrong: {message}")]
    Rule {
        /// Which file.
        place: String,
        /// The line, from 1.
        line: u32,
        /// The rule's name.
        rule: String,
        /// What is wrong with it.
        message: String,
    },
}

impl PolicyError {
    pub(super) fn syntax(place: &str, line: u32, message: String) -> Self {
        Self::Syntax {
            place: place.to_owned(),
            line,
            message,
        }
    }

    pub(super) fn rule(place: &str, line: u32, rule: &str, message: String) -> Self {
        Self::Rule {
            place: place.to_owned(),
            line,
            rule: rule.chars().take(120).collect(),
            message,
        }
    }
}
