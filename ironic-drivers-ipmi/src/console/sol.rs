use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{codec::SolPacket, command::SolActivation};

/// How many characters wait for the BMC at most.
const MOST_WAITING: usize = 16 * 1024;
/// The bytes before the characters of a packet.
const HEADER: usize = 4;
/// A packet with more characters than this could not be acknowledged: counts have one byte.
const LONGEST: usize = 255;
/// How long to wait for an acknowledgement.
const RETRY: Duration = Duration::from_millis(500);
/// How long to leave a BMC alone that takes no characters just now.
const PAUSE: Duration = Duration::from_secs(1);
/// How often characters are sent before the BMC is taken to be gone.
const ATTEMPTS: u32 = 20;

/// Why serial over LAN is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SolEnded {
    /// The BMC says so: somebody else has taken it over, or switched it off.
    #[error("the BMC has ended serial over LAN")]
    Deactivated,
    /// The BMC acknowledges nothing.
    #[error("the BMC acknowledges no characters")]
    Silent,
}

/// A console's end of serial over LAN (IPMI 2.0 §15.11), without I/O and without a session of its own.
///
/// One packet of characters is under way at a time, until it is acknowledged. After each call that takes something in,
/// drain [`poll_payload`](Self::poll_payload); call [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct SolConsole {
    /// Whether the other end is a BMC: the bits of status mean something else from a console.
    with_bmc: bool,
    most: usize,
    sequence: u8,
    waiting: VecDeque<u8>,
    flight: Option<SolFlight>,
    /// The last packet with characters from the BMC: its number, and how many there were.
    heard: Option<(u8, usize)>,
    payloads: VecDeque<Vec<u8>>,
}

#[derive(Debug)]
struct SolFlight {
    sequence: u8,
    data: Vec<u8>,
    attempt: u32,
    due: Instant,
}

impl SolConsole {
    /// A console for what has just been activated.
    #[must_use]
    pub fn new(activation: SolActivation) -> Self {
        Self::with_payloads_of(activation.inbound, true)
    }

    /// The BMC's end, which keeps the same rules.
    #[cfg(feature = "server")]
    pub(crate) fn of_bmc(activation: SolActivation) -> Self {
        Self::with_payloads_of(activation.outbound, false)
    }

    fn with_payloads_of(len: u16, with_bmc: bool) -> Self {
        let inbound = usize::from(len).saturating_sub(HEADER);
        Self {
            with_bmc,
            most: inbound.clamp(1, LONGEST),
            sequence: 0,
            waiting: VecDeque::new(),
            flight: None,
            heard: None,
            payloads: VecDeque::new(),
        }
    }

