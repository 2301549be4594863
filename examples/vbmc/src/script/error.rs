use thiserror::Error;

use super::LocationError;

/// Why a script or configuration boots nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ScriptError {
    /// It is not what its reader reads.
    #[error("not {0}")]
    Not(&'static str),
    /// A line makes no sense.
    #[error("line {line}: {what}")]
    Syntax {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It asks for what this machine does not have.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// It goes on for longer than any honest one.
    #[error("did not end within {limit} {what}")]
    Endless {
        /// How many were allowed.
        limit: u32,
        /// What was counted.
        what: &'static str,
    },
    /// A text grows beyond all bounds.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// It names an entry or a label that it does not have.
    #[error("there is no entry {0:?}")]
    NoEntry(String),
    /// It has nothing to boot.
    #[error("there is nothing to boot in it")]
    Nothing,
    /// A command failed, and the script does not say what to do then.
    #[error("command failed: {0}")]
    Failed(String),
    /// A name that is none.
    #[error(transparent)]
    Location(#[from] LocationError),
}
