use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::chance::Chance;

/// How late the wire repeats a request at most.
pub(super) const LATEST: Duration = Duration::from_secs(60);

/// How wrong a clock may run, in millionths: a hundred times as wrong as quartz.
pub(super) const DRIFT: u64 = 10_000;

/// How often what fails. Each seed draws its own: some have no crashes at all, in others every
/// tenth answer of the store gets lost, so that rare things come in company of different others.
///
/// All of it ends with the storm.
#[derive(Debug)]
pub(super) struct Weather {
    calm: AtomicBool,
    rates: Rates,
}

/// Times in a million.
#[derive(Debug, Default)]
struct Rates {
    store_fails: u64,
    store_loses: u64,
    store_waits: u64,
    dies_at_commit: u64,
    wire_loses: u64,
    wire_loses_answers: u64,
    wire_repeats: u64,
    wire_waits: u64,
    bmc_fails: u64,
    bmc_waits: u64,
    bmc_hangs: u64,
    agent_fails: u64,
    agent_restarts: u64,
    agent_hangs: u64,
    mishaps: bool,
    power_glitches: bool,
    store_late: u64,
    driver_waits: u64,
    agent_waits: u64,
    clocks_differ: bool,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is carried out.
    Fine,
    /// It fails, and is not carried out.
    Fails,
    /// It is carried out, and its answer lost.
    Loses,
    /// It takes this long before it is carried out.
    Waits(Duration),
    /// It is carried out, and never answered.
    Hangs,
}

impl Weather {
    pub(super) fn of(seed: u64, faults: bool) -> Self {
        let chance = Chance::of(seed, "weather", 0);
        let rate = |most: u64| {
            if chance.below(10) < 6 {
                1 + chance.below(most)
            } else {
                0
            }
        };
        let drawn = Rates {
            store_fails: rate(10_000),
            store_loses: rate(20_000),
            store_waits: rate(100_000),
            dies_at_commit: rate(800),
            wire_loses: rate(50_000),
            wire_loses_answers: rate(50_000),
            wire_repeats: rate(100_000),
            wire_waits: rate(200_000),
            bmc_fails: rate(50_000),
            bmc_waits: rate(200_000),
            bmc_hangs: rate(20_000),
            agent_fails: rate(100_000),
            agent_restarts: rate(100_000),
            agent_hangs: rate(200_000),
            mishaps: rate(1) > 0,
            power_glitches: rate(1) > 0,
            store_late: rate(20_000),
            driver_waits: rate(20_000),
            agent_waits: rate(200_000),
            clocks_differ: rate(1) > 0,
        };
        Self {
            calm: AtomicBool::new(!faults),
            rates: if faults { drawn } else { Rates::default() },
        }
    }

    /// Nothing fails any more.
    pub(super) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    fn hits(&self, chance: &Chance, rate: u64) -> bool {
        // Drawn in any weather: the streams do not depend on when the storm ends.
        let hit = chance.hits(rate);
        hit && !self.is_calm()
    }

    /// What happens to a call of the store; a read is never lost.
    pub(super) fn store(&self, chance: &Chance) -> Fate {
        if self.hits(chance, self.rates.store_fails) {
            Fate::Fails
        } else if self.hits(chance, self.rates.store_loses) {
            Fate::Loses
        } else if self.hits(chance, self.rates.store_waits) {
            // Mostly a moment, now and then longer than anybody expects.
            let most = if chance.below(20) == 0 { 20_000 } else { 200 };
            Fate::Waits(chance.between(Duration::ZERO, Duration::from_millis(most)))
        } else {
            Fate::Fine
        }
    }

    /// How late the answer to a commit is, if it is.
    pub(super) fn store_answers_late(&self, chance: &Chance) -> Option<Duration> {
        let late = self.hits(chance, self.rates.store_late);
        // Now and then almost as late as the lease is long that it may be about.
        let most = if chance.below(4) == 0 { 58 } else { 10 };
        late.then(|| chance.seconds(1, most))
    }

    /// Whether a conductor dies with this commit.
    pub(super) fn kills(&self, chance: &Chance) -> bool {
        self.hits(chance, self.rates.dies_at_commit)
    }

    /// What happens to a request on its way.
    pub(super) fn wire(&self, chance: &Chance) -> Fate {
        if self.hits(chance, self.rates.wire_loses) {
            Fate::Fails
        } else if self.hits(chance, self.rates.wire_loses_answers) {
            Fate::Loses
        } else if self.hits(chance, self.rates.wire_waits) {
            Fate::Waits(chance.seconds(0, 20))
        } else {
            Fate::Fine
        }
    }

    /// After how long a request arrives another time, if it does.
    pub(super) fn repeats(&self, chance: &Chance) -> Option<Duration> {
        let repeats = self.hits(chance, self.rates.wire_repeats);
        repeats.then(|| chance.between(Duration::from_secs(1), LATEST))
    }

    /// What happens to a command to a BMC.
    pub(super) fn bmc(&self, chance: &Chance) -> Fate {
        if self.hits(chance, self.rates.bmc_fails) {
            Fate::Fails
        } else if self.hits(chance, self.rates.bmc_hangs) {
            Fate::Hangs
        } else if self.hits(chance, self.rates.bmc_waits) {
            Fate::Waits(chance.seconds(1, 25))
        } else {
            Fate::Fine
        }
    }

    /// How long a driver is busy with something else between its permit and its command, if it is.
    pub(super) fn driver_waits(&self, chance: &Chance) -> Option<Duration> {
        let waits = self.hits(chance, self.rates.driver_waits);
        waits.then(|| chance.seconds(1, 50))
    }

    /// How long a question or its answer takes between a conductor and an agent, if it takes any
    /// time.
    pub(super) fn agent_waits(&self, chance: &Chance) -> Option<Duration> {
        let waits = self.hits(chance, self.rates.agent_waits);
        waits.then(|| chance.seconds(1, 40))
    }

    /// How much faster than time the clocks of a conductor run, in millionths, up to
    /// [`DRIFT`] to either side: as long as it lives, in a storm and after it.
    pub(super) fn drift(&self, chance: &Chance) -> i64 {
        let drift = i64::try_from(chance.below(2 * DRIFT + 1)).unwrap_or_default();
        if self.rates.clocks_differ {
            drift - i64::try_from(DRIFT).unwrap_or_default()
        } else {
            0
        }
    }

    /// Whether a command to an agent fails.
    pub(super) fn agent_fails(&self, chance: &Chance) -> bool {
        self.hits(chance, self.rates.agent_fails)
    }

    /// Whether a ramdisk restarts by itself.
    pub(super) fn agent_restarts(&self, chance: &Chance) -> bool {
        self.hits(chance, self.rates.agent_restarts)
    }

    /// Whether a ramdisk hangs.
    pub(super) fn agent_hangs(&self, chance: &Chance) -> bool {
        self.hits(chance, self.rates.agent_hangs)
    }

    /// Whether conductors crash, pause and stop.
    pub(super) fn has_mishaps(&self) -> bool {
        self.rates.mishaps && !self.is_calm()
    }

    /// Whether machines gain and lose power by themselves.
    pub(super) fn has_power_glitches(&self) -> bool {
        self.rates.power_glitches && !self.is_calm()
    }
}
