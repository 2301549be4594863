use thiserror::Error;

/// Why a boot configuration could not be made.
///
/// None of these goes away by itself: somebody has to change the node or the configuration, so
/// [`is_retryable`](Self::is_retryable) is always false.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BootError {
    /// Something that the boot needs is set nowhere.
    #[error("missing {name}: {reason}")]
    MissingParameter {
        /// The field or option, or several joined by a comma.
        name: String,
        /// Where it was looked for.
        reason: &'static str,
    },
    /// Something is set to what can not be used.
    #[error("invalid {name}: {reason}")]
    InvalidParameter {
        /// The field or option.
        name: &'static str,
        /// What is wrong with it; never the value itself, which may be a secret.
        reason: String,
    },
    /// The boot interface can not do what the node asks for.
    #[error("boot interface {interface} can not boot {what}")]
    Unsupported {
        /// Registered name of the boot interface.
        interface: &'static str,
        /// What was asked for.
        what: &'static str,
    },
    /// A template could not be rendered.
    #[error("template {template} does not render: {reason}")]
    Template {
        /// Name of the template.
        template: String,
        /// The template engine's words.
        reason: String,
    },
}

impl BootError {
    pub(crate) fn missing(name: impl Into<String>, reason: &'static str) -> Self {
        Self::MissingParameter {
            name: name.into(),
            reason,
        }
    }

    pub(crate) fn invalid(name: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidParameter {
            name,
            reason: reason.into(),
        }
    }

    /// Returns a stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingParameter { .. } => "missing_parameter",
            Self::InvalidParameter { .. } => "invalid_parameter",
            Self::Unsupported { .. } => "unsupported",
            Self::Template { .. } => "template",
        }
    }

    /// Tells whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        false
    }
}
