//! What can be wrong with `driver_info`.

/// A property of `driver_info` that cannot be used. Its value is not shown: it may be a secret in
/// the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DriverInfoError {
    /// It is not there, and there is no doing without it.
    #[error("driver_info lacks {property}")]
    Missing {
        /// The property.
        property: &'static str,
    },
    /// It is there and makes no sense.
    #[error("driver_info has an invalid {property}: {reason}")]
    Invalid {
        /// The property.
        property: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
}

impl DriverInfoError {
    /// Never: somebody has to change the node.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}
