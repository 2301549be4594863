use std::time::Duration;

use crate::runtime::{Entropy, SeededEntropy};

/// Random numbers of one subject. Every subject draws from a stream of its own, so that a subject
/// that is added, or that draws more than before, changes nothing for the others.
#[derive(Debug)]
pub(super) struct Chance(SeededEntropy);

impl Chance {
    /// The stream of a subject and its number, under the seed of the simulation.
    pub(super) fn of(seed: u64, subject: &str, number: u64) -> Self {
        // FNV-1a; what is drawn is mixed by SplitMix64 in any case.
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in subject.bytes().chain(number.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(SeededEntropy::new(hash))
    }

    /// A number below `bound`.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// Whether something happens that does so this often in a million times.
    pub(super) fn hits(&self, per_million: u64) -> bool {
        per_million > 0 && self.below(1_000_000) < per_million
    }

    /// A time in between, in whole milliseconds: what tokio's timers tell apart.
    pub(super) fn between(&self, least: Duration, most: Duration) -> Duration {
        let span = most.saturating_sub(least).as_millis();
        let span = u64::try_from(span).unwrap_or(u64::MAX);
        least + Duration::from_millis(self.below(span + 1))
    }

    /// A time of so many seconds at least, and at most.
    pub(super) fn seconds(&self, least: u64, most: u64) -> Duration {
        self.between(Duration::from_secs(least), Duration::from_secs(most))
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&self, from: &[T]) -> Option<T> {
        let at = self.below(from.len() as u64);
        from.get(usize::try_from(at).ok()?).copied()
    }

    /// Further uuids of this subject.
    pub(super) fn uuid(&self) -> uuid::Uuid {
        self.0.uuid()
    }
}

/// What every password of the simulated fleet begins with, and so what must be seen nowhere.
pub(super) const PASSWORD: &str = "S3CR3T-";

/// What every token that a simulated conductor draws begins with, as bytes and as text.
const TOKEN_BYTES: [u8; 6] = [0x5e, 0xc4, 0xe7, 0x5e, 0xc4, 0xe7];
pub(super) const TOKEN: &str = "5ec4e75ec4e7";

/// The random numbers of a conductor: its tokens can be told from everything else.
#[derive(Debug)]
pub(super) struct Marked(pub(super) Chance);

impl Entropy for Marked {
    fn fill(&self, out: &mut [u8]) {
        self.0.0.fill(out);
        if out.len() == 32
            && let Some(start) = out.get_mut(..TOKEN_BYTES.len())
        {
            start.copy_from_slice(&TOKEN_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn each_subject_has_a_stream_of_its_own() {
        let draw = |seed, subject, number| {
            let chance = Chance::of(seed, subject, number);
            (0..4).map(|_| chance.below(1 << 40)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, "store", 1), draw(7, "store", 1));
        let others = [draw(8, "store", 1), draw(7, "wire", 1), draw(7, "store", 2)];
        assert!(others.iter().all(|other| *other != draw(7, "store", 1)));
    }
}
