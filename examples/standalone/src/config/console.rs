//! `[console]`: where machines' consoles are reached.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ironic_core::Error;
use ironic_drivers_ipmi::driver::ConsoleSettings;

use super::ConfigError;
use super::sections::section;
use super::value::{Names, Seconds};

section! {
    /// `[console]`: where the consoles `ipmitool-socat` of machines are reached.
    pub struct ConsoleSection("CONSOLE") {
        /// The address that consoles listen at. Default 127.0.0.1: who connects has the machine's
        /// console without being asked who he is.
        socat_address: IpAddr,
        /// The TCP ports of consoles, as ranges such as `10000:20000`, without the end. Default
        /// none: then nodes have to name theirs, `ipmi_terminal_port` in `driver_info`.
        port_range: Names,
        /// After how long without a character a connection is closed; 0 is never. Default 600.
        terminal_timeout: Seconds,
    }
}

impl ConsoleSection {
    /// Where consoles are reached.
    pub(crate) fn settings(&self) -> ConsoleSettings {
        let mut settings = ConsoleSettings::default();
        settings.address = self.socat_address.unwrap_or(settings.address);
        if let Some(Seconds(timeout)) = self.terminal_timeout {
            settings.idle_timeout = timeout;
        }
        settings.ports = self.ranges().flatten().collect();
        settings
    }

    fn ranges(&self) -> impl Iterator<Item = Option<RangeInclusive<u16>>> {
        let ranges = self.port_range.iter().flat_map(|ranges| ranges.iter());
        ranges.map(|range| range_of(range))
    }

    /// Refuses ranges that are none.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.ranges().all(|range| range.is_some()) {
            return Ok(());
        }
        Err(
            Error::invalid("port_range in [console] must be ranges of ports such as 10000:20000")
                .into(),
        )
    }
}

fn range_of(text: &str) -> Option<RangeInclusive<u16>> {
    let (start, end) = text.split_once(':')?;
    let (start, end): (u16, u32) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    let last = u16::try_from(end.checked_sub(1)?).ok()?;
    (start > 0 && start <= last).then_some(start..=last)
}
