//! The digests that open a session; both ends compute the same ones (IPMI 2.0 §13.28, §13.31, §13.32).

use super::{Digest, Key, SessionKeys};
use crate::codec::{CipherSuite, Role};

/// Everything that both ends have said by the end of RAKP 2.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    pub(crate) suite: CipherSuite,
    pub(crate) console_session: u32,
    pub(crate) bmc_session: u32,
    pub(crate) console_random: [u8; 16],
    pub(crate) bmc_random: [u8; 16],
    pub(crate) guid: [u8; 16],
    pub(crate) role: Role,
    pub(crate) username: Vec<u8>,
}

impl Handshake {
    /// The code by which RAKP 2 proves the password.
    pub(crate) fn bmc_code(&self, user_key: &Key) -> Digest {
        Digest::hmac(
            self.suite,
            user_key.bytes(),
            &[
                &self.console_session.to_le_bytes(),
                &self.bmc_session.to_le_bytes(),
                &self.console_random,
                &self.bmc_random,
                &self.guid,
                &self.claim(),
                &self.username,
            ],
        )
    }

    /// The code by which RAKP 3 proves the password.
    pub(crate) fn console_code(&self, user_key: &Key) -> Digest {
        Digest::hmac(
            self.suite,
            user_key.bytes(),
            &[
                &self.bmc_random,
                &self.console_session.to_le_bytes(),
                &self.claim(),
                &self.username,
            ],
        )
    }

    /// The session integrity key; the BMC's key, where it has one, takes the user's place.
    fn session_integrity_key(&self, user_key: &Key, bmc_key: Option<&Key>) -> Digest {
        Digest::hmac(
            self.suite,
            bmc_key.unwrap_or(user_key).bytes(),
            &[
                &self.console_random,
                &self.bmc_random,
                &self.claim(),
                &self.username,
            ],
        )
    }

    /// The keys of the session, and the check value by which RAKP 4 proves the BMC's.
    pub(crate) fn finish(&self, user_key: &Key, bmc_key: Option<&Key>) -> (SessionKeys, Digest) {
        let sik = self.session_integrity_key(user_key, bmc_key);
        let check = Digest::hmac(
            self.suite,
            sik.bytes(),
            &[
                &self.console_random,
                &self.bmc_session.to_le_bytes(),
                &self.guid,
            ],
        );
        (SessionKeys::derive(self.suite, &sik), check)
    }

    /// Role and name length as the digests cover them.
    fn claim(&self) -> [u8; 2] {
        [
            self.role.byte(),
            u8::try_from(self.username.len()).unwrap_or(u8::MAX),
        ]
    }
}
