use std::time::Duration;

use tokio::time::Instant;

use crate::config::Config;

/// How long to wait for a node that somebody else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Patience {
    /// Not at all.
    None,
    /// As `node_locked_retry_attempts` and `node_locked_retry_interval` say: so often this long.
    #[default]
    Configured,
    /// Until then.
    Until(Instant),
    /// For ever, or until the call is dropped: for what has no other way to be tried again.
    Unlimited,
}

impl Patience {
    /// How long waiting is usual.
    pub(super) fn usual(config: &Config) -> Duration {
        config.node_locked_retry_interval * config.node_locked_retry_attempts
    }

    /// When to give up, if ever.
    pub(super) fn ends(self, config: &Config, now: Instant) -> Option<Instant> {
        match self {
            Self::None => Some(now),
            Self::Configured => Some(now + Self::usual(config)),
            Self::Until(end) => Some(end),
            Self::Unlimited => None,
        }
    }
}