    /// How many characters there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        MOST_WAITING.saturating_sub(self.waiting.len())
    }

    /// Whether every character has been acknowledged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.flight.is_none() && self.waiting.is_empty()
    }

    /// Takes characters for the machine, as many as there is room for; how many these are.
    pub fn write(&mut self, now: Instant, characters: &[u8]) -> usize {
        let taken = characters.len().min(self.room());
        self.waiting.extend(characters.iter().take(taken));
        self.advance(now);
        taken
    }

    /// Takes a packet from the BMC in; the characters that are new.
    ///
    /// # Errors
    /// It was the last.
    pub fn handle(&mut self, now: Instant, payload: &[u8]) -> Result<Vec<u8>, SolEnded> {
        let Ok(packet) = SolPacket::decode(payload) else {
            return Ok(Vec::new());
        };
        if self.with_bmc && packet.is_deactivated() {
            return Err(SolEnded::Deactivated);
        }
        self.acknowledged(now, &packet);
        if packet.sequence == 0 {
            return Ok(Vec::new());
        }
        // What is repeated may have grown (IPMI 2.0 §15.11): only what is new counts.
        let known = match self.heard {
            Some((sequence, len)) if sequence == packet.sequence => len,
            _ => 0,
        };
        let new = packet.data.get(known..).unwrap_or_default().to_vec();
        let len = packet.data.len().max(known);
        self.heard = Some((packet.sequence, len));
        let accepted = u8::try_from(packet.data.len()).unwrap_or(u8::MAX);
        let ack = SolPacket::ack(packet.sequence, accepted);
        self.payloads.push_back(ack.encode());
        Ok(new)
    }

    fn acknowledged(&mut self, now: Instant, packet: &SolPacket<'_>) {
        let Some(flight) = self
            .flight
            .take_if(|flight| packet.acked == flight.sequence)
        else {
            return;
        };
        let taken = usize::from(packet.accepted).min(flight.data.len());
        let left = flight.data.get(taken..).unwrap_or_default();
        if left.is_empty() {
            return self.advance(now);
        }
        // What was not taken goes under a new number, after a pause if there is no room for it.
        let pause = if packet.is_nack() || self.with_bmc && packet.is_unavailable() {
            PAUSE
        } else {
            Duration::ZERO
        };
        self.launch(left.to_vec(), now + pause, 0);
        if pause.is_zero() {
            self.transmit(now);
        }
    }

    /// The next payload for the BMC.
    pub fn poll_payload(&mut self) -> Option<Vec<u8>> {
        self.payloads.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.flight.as_ref().map(|flight| flight.due)
    }

    /// Repeats what has not been acknowledged.
    ///
    /// # Errors
    /// It was repeated often enough.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), SolEnded> {
        let Some(flight) = self.flight.as_ref().filter(|flight| flight.due <= now) else {
            return Ok(());
        };
        if flight.attempt >= ATTEMPTS {
            return Err(SolEnded::Silent);
        }
        self.transmit(now);
        Ok(())
    }

    /// Sends what waits, if nothing is under way.
    fn advance(&mut self, now: Instant) {
        if self.flight.is_some() || self.waiting.is_empty() {
            return;
        }
        let count = self.waiting.len().min(self.most);
        let data = self.waiting.drain(..count).collect();
        self.launch(data, now, 0);
        self.transmit(now);
    }

    fn launch(&mut self, data: Vec<u8>, due: Instant, attempt: u32) {
        self.sequence = self.sequence % 15 + 1;
        self.flight = Some(SolFlight {
            sequence: self.sequence,
            data,
            attempt,
            due,
        });
    }

    fn transmit(&mut self, now: Instant) {
        if let Some(flight) = &mut self.flight {
            flight.attempt += 1;
            flight.due = now + RETRY;
            let packet = SolPacket::data(flight.sequence, &flight.data);
            self.payloads.push_back(packet.encode());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn console(inbound: u16) -> SolConsole {
        SolConsole::new(SolActivation {
            inbound,
            outbound: 200,
            port: 623,
        })
    }

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    #[test]
    fn characters_are_repeated_until_they_are_acknowledged() {
        let (mut sol, start) = (console(7), now());
        assert_eq!(sol.write(start, b"abcde"), 5);
        assert_eq!(sol.poll_payload().unwrap(), b"\x01\0\0\0abc");
        assert_eq!(sol.poll_payload(), None, "one at a time");
        let due = sol.poll_timeout().unwrap();
        sol.handle_timeout(due).unwrap();
        assert_eq!(sol.poll_payload().unwrap(), b"\x01\0\0\0abc");
        // One was taken; the others are sent under a new number.
        assert_eq!(sol.handle(due, &[0, 1, 1, 0]), Ok(Vec::new()));
        assert_eq!(sol.poll_payload().unwrap(), b"\x02\0\0\0bc");
        // An acknowledgement of what is over changes nothing.
        assert_eq!(sol.handle(due, &[0, 1, 3, 0]), Ok(Vec::new()));
        assert_eq!(sol.poll_payload(), None);
        sol.handle(due, &[0, 2, 2, 0]).unwrap();
        assert_eq!(sol.poll_payload().unwrap(), b"\x03\0\0\0de");
        // A BMC without room is left alone for a while.
        sol.handle(due, &[0, 3, 0, 0x60]).unwrap();
        assert_eq!(sol.poll_payload(), None);
        assert_eq!(sol.poll_timeout(), Some(due + PAUSE));
        sol.handle_timeout(due + PAUSE).unwrap();
        assert_eq!(sol.poll_payload().unwrap(), b"\x04\0\0\0de");
        sol.handle(due, &[0, 4, 2, 0]).unwrap();
        assert!(sol.is_idle());
    }

    #[test]
    fn what_the_bmc_repeats_is_told_once_and_acknowledged_twice() {
        let (mut sol, at) = (console(100), now());
        assert_eq!(sol.handle(at, b"\x05\0\0\0ab"), Ok(b"ab".to_vec()));
        assert_eq!(sol.handle(at, b"\x05\0\0\0abc"), Ok(b"c".to_vec()));
        assert_eq!(sol.handle(at, b"\x06\0\0\0ab"), Ok(b"ab".to_vec()));
        for ack in [[0, 5, 2, 0], [0, 5, 3, 0], [0, 6, 2, 0]] {
            assert_eq!(sol.poll_payload().unwrap(), ack);
        }
    }

    #[test]
    fn the_end_is_told() {
        let (mut sol, mut at) = (console(100), now());
        assert_eq!(sol.handle(at, &[0, 0, 0, 0x10]), Err(SolEnded::Deactivated));
        sol.write(at, b"x");
        let ended = loop {
            at = sol.poll_timeout().unwrap();
            if let Err(ended) = sol.handle_timeout(at) {
                break ended;
            }
        };
        assert_eq!(ended, SolEnded::Silent);
    }

    proptest! {
        #[test]
        fn whatever_comes_little_is_kept(packets: Vec<Vec<u8>>, written: Vec<u8>) {
            let (mut sol, at) = (console(20), now());
            for packet in packets {
                sol.write(at, &written);
                if sol.handle(at, &packet).is_err() {
                    return Ok(());
                }
                while sol.poll_payload().is_some() {}
                prop_assert!(sol.waiting.len() <= MOST_WAITING);
            }
        }
    }
}
