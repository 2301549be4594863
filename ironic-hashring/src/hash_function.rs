use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

use crate::RingError;

/// The hash function that spreads hosts and keys over the circle.
///
/// Every member of a cluster must use the same one: another function is another placement.
/// Names are those of the original's `hash_ring_algorithm`, exact in case; its `shake_128` and
/// `shake_256`, which have no digest length of their own, are not among them (they fail there too).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum HashFunction {
    /// MD5 (RFC 1321), the default.
    #[default]
    Md5,
    /// SHA-1 (FIPS 180-4).
    #[cfg(feature = "digests")]
    Sha1,
    /// SHA-224 (FIPS 180-4).
    #[cfg(feature = "digests")]
    Sha224,
    /// SHA-256 (FIPS 180-4).
    #[cfg(feature = "digests")]
    Sha256,
    /// SHA-384 (FIPS 180-4).
    #[cfg(feature = "digests")]
    Sha384,
    /// SHA-512 (FIPS 180-4).
    #[cfg(feature = "digests")]
    Sha512,
    /// SHA3-224 (FIPS 202).
    #[cfg(feature = "digests")]
    Sha3_224,
    /// SHA3-256 (FIPS 202).
    #[cfg(feature = "digests")]
    Sha3_256,
    /// SHA3-384 (FIPS 202).
    #[cfg(feature = "digests")]
    Sha3_384,
    /// SHA3-512 (FIPS 202).
    #[cfg(feature = "digests")]
    Sha3_512,
    /// BLAKE2b with a digest of 64 bytes (RFC 7693).
    #[cfg(feature = "digests")]
    Blake2b,
    /// BLAKE2s with a digest of 32 bytes (RFC 7693).
    #[cfg(feature = "digests")]
    Blake2s,
}

