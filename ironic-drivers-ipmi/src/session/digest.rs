use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::codec::CipherSuite;

/// The longest digest of any suite.
const MAX_DIGEST: usize = 32;

/// A keyed digest; wiped when dropped, compared in constant time.
#[derive(Clone)]
pub(crate) struct Digest {
    bytes: [u8; MAX_DIGEST],
    len: usize,
}

impl Digest {
    /// The suite's HMAC of the parts, one after the other.
    pub(crate) fn hmac(suite: CipherSuite, key: &[u8], parts: &[&[u8]]) -> Self {
        match suite {
            CipherSuite::Sha1Aes128 => Self::run::<Hmac<Sha1>>(key, parts),
            CipherSuite::Sha256Aes128 => Self::run::<Hmac<Sha256>>(key, parts),
        }
    }

    fn run<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Self {
        let mut out = Self {
            bytes: [0; MAX_DIGEST],
            len: 0,
        };
        // An HMAC takes a key of any length; were one refused, the digest would stay empty and equal nothing.
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
            return out;
        };
        for part in parts {
            mac.update(part);
        }
        let mut digest = mac.finalize().into_bytes();
        for (slot, byte) in out.bytes.iter_mut().zip(digest.iter()) {
            *slot = *byte;
        }
        out.len = digest.len().min(MAX_DIGEST);
        digest.as_mut_slice().zeroize();
        out
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The first `len` bytes; all of them where there are fewer.
    pub(crate) fn truncated(&self, len: usize) -> &[u8] {
        self.bytes().get(..len).unwrap_or(self.bytes())
    }

    /// Whether `code` is the digest's first `len` bytes and no more, in constant time.
    pub(crate) fn matches(&self, code: &[u8], len: usize) -> bool {
        let own = self.truncated(len);
        !own.is_empty() && bool::from(own.ct_eq(code))
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_rfc_2202_and_rfc_4231() {
        let data: &[&[u8]] = &[b"what do ya want ", b"for nothing?"];
        assert_eq!(
            hex(Digest::hmac(CipherSuite::Sha1Aes128, b"Jefe", data).bytes()),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex(Digest::hmac(CipherSuite::Sha256Aes128, b"Jefe", data).bytes()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn only_the_exact_code_matches() {
        let digest = Digest::hmac(CipherSuite::Sha1Aes128, b"key", &[b"data"]);
        let code = digest.truncated(12).to_vec();
        assert!(digest.matches(&code, 12));
        assert!(!digest.matches(&code[..11], 12));
        assert!(!digest.matches(digest.bytes(), 12));
        assert!(!digest.matches(&[], 12));
        assert_eq!(format!("{digest:?}"), "***");
    }
}
