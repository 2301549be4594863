use std::path::{Path, PathBuf};

use super::unknown;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no TOML, has a key that there is not, or a wrong value.
    #[error("{place}: {message}")]
    Syntax {
        /// Which file.
        place: String,
        /// Line, column, and what is wrong there.
        message: String,
    },
    /// An environment variable has a wrong value.
    #[error("the environment variable {name} is wrong: {message}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// A setting has a value that it cannot have, or settings do not go together.
    #[error("the settings are wrong: {0}")]
    Wrong(#[from] ironic_core::Error),
}

impl ConfigError {
    pub(super) fn syntax(path: Option<&Path>, text: &str, error: &toml::de::Error) -> Self {
        let unknown = error
            .span()
            .and_then(|span| unknown::explained(text, span.start, error.message()));
        Self::Syntax {
            place: path.map_or_else(|| "settings".to_owned(), |path| path.display().to_string()),
            message: unknown.unwrap_or_else(|| error.to_string().trim_end().to_owned()),
        }
    }
}