/// Runs `$body` with `$D` bound to the digest type of `$function`.
macro_rules! with_digest {
    ($function:expr, $D:ident => $body:expr) => {
        match $function {
            HashFunction::Md5 => with_digest!(@ Md5, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha1 => with_digest!(@ sha1::Sha1, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha224 => with_digest!(@ sha2::Sha224, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha256 => with_digest!(@ sha2::Sha256, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha384 => with_digest!(@ sha2::Sha384, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha512 => with_digest!(@ sha2::Sha512, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha3_224 => with_digest!(@ sha3::Sha3_224, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha3_256 => with_digest!(@ sha3::Sha3_256, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha3_384 => with_digest!(@ sha3::Sha3_384, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Sha3_512 => with_digest!(@ sha3::Sha3_512, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Blake2b => with_digest!(@ blake2::Blake2b512, $D => $body),
            #[cfg(feature = "digests")]
            HashFunction::Blake2s => with_digest!(@ blake2::Blake2s256, $D => $body),
        }
    };
    (@ $digest:ty, $D:ident => $body:expr) => {{
        type $D = $digest;
        $body
    }};
}

impl HashFunction {
    /// All functions that this build knows, MD5 first.
    pub const ALL: &'static [Self] = &[
        Self::Md5,
        #[cfg(feature = "digests")]
        Self::Sha1,
        #[cfg(feature = "digests")]
        Self::Sha224,
        #[cfg(feature = "digests")]
        Self::Sha256,
        #[cfg(feature = "digests")]
        Self::Sha384,
        #[cfg(feature = "digests")]
        Self::Sha512,
        #[cfg(feature = "digests")]
        Self::Sha3_224,
        #[cfg(feature = "digests")]
        Self::Sha3_256,
        #[cfg(feature = "digests")]
        Self::Sha3_384,
        #[cfg(feature = "digests")]
        Self::Sha3_512,
        #[cfg(feature = "digests")]
        Self::Blake2b,
        #[cfg(feature = "digests")]
        Self::Blake2s,
    ];

    /// The name by which configuration files know the function.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            #[cfg(feature = "digests")]
            Self::Sha1 => "sha1",
            #[cfg(feature = "digests")]
            Self::Sha224 => "sha224",
            #[cfg(feature = "digests")]
            Self::Sha256 => "sha256",
            #[cfg(feature = "digests")]
            Self::Sha384 => "sha384",
            #[cfg(feature = "digests")]
            Self::Sha512 => "sha512",
            #[cfg(feature = "digests")]
            Self::Sha3_224 => "sha3_224",
            #[cfg(feature = "digests")]
            Self::Sha3_256 => "sha3_256",
            #[cfg(feature = "digests")]
            Self::Sha3_384 => "sha3_384",
            #[cfg(feature = "digests")]
            Self::Sha3_512 => "sha3_512",
            #[cfg(feature = "digests")]
            Self::Blake2b => "blake2b",
            #[cfg(feature = "digests")]
            Self::Blake2s => "blake2s",
        }
    }

    /// The position of a key.
    pub(crate) fn key_position(self, key: &[u8]) -> u128 {
        with_digest!(self, D => leading_bits(&D::digest(key)))
    }

    /// Calls `found` with each of the `count` positions of a host.
    pub(crate) fn host_positions(self, host: &[u8], count: u64, found: impl FnMut(u128)) {
        with_digest!(self, D => repeated::<D>(host, count, found));
    }
}

/// Hashes the name once and then once more for every position, each time over all that came before.
fn repeated<D: Digest + Clone>(host: &[u8], count: u64, mut found: impl FnMut(u128)) {
    let mut state = D::new();
    state.update(host);
    for _ in 0..count {
        state.update(host);
        found(leading_bits(&state.clone().finalize()));
    }
}

fn leading_bits(digest: &[u8]) -> u128 {
    digest
        .iter()
        .take(16)
        .fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

impl fmt::Display for HashFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HashFunction {
    type Err = RingError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|function| function.name() == name)
            .ok_or_else(|| RingError::UnknownHash {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_exact() {
        for function in HashFunction::ALL {
            assert_eq!(function.name().parse(), Ok(*function));
        }
        for name in ["", "MD5", "md5 ", "sha-256", "shake_128", "crc32"] {
            assert_eq!(
                name.parse::<HashFunction>(),
                Err(RingError::UnknownHash {
                    name: name.to_owned()
                }),
            );
        }
    }

    #[test]
    fn positions_are_leading_bits_of_published_digests() {
        // RFC 1321 A.5, FIPS 180-4 and FIPS 202 example values for "abc".
        let cases = [
            ("md5", 0x9001_5098_3cd2_4fb0_d696_3f7d_28e1_7f72),
            ("sha1", 0xa999_3e36_4706_816a_ba3e_2571_7850_c26c),
            ("sha256", 0xba78_16bf_8f01_cfea_4141_40de_5dae_2223),
            ("sha512", 0xddaf_35a1_9361_7aba_cc41_7349_ae20_4131),
            ("sha3_256", 0x3a98_5da7_4fe2_25b2_045c_172d_6bd3_90bd),
            ("blake2b", 0xba80_a53f_981c_4d0d_6a27_97b6_9f12_f6e9),
            ("blake2s", 0x508c_5e8c_327c_14e2_e1a7_2ba3_4eeb_452f),
        ];
        for (name, expected) in cases {
            let function: HashFunction = name.parse().expect(name);
            assert_eq!(function.key_position(b"abc"), expected, "{name}");
        }
    }

    #[test]
    fn point_p_of_a_host_hashes_its_name_p_plus_two_times() {
        for function in HashFunction::ALL {
            let mut found = Vec::new();
            function.host_positions(b"ab", 3, |position| found.push(position));
            let expected: Vec<u128> = ["abab", "ababab", "abababab"]
                .iter()
                .map(|s| function.key_position(s.as_bytes()))
                .collect();
            assert_eq!(found, expected, "{function}");
        }
    }
}
