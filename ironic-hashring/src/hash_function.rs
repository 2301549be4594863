use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

use crate::RingError;
use crate::hasher::{self, CustomHash, RingHasher};

/// The hash function that spreads hosts and keys over the circle.
///
/// Every member of a cluster must use the same one: another function is another placement.
/// Names are those of the original's `hash_ring_algorithm`, exact in case; its `shake_128` and
/// `shake_256`, which have no digest length of their own, are not among them (they fail there too).
/// [`custom`](Self::custom) plugs in one that the original does not have.
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
    /// One of the host's own; [`custom`](Self::custom) makes it.
    Custom(CustomHash),
}

/// Runs `$body` with `$D` bound to the digest type of `$function`, or `$other` with a custom one.
macro_rules! with_digest {
    ($function:expr, $custom:ident => $other:expr, $D:ident => $body:expr) => {
        match $function {
            HashFunction::Custom($custom) => $other,
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
        type $D = Digested<$digest>;
        $body
    }};
}

impl HashFunction {
    /// The names that the original gives to hash functions.
    pub(crate) const ORIGINAL: &'static [&'static str] = &[
        "md5",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "sha3_224",
        "sha3_256",
        "sha3_384",
        "sha3_512",
        "blake2b",
        "blake2s",
        "shake_128",
        "shake_256",
    ];

    /// All functions that this build brings, MD5 first.
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

    /// A function of the host's own.
    ///
    /// Which type hashes is settled here, so neither rings nor those who hold them have it among
    /// their own types, and a lookup with a function of this crate pays nothing for the choice.
    ///
    /// The function has no name that settings could be parsed from: [`FromStr`] knows
    /// [`ALL`](Self::ALL) alone.
    pub const fn custom<H: RingHasher>() -> Self {
        Self::Custom(CustomHash::new::<H>())
    }

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
            Self::Custom(custom) => custom.name(),
        }
    }

    /// The position of a key.
    pub(crate) fn key_position(self, key: &[u8]) -> u128 {
        with_digest!(self,
            custom => custom.key_position(key),
            D => hasher::key_position::<D>(key))
    }

    /// Calls `found` with each of the `count` positions of a host.
    pub(crate) fn host_positions(self, host: &[u8], count: u64, found: impl FnMut(u128)) {
        with_digest!(self,
            custom => custom.host_positions(host, count, found),
            D => hasher::host_positions::<D>(host, count, found));
    }
}

/// A function of this crate; its name is the enum's business.
#[derive(Clone, Default)]
struct Digested<D>(D);

impl<D: Digest + Clone + Default + 'static> RingHasher for Digested<D> {
    const NAME: &'static str = "";

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The leading 128 bits, big-endian.
    fn position(self) -> u128 {
        let digest = self.0.finalize();
        digest
            .first_chunk()
            .map_or(0, |leading| u128::from_be_bytes(*leading))
    }
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
