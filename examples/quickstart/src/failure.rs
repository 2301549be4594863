use std::fmt;

/// Why the demonstration did not go as it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// Something could not be set up.
    Setup(String),
    /// A machine's life went wrong.
    Machine(String),
}

impl Failure {
    pub(crate) fn setup(what: &str, error: impl fmt::Display) -> Self {
        Self::Setup(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Setup(text) | Self::Machine(text) => f.write_str(text),
        }
    }
}
