use std::time::Duration;

use thiserror::Error;

use crate::{
    codec::{CipherSuite, MAX_USERNAME, Privilege},
    command::{DeviceId, Guid},
    sensor::SensorRecord,
    session::{Key, KeyTooLong},
};

/// Somebody who may open sessions.
#[derive(Debug, Clone)]
pub struct User {
    pub(crate) name: Vec<u8>,
    pub(crate) password: Key,
    pub(crate) limit: Privilege,
}

/// Why a BMC's configuration makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BmcConfigError {
    /// A user's name is longer than IPMI has room for.
    #[error("a user name of {len} bytes is longer than {MAX_USERNAME}")]
    NameTooLong {
        /// How many bytes it has.
        len: usize,
    },
    /// A password is longer than IPMI has room for.
    #[error("password: {0}")]
    Password(#[from] KeyTooLong),
    /// Nobody could open a session.
    #[error("a BMC without users cannot be used")]
    NoUsers,
    /// No session could be opened.
    #[error("a BMC needs a cipher suite and room for a session")]
    NoSessions,
}

impl User {
    /// A user of that name and password, who gets that privilege level at most.
    ///
    /// # Errors
    /// The name is longer than 16 bytes, or the password than 20.
    pub fn new(name: &str, password: &str, limit: Privilege) -> Result<Self, BmcConfigError> {
        if name.len() > MAX_USERNAME {
            return Err(BmcConfigError::NameTooLong { len: name.len() });
        }
        Ok(Self {
            name: name.as_bytes().to_vec(),
            password: Key::new(password.as_bytes())?,
            limit,
        })
    }
}

/// An SDR repository, and sensors (IPMI 2.0 table 20-2, byte 7).
const SENSORS: u8 = 0x03;

/// What a BMC is, whom it serves, and how much it bears.
#[derive(Debug, Clone)]
#[must_use]
pub struct BmcConfig {
    pub(crate) users: Vec<User>,
    pub(crate) bmc_key: Option<Key>,
    pub(crate) guid: Guid,
    pub(crate) device: DeviceId,
    pub(crate) sensors: Vec<SensorRecord>,
    pub(crate) serial_port: bool,
    pub(crate) suites: Vec<CipherSuite>,
    pub(crate) max_sessions: usize,
    pub(crate) handshake_timeout: Duration,
    pub(crate) idle_timeout: Duration,
}

impl BmcConfig {
    /// A BMC for those users, of the machine with that GUID.
    ///
    /// It speaks cipher suites 17 and 3, and keeps up to 32 sessions; one that is not opened all the way is given up
    /// after 10 seconds, and one that is not used after 60 (IPMI 2.0 §6.12.15).
    ///
    /// # Errors
    /// There are no users.
    pub fn new(guid: Guid, users: Vec<User>) -> Result<Self, BmcConfigError> {
        if users.is_empty() {
            return Err(BmcConfigError::NoUsers);
        }
        Ok(Self {
            users,
            bmc_key: None,
            guid,
            device: DeviceId::chassis(0, 0, 0, 1),
            sensors: Vec::new(),
            serial_port: false,
            suites: CipherSuite::PREFERENCE.to_vec(),
            max_sessions: 32,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
        })
    }

    /// Takes a second secret, K_g, to open sessions; one of zeros alone is none.
    pub fn bmc_key(mut self, key: Key) -> Self {
        self.bmc_key = key.non_zero();
        self
    }

    /// The sensors that the machine has; their readings are the machine's to tell. Default: none.
    pub fn sensors(mut self, sensors: Vec<SensorRecord>) -> Self {
        self.sensors = sensors;
        self
    }

    /// Gives the machine a serial port, which is reached over the LAN. Default: none.
    pub const fn serial_port(mut self) -> Self {
        self.serial_port = true;
        self
    }

    /// What Get Device ID answers: with sensors, that there are some.
    pub(crate) fn device_id(&self) -> DeviceId {
        let mut device = self.device;
        if !self.sensors.is_empty() {
            device.support |= SENSORS;
        }
        device
    }

    /// What Get Device ID answers.
    pub fn device(mut self, device: DeviceId) -> Self {
        self.device = device;
        self
    }

    /// The cipher suites to speak, the preferred one first.
    ///
    /// # Errors
    /// There are none.
    pub fn suites(mut self, suites: &[CipherSuite]) -> Result<Self, BmcConfigError> {
        if suites.is_empty() {
            return Err(BmcConfigError::NoSessions);
        }
        self.suites = suites.to_vec();
        Ok(self)
    }

    /// How many sessions there can be at once, those that are being opened included.
    ///
    /// # Errors
    /// There is room for none.
    pub fn max_sessions(mut self, max: usize) -> Result<Self, BmcConfigError> {
        if max == 0 {
            return Err(BmcConfigError::NoSessions);
        }
        self.max_sessions = max;
        Ok(self)
    }

    /// After how long without a packet a session ends.
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How long opening a session may take.
    pub const fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// The user whom RAKP 1 names; where the level counts, the first who may have it (IPMI 2.0 §13.20).
    pub(crate) fn find_user(
        &self,
        name: &[u8],
        level: Privilege,
        name_only: bool,
    ) -> Option<&User> {
        let mut named = self.users.iter().filter(|user| user.name == name);
        if name_only {
            return named.next();
        }
        let mut first = None;
        for user in named {
            if user.limit >= level {
                return Some(user);
            }
            first = first.or(Some(user));
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_chooses_among_users_of_one_name() {
        let config = BmcConfig::new(
            Guid([0; 16]),
            vec![
                User::new("lab", "low", Privilege::User).unwrap(),
                User::new("lab", "high", Privilege::Administrator).unwrap(),
            ],
        )
        .unwrap();
        let limit = |level, name_only| {
            config
                .find_user(b"lab", level, name_only)
                .map(|user| user.limit)
        };
        assert_eq!(limit(Privilege::User, false), Some(Privilege::User));
        assert_eq!(
            limit(Privilege::Operator, false),
            Some(Privilege::Administrator)
        );
        assert_eq!(limit(Privilege::Operator, true), Some(Privilege::User));
        assert!(config.find_user(b"la", Privilege::User, true).is_none());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(matches!(
            User::new(&"n".repeat(17), "", Privilege::User),
            Err(BmcConfigError::NameTooLong { len: 17 })
        ));
        assert!(matches!(
            User::new("n", &"p".repeat(21), Privilege::User),
            Err(BmcConfigError::Password(_))
        ));
        assert!(matches!(
            BmcConfig::new(Guid([0; 16]), Vec::new()),
            Err(BmcConfigError::NoUsers)
        ));
    }
}
