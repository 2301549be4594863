use std::time::Duration;

/// How long the machine takes for what happens between packets; real machines take minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// From power on, or a reset, to the first boot device; default none.
    pub self_test: Duration,
    /// From the start of a kernel to the start of the agent; default none.
    pub ramdisk: Duration,
    /// For a running system to shut down or restart when it is asked to; default 100 ms, in which the answer to the
    /// request leaves.
    pub shutdown: Duration,
    /// Between off and on of a power cycle; default 10 ms, as no machine stays off for less (IPMI 2.0 §28.3 has 1 s).
    pub power_cycle: Duration,
    /// Cuts longer pauses that a boot script makes; default a day, which cuts none.
    pub longest_pause: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            self_test: Duration::ZERO,
            ramdisk: Duration::ZERO,
            shutdown: Duration::from_millis(100),
            power_cycle: Duration::from_millis(10),
            longest_pause: Duration::from_secs(86_400),
        }
    }
}

impl Timings {
    /// The defaults, which are as fast as it gets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time to the first boot device.
    #[must_use]
    pub const fn self_test(mut self, time: Duration) -> Self {
        self.self_test = time;
        self
    }

    /// Sets the time from a kernel's start to the agent's.
    #[must_use]
    pub const fn ramdisk(mut self, time: Duration) -> Self {
        self.ramdisk = time;
        self
    }

    /// Sets the time that a system takes to shut down.
    #[must_use]
    pub const fn shutdown(mut self, time: Duration) -> Self {
        self.shutdown = time;
        self
    }

    /// Sets the time that a power cycle is off.
    #[must_use]
    pub const fn power_cycle(mut self, time: Duration) -> Self {
        self.power_cycle = time;
        self
    }

    /// Cuts longer pauses of boot scripts.
    #[must_use]
    pub const fn longest_pause(mut self, time: Duration) -> Self {
        self.longest_pause = time;
        self
    }
}
