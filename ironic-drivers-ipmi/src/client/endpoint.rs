use std::net::SocketAddr;

use ironic_core::Secret;

use crate::{
    codec::{CipherSuite, Privilege},
    console::{ConsoleConfig, IpmiError, Timing},
    session::Key,
};

/// The UDP port of RMCP (IPMI 2.0 §13.1.2).
pub const RMCP_PORT: u16 = 623;

/// Where a BMC is, and as whom it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) config: ConsoleConfig,
}

impl Endpoint {
    /// The BMC at that address, at administrator level, cipher suite 17 or else 3.
    ///
    /// # Errors
    /// The name is longer than 16 bytes, or the password than 20.
    pub fn new(
        address: SocketAddr,
        username: &str,
        password: &Secret<String>,
    ) -> Result<Self, IpmiError> {
        Ok(Self {
            address,
            config: ConsoleConfig::new(username, password.expose())?,
        })
    }

    /// Uses that cipher suite and no other.
    pub fn suite(mut self, suite: CipherSuite) -> Self {
        self.config = self.config.suite(suite);
        self
    }

    /// Asks for that level.
    pub fn privilege(mut self, level: Privilege) -> Self {
        self.config = self.config.privilege(level);
        self
    }

    /// Uses that BMC key (K_g).
    pub fn bmc_key(mut self, key: Key) -> Self {
        self.config = self.config.bmc_key(key);
        self
    }

    /// Waits and repeats by that.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.config = self.config.timing(timing);
        self
    }

    /// Where the BMC is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}
