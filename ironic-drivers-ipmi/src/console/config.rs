use std::time::Duration;

use super::IpmiError;
use crate::{
    codec::{CipherSuite, MAX_USERNAME, Privilege},
    session::{Key, MAX_KEY},
};

/// As whom, and how, sessions with a BMC are opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ConsoleConfig {
    pub(crate) username: Vec<u8>,
    pub(crate) password: Key,
    pub(crate) bmc_key: Option<Key>,
    pub(crate) suites: Vec<CipherSuite>,
    pub(crate) privilege: Privilege,
    pub(crate) timing: Timing,
}

/// When requests are repeated and sessions given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// How long to wait for the first answer; each repetition doubles it. Default 500 ms.
    pub first_retry: Duration,
    /// The longest wait for an answer. Default 4 s.
    pub longest_retry: Duration,
    /// How often a request is sent before it is given up. Default 5, at least 1.
    pub attempts: u32,
    /// How often a request is sent in a session that may be gone before a new one is opened. Default 2, at least 1.
    pub stale_attempts: u32,
    /// How long after its last answer a session is taken to be there still. Default 5 s.
    pub fresh_for: Duration,
    /// How long a session is left unused before the BMC is asked something for the session's sake; below the 60 s
    /// after which BMCs end sessions (IPMI 2.0 §6.12.15). Default 30 s.
    pub keep_alive: Duration,
    /// How long after the caller's last request a session is closed. Default 5 min.
    pub close_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first_retry: Duration::from_millis(500),
            longest_retry: Duration::from_secs(4),
            attempts: 5,
            stale_attempts: 2,
            fresh_for: Duration::from_secs(5),
            keep_alive: Duration::from_secs(30),
            close_after: Duration::from_secs(300),
        }
    }
}

impl Timing {
    /// How long to wait after the attempt of that number, counted from 1; `spread` of 256 adds up to a quarter more.
    pub(crate) fn retry_after(&self, attempt: u32, spread: u8) -> Duration {
        let doubled = self.first_retry.saturating_mul(
            1u32.checked_shl(attempt.saturating_sub(1))
                .unwrap_or(u32::MAX),
        );
        let base = doubled.min(self.longest_retry);
        base + (base / 1024).saturating_mul(spread.into())
    }
}

impl ConsoleConfig {
    /// That user, at administrator level, cipher suite 17 or else 3.
    ///
    /// # Errors
    /// The name is longer than 16 bytes, or the password than 20.
    pub fn new(username: &str, password: &str) -> Result<Self, IpmiError> {
        if username.len() > MAX_USERNAME {
            return Err(IpmiError::TooLong {
                what: "user name",
                max: MAX_USERNAME,
            });
        }
        Ok(Self {
            username: username.as_bytes().to_vec(),
            password: Key::new(password.as_bytes()).map_err(|_too_long| IpmiError::TooLong {
                what: "password",
                max: MAX_KEY,
            })?,
            bmc_key: None,
            suites: CipherSuite::PREFERENCE.to_vec(),
            privilege: Privilege::Administrator,
            timing: Timing::default(),
        })
    }

    /// Uses that BMC key (K_g); one of zeros alone is none.
    pub fn bmc_key(mut self, key: Key) -> Self {
        self.bmc_key = key.non_zero();
        self
    }

    /// Uses that cipher suite and no other.
    pub fn suite(mut self, suite: CipherSuite) -> Self {
        self.suites = vec![suite];
        self
    }

    /// Asks for that level, and raises a session to it for commands that take more than a user's.
    pub const fn privilege(mut self, level: Privilege) -> Self {
        self.privilege = level;
        self
    }

    /// Waits and repeats by that.
    pub const fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }
}
