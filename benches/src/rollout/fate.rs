use std::time::Duration;

use ironic_core::driver::fake::{FakeBehaviour, FakeOperation, FakeRule};
use ironic_core::runtime::SeededEntropy;
use ironic_core::{Entropy, Error, Uuid};

/// After so many nodes fates repeat, in the same order.
pub(super) const BLOCK: usize = 50;

/// What befalls a node on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing.
    Smooth,
    /// Somebody edits its record each time just before the engine writes it, over and over.
    Edited,
    /// Its BMC does not answer, the first two times.
    SilentBmc,
    /// The agent that is to clean it never calls, the first time.
    LostInCleaning,
    /// The agent that is to deploy it never calls, the first time.
    LostInDeployment,
    /// The image cannot be written, the first time.
    BadDisk,
}

/// Five in fifty.
const UNLUCKY: [Fate; 5] = [
    Fate::Edited,
    Fate::SilentBmc,
    Fate::LostInCleaning,
    Fate::LostInDeployment,
    Fate::BadDisk,
];

/// Which of a block's nodes meets which fate, by the seed.
pub(super) fn fates(seed: u64) -> [Fate; BLOCK] {
    let chance = SeededEntropy::new(seed);
    let mut fates = [Fate::Smooth; BLOCK];
    for (place, fate) in fates.iter_mut().zip(UNLUCKY) {
        *place = fate;
    }
    // Fisher and Yates; a place is below 50.
    for last in (1..BLOCK).rev() {
        let other = chance.below(last as u64 + 1);
        fates.swap(last, usize::try_from(other).unwrap_or(last));
    }
    fates
}

impl Fate {
    /// How often it takes an operator to get the node over it.
    pub(super) fn failures(self) -> u64 {
        match self {
            Self::Smooth | Self::Edited => 0,
            Self::SilentBmc => 2,
            Self::LostInCleaning | Self::LostInDeployment | Self::BadDisk => 1,
        }
    }

    /// Prepares the machine for it.
    pub(super) fn prepare(self, machines: &FakeBehaviour, node: Uuid) {
        let failing = |operation, message: &str, times| {
            let error = Error::driver("fake", message);
            machines.add(FakeRule::fails(operation, error).on(node).first(times));
        };
        match self {
            Self::SilentBmc => failing(FakeOperation::GetPowerState, "the BMC is silent", 2),
            Self::BadDisk => failing(FakeOperation::Deploy, "the image cannot be written", 1),
            Self::Smooth | Self::Edited | Self::LostInCleaning | Self::LostInDeployment => {}
        }
    }
}

/// The random numbers of one node: those of the nodes of one place in their blocks are the same.
#[derive(Debug)]
pub(super) struct Chance(SeededEntropy);

impl Chance {
    pub(super) fn new(seed: u64, place: usize, subject: u64) -> Self {
        Self(SeededEntropy::new(
            seed.wrapping_mul(1000).wrapping_add(place as u64) ^ (subject << 48),
        ))
    }

    /// A time of so many seconds at least, and at most.
    pub(super) fn seconds(&self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least * 1000 + self.0.below((most - least) * 1000 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, UNLUCKY, fates};

    #[test]
    fn a_seed_deals_every_fate_once() {
        for seed in 0..20 {
            let fates = fates(seed);
            for fate in UNLUCKY {
                assert_eq!(fates.iter().filter(|one| **one == fate).count(), 1);
            }
            let smooth = fates.iter().filter(|one| **one == Fate::Smooth);
            assert_eq!(smooth.count(), fates.len() - UNLUCKY.len());
        }
        assert_ne!(fates(1), fates(2));
    }
}
