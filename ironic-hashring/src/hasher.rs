use std::any::TypeId;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::HashFunction;

/// A hash function of one's own: the state that it has after some bytes.
///
/// [`HashFunction::custom`] makes it the function of a ring.
///
/// # Contract
///
/// - The position depends on the bytes alone, not on how they were cut into updates, on the process
///   or on the machine: every member of a cluster has to find the same one.
/// - Positions are spread over the whole range of `u128`. A function of 64 bits belongs in the upper
///   half (`u128::from(hash) << 64`); were it left in the lower one, one host would own nearly all.
///
/// ```
/// use ironic_hashring::{HashFunction, HashRing, RingHasher};
///
/// /// FNV-1a with 64 bits, and a last step that spreads what the last bytes have changed.
/// #[derive(Clone)]
/// struct Fnv(u64);
///
/// impl Default for Fnv {
///     fn default() -> Self {
///         Self(0xcbf2_9ce4_8422_2325)
///     }
/// }
///
/// impl RingHasher for Fnv {
///     const NAME: &'static str = "fnv1a";
///
///     fn update(&mut self, bytes: &[u8]) {
///         for byte in bytes {
///             self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
///         }
///     }
///
///     fn position(self) -> u128 {
///         let spread = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
///         u128::from(spread ^ (spread >> 29)) << 64
///     }
/// }
///
/// let ring = HashRing::builder()
///     .hash(HashFunction::custom::<Fnv>())
///     .hosts(["conductor-1", "conductor-2"])
///     .build()?;
/// assert!(ring.owner("1be26c0b-03f2-4d2e-ae87-c02d7f33c123").is_some());
/// # Ok::<(), ironic_hashring::RingError>(())
/// ```
pub trait RingHasher: Clone + Default + 'static {
    /// What the function is called in settings; none of the names that the original gives to its own
    /// ([`HashFunction::custom`] does not compile with them).
    const NAME: &'static str;

    /// Takes more bytes in.
    fn update(&mut self, bytes: &[u8]);

    /// The position on the circle of all bytes so far.
    fn position(self) -> u128;
}

/// A [`RingHasher`] without its type, so that rings need not carry it in theirs.
#[derive(Clone, Copy)]
pub struct CustomHash {
    name: &'static str,
    hasher: TypeId,
    key_position: fn(&[u8]) -> u128,
    host_positions: fn(&[u8], u64, &mut dyn FnMut(u128)),
}

impl CustomHash {
    pub(crate) const fn new<H: RingHasher>() -> Self {
        const {
            assert!(
                !is_reserved(H::NAME),
                "this is the name of another hash function"
            );
        }
        Self {
            name: H::NAME,
            hasher: TypeId::of::<H>(),
            key_position: key_position::<H>,
            host_positions: |host, count, found| host_positions::<H>(host, count, found),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    pub(crate) fn key_position(self, key: &[u8]) -> u128 {
        (self.key_position)(key)
    }

    pub(crate) fn host_positions(self, host: &[u8], count: u64, mut found: impl FnMut(u128)) {
        (self.host_positions)(host, count, &mut found);
    }

    fn identity(&self) -> (&'static str, TypeId) {
        (self.name, self.hasher)
    }
}

/// Two are the same if their hashers are of the same type.
impl PartialEq for CustomHash {
    fn eq(&self, other: &Self) -> bool {
        self.hasher == other.hasher
    }
}

impl Eq for CustomHash {}

impl PartialOrd for CustomHash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By name; the order of two hashers of one name is that of a build.
impl Ord for CustomHash {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for CustomHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hasher.hash(state);
    }
}

impl fmt::Debug for CustomHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CustomHash").field(&self.name).finish()
    }
}

pub(crate) fn key_position<H: RingHasher>(key: &[u8]) -> u128 {
    let mut state = H::default();
    state.update(key);
    state.position()
}

/// Hashes the name once and then once more for every position, each time over all that came before.
pub(crate) fn host_positions<H: RingHasher>(host: &[u8], count: u64, mut found: impl FnMut(u128)) {
    let mut state = H::default();
    state.update(host);
    for _ in 0..count {
        state.update(host);
        found(state.clone().position());
    }
}

/// Whether the original knows a hash function of this name, compiled in here or not.
const fn is_reserved(name: &str) -> bool {
    let mut names = HashFunction::ORIGINAL;
    while let [first, rest @ ..] = names {
        if equal(first.as_bytes(), name.as_bytes()) {
            return true;
        }
        names = rest;
    }
    false
}

const fn equal(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([l, left_rest @ ..], [r, right_rest @ ..]) = (left, right) {
        if *l != *r {
            return false;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.is_empty() && right.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of the bytes, in the upper half.
    #[derive(Clone, Default)]
    struct Sum(u64);

    impl RingHasher for Sum {
        const NAME: &'static str = "sum";

        fn update(&mut self, bytes: &[u8]) {
            self.0 += bytes.iter().copied().map(u64::from).sum::<u64>();
        }

        fn position(self) -> u128 {
            u128::from(self.0) << 64
        }
    }

    /// Another one of the same name.
    #[derive(Clone, Default)]
    struct Zero;

    impl RingHasher for Zero {
        const NAME: &'static str = "sum";

        fn update(&mut self, _: &[u8]) {}

        fn position(self) -> u128 {
            0
        }
    }

    #[test]
    fn the_type_is_what_makes_a_custom_function() {
        let (sum, zero) = (
            HashFunction::custom::<Sum>(),
            HashFunction::custom::<Zero>(),
        );
        assert_eq!(sum, HashFunction::custom::<Sum>());
        assert_ne!(sum, zero);
        assert_ne!(sum.cmp(&zero), Ordering::Equal);
        assert_eq!(sum.cmp(&sum), Ordering::Equal);
        assert_eq!(sum.partial_cmp(&zero), Some(sum.cmp(&zero)));
        assert_eq!(
            std::collections::HashSet::from([sum, zero, sum, HashFunction::Md5]).len(),
            3
        );
        assert_eq!(sum.to_string(), "sum");
        assert_eq!(format!("{sum:?}"), "Custom(CustomHash(\"sum\"))");
    }

    #[test]
    fn a_custom_function_is_asked_for_keys_and_hosts() {
        let sum = HashFunction::custom::<Sum>();
        assert_eq!(sum.key_position(&[1, 2, 3]), 6 << 64);
        let mut found = Vec::new();
        sum.host_positions(&[1, 2], 3, |position| found.push(position >> 64));
        assert_eq!(found, [6, 9, 12]);
    }

    #[test]
    fn names_of_the_original_are_reserved_and_no_others() {
        for name in ["md5", "sha1", "sha3_512", "blake2s", "shake_128"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["", "md", "md55", "md6", "sum", "SHA1"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
