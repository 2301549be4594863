use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Bug;
use super::chance::{Chance, Marked};
use super::driver;
use super::ear::Ear;
use super::host::FleetHost;
use super::life::Life;
use super::site::Site;
use super::store::{Shelf, Way};
use super::wall_clock::{WallClock, by_clock};
use super::wire::Wire;
use super::world::{BEGINNING, World};
use crate::conductor::Conductor;
use crate::config::Config;
use crate::{Clock, Error};

/// How long a conductor may take to start, or to stop.
const LONG: Duration = Duration::from_secs(300);

/// One post of a conductor, and the lives that fill it one after another.
pub(super) struct Post {
    pub(super) world: Arc<World>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) wire: Arc<Wire>,
    pub(super) host: FleetHost,
    pub(super) number: u64,
    pub(super) config: Config,
    /// The storm is over.
    pub(super) calm: CancellationToken,
    /// The simulation is.
    pub(super) over: CancellationToken,
}

/// How a life ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Crash,
    Stop,
}

impl Post {
    fn name(&self) -> String {
        format!("cond-{}", self.number)
    }

    /// Lives, until the simulation is over.
    pub(super) async fn keep(self) {
        let chance = self.world.chance("post", self.number);
        for number in 0.. {
            let life = Arc::new(Life::new(&self.name(), number));
            let drift = self.world.weather.drift(&chance);
            let clock = Arc::new(self.clock(&life, drift));
            let started = timeout(LONG, self.start(&life, &clock, drift)).await;
            let conductor = match started {
                Ok(Ok(conductor)) => conductor,
                failed => {
                    let why = failed.map_or_else(|late| late.to_string(), told);
                    self.bury(&life);
                    if self.gives_up(&why) {
                        return;
                    }
                    sleep(chance.seconds(1, 20)).await;
                    continue;
                }
            };
            self.wire.connect(&life, conductor.handler());
            self.world
                .announce(&format!("{} (life {number}) has started", life.host));
            let end = self.live(&life, &clock, &chance).await;
            if matches!(end, End::Stop) {
                self.stop(&life, &conductor).await;
            }
            self.bury(&life);
            if self.over.is_cancelled() {
                return;
            }
            if self.stays_away(&chance) {
                self.over.cancelled().await;
                return;
            }
            let away = chance.seconds(1, 300);
            tokio::select! {
                biased;
                () = self.over.cancelled() => return,
                () = sleep(away) => {}
            }
        }
    }

    /// Whether it is of no use to start once more: nobody needs it, or it has failed too long.
    fn gives_up(&self, why: &str) -> bool {
        if self.over.is_cancelled() || self.world.is_wrong() {
            return true;
        }
        let late = self.world.time() >= self.world.settings.end();
        if late {
            let text = format!("{} does not start: {why}", self.name());
            self.world.accuse("a conductor starts", text);
        }
        late
    }

    /// The first conductor always comes back, so that there is one.
    fn stays_away(&self, chance: &Chance) -> bool {
        let away = chance.below(8) == 0;
        away && self.number > 0
    }

    fn bury(&self, life: &Life) {
        life.kill();
        self.wire.cut(life);
        self.world.died(&life.host, life.number);
    }

    /// The settings by clocks that run so much faster, in millionths: to whoever looks on, each of
    /// its times is so much shorter.
    fn config(&self, drift: i64) -> Config {
        let mut config = self.config.clone();
        config.policy.defect = self.world.defect();
        for time in [
            &mut config.heartbeat_interval,
            &mut config.heartbeat_timeout,
            &mut config.bmc_command_timeout,
            &mut config.hash_ring_reset_interval,
            &mut config.sync_power_state_interval,
        ] {
            *time = by_clock(*time, drift);
        }
        config
    }

    /// The clock of a life: up to 10 s before or behind the others'.
    fn clock(&self, life: &Life, drift: i64) -> WallClock {
        let chance = self
            .world
            .chance(&format!("clock of {}", life.host), life.number);
        let skew = Duration::from_micros(chance.below(20_000_000));
        let now = BEGINNING.saturating_add(self.world.time());
        WallClock::new(now.saturating_add(skew), drift)
    }

    async fn start(
        &self,
        life: &Arc<Life>,
        clock: &Arc<WallClock>,
        drift: i64,
    ) -> Result<Conductor, Error> {
        let chance = |subject: &str| {
            let subject = format!("{subject} of {}", life.host);
            self.world.chance(&subject, life.number)
        };
        let way = Way {
            shelf: Arc::clone(&self.shelf),
            life: Arc::clone(life),
            chance: chance("store"),
        };
        let site = Site {
            world: Arc::clone(&self.world),
            life: Arc::clone(life),
            chance: chance("driver"),
        };
        let ear = Ear {
            world: Arc::clone(&self.world),
            life: Arc::clone(life),
            asked: AtomicU64::new(0),
        };
        let mut config = self.config(drift);
        config.host = life.host.clone();
        if self.world.has(Bug::HastyTakeOver) {
            config.heartbeat_timeout = config.heartbeat_interval * 2 + Duration::from_secs(1);
            config.bmc_command_timeout = Duration::from_secs(1);
        }
        let starting = Conductor::builder()
            .store(Arc::new(way))
            .registry(Arc::new(driver::registry(site, &self.host)?))
            .config(config)
            .notifier(Arc::new(ear))
            .clock(Arc::clone(clock) as Arc<dyn Clock>)
            .entropy(Arc::new(Marked(chance("conductor"))))
            .start();
        tokio::select! {
            biased;
            started = starting => started,
            () = life.died() => Err(Error::internal("it died at its start")),
        }
    }

    /// Lives, with mishaps as long as the storm lasts.
    async fn live(&self, life: &Arc<Life>, clock: &WallClock, chance: &Chance) -> End {
        loop {
            let mishap = chance.seconds(20, 600);
            let what = chance.below(10);
            tokio::select! {
                biased;
                () = life.died() => return End::Crash,
                () = self.over.cancelled() => return End::Stop,
                () = sleep(mishap), if self.world.weather.has_mishaps() => {}
            }
            if !self.world.weather.has_mishaps() {
                continue;
            }
            match what {
                0..4 => return End::Crash,
                4..6 => return End::Stop,
                6 => clock
                    .set(i64::try_from(chance.below(20_000_000)).unwrap_or_default() - 10_000_000),
                _ => self.stand_still(life, chance).await,
            }
        }
    }

    /// It is not run for a while, and goes on as if nothing had been.
    async fn stand_still(&self, life: &Life, chance: &Chance) {
        self.world.announce(&format!("{} stands still", life.host));
        life.pause();
        tokio::select! {
            biased;
            () = self.calm.cancelled() => {}
            () = sleep(chance.seconds(1, 240)) => {}
        }
        life.resume();
        self.world.announce(&format!("{} goes on", life.host));
    }

    async fn stop(&self, life: &Life, conductor: &Conductor) {
        self.world.announce(&format!("{} stops", life.host));
        let stopped = tokio::select! {
            biased;
            stopped = timeout(LONG, conductor.stop()) => stopped,
            () = life.died() => return,
        };
        match stopped {
            Ok(Ok(())) => self.world.stopped(&life.host),
            Ok(Err(_)) => {}
            Err(_) => {
                let text = format!("{} does not stop", life.host);
                self.world.accuse("a conductor stops when told to", text);
            }
        }
    }
}

/// What is said of a conductor that has not started.
fn told(started: Result<Conductor, Error>) -> String {
    started.map_or_else(|error| error.to_string(), |_| String::new())
}
