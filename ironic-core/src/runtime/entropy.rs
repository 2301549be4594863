use std::sync::Mutex;

use uuid::Uuid;

/// Where tokens, uuids and jitter come from.
///
/// # Contract
/// - **Who calls.** Whoever makes a uuid, a token, a salt or a pause of chance. From any thread.
/// - **Fills the whole slice**, never blocks for long and never fails: who cannot give random bytes
///   may only panic, as [`OsEntropy`] does.
/// - **Unpredictable** in production: agents' tokens and session keys are made of it. Distinct
///   between conductors, always: two that give out the same uuids break each other's locks.
/// - **Reproducible** where it is seeded: the same calls get the same bytes.
///
/// **Checked by** no suite.
///
/// ```
/// use ironic_core::runtime::{Entropy, SeededEntropy};
///
/// let (one, other) = (SeededEntropy::new(7), SeededEntropy::new(7));
/// assert_eq!(one.uuid(), other.uuid(), "for tests, and for nothing else");
/// ```
pub trait Entropy: Send + Sync + std::fmt::Debug + 'static {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);

    /// A random (version 4) uuid.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A random number below `bound`, or 0 when `bound` is 0.
    fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        // Multiply-shift: the bias is below 2^-32 for every bound that fits 32 bits.
        let wide = u128::from(u64::from_le_bytes(bytes)) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }
}

/// The operating system's random numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that asks the system"
    )]
    #[allow(
        clippy::panic,
        clippy::missing_panics_doc,
        reason = "without random numbers no token is safe"
    )]
    fn fill(&self, out: &mut [u8]) {
        if let Err(error) = getrandom::fill(out) {
            panic!("the operating system has no random numbers: {error}");
        }
    }
}

/// The same numbers for the same seed: for tests and simulations only.
#[derive(Debug)]
pub struct SeededEntropy {
    state: Mutex<u64>,
}

impl SeededEntropy {
    /// A generator that starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(seed),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in out.chunks_mut(8) {
            // SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(bytes) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entropy, OsEntropy, SeededEntropy};

    #[test]
    fn one_seed_gives_one_sequence_and_uuids_are_version_4() {
        let (a, b) = (SeededEntropy::new(7), SeededEntropy::new(7));
        let ids: Vec<_> = (0..100).map(|_| a.uuid()).collect();
        assert_eq!(ids, (0..100).map(|_| b.uuid()).collect::<Vec<_>>());
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
        assert_ne!(OsEntropy.uuid(), OsEntropy.uuid());
    }

    #[test]
    fn below_stays_below() {
        let entropy = SeededEntropy::new(1);
        assert_eq!(entropy.below(0), 0);
        assert!((0..1000).all(|_| entropy.below(7) < 7));
        assert!((0..1000).any(|_| entropy.below(7) == 6));
    }
}
