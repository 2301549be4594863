//! Reading all sensors' records of a BMC, part by part (IPMI 2.0 §33.11, §33.12): what to ask next,
//! and what the answer leads to.

use std::collections::BTreeSet;

use thiserror::Error;

use super::SensorRecord;
use super::record::HEADER;
use crate::codec::{CodecError, CompletionCode, NetFn};
use crate::command::{Command, GetSdr, ReserveSdr};
use crate::console::Request;

/// More records than any BMC has; one that has more is going in circles.
const MOST_RECORDS: usize = 4096;
/// How often a reservation may be lost: somebody writes records all the time, or nothing works.
const MOST_LOSSES: u32 = 16;
/// The longest part that is asked for at first.
const LONGEST_PART: u8 = 64;
/// The shortest that a BMC has to be able to give.
const SHORTEST_PART: u8 = 8;

/// Where a BMC keeps the records of its sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdrSource {
    /// In an SDR repository, with those of all controllers.
    Repository,
    /// With its own sensors, as device SDRs (IPMI 2.0 §35.2 to §35.4).
    Device,
}

/// Why records cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SdrWalkError {
    /// The BMC refused.
    #[error("the BMC refused to give sensor records: {code}")]
    Refused {
        /// Its reason.
        code: CompletionCode,
    },
    /// The BMC answered with bytes that are no answer.
    #[error("malformed sensor record: {0}")]
    Malformed(#[from] CodecError),
    /// The records do not end, or lead back to where they began.
    #[error("the sensor records go in circles")]
    Endless,
    /// The records changed whenever they were read.
    #[error("the sensor records change all the time")]
    Unstable,
}

/// Reads the records of all sensors, without I/O: send [`request`](Self::request), hand the answer
/// to [`answer`](Self::answer), until there is no request any more.
#[derive(Debug)]
pub struct SdrWalk {
    source: SdrSource,
    stage: Stage,
    reservation: u16,
    part: u8,
    losses: u32,
    seen: BTreeSet<u16>,
    records: Vec<SensorRecord>,
}

#[derive(Debug)]
enum Stage {
    Reserve { then: u16 },
    Header { record: u16 },
    Body(Body),
    Done,
}

#[derive(Debug)]
struct Body {
    record: u16,
    next: u16,
    /// What there is so far, header included.
    bytes: Vec<u8>,
    /// How much there is in all, at most 260.
    total: usize,
}

impl Body {
    fn rest(&self) -> usize {
        self.total.saturating_sub(self.bytes.len())
    }
}

impl SdrWalk {
    /// Begins.
    #[must_use]
    pub fn new(source: SdrSource) -> Self {
        Self {
            source,
            stage: Stage::Reserve {
                then: GetSdr::FIRST,
            },
            reservation: 0,
            part: LONGEST_PART,
            losses: 0,
            seen: BTreeSet::new(),
            records: Vec::new(),
        }
    }

    /// What to ask the BMC next; nothing at the end.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        let header = u8::try_from(HEADER).unwrap_or(SHORTEST_PART);
        match &self.stage {
            Stage::Reserve { .. } => Some(self.reserve()),
            Stage::Header { record } => Some(self.get(*record, 0, header)),
            Stage::Body(body) => {
                let count = u8::try_from(body.rest()).unwrap_or(u8::MAX).min(self.part);
                // A record of 260 bytes cannot be read to its end: offsets have one byte.
                let offset = u8::try_from(body.bytes.len()).unwrap_or(u8::MAX);
                Some(self.get(body.record, offset, count))
            }
            Stage::Done => None,
        }
    }

    /// Takes the answer to the last request in.
    ///
    /// # Errors
    /// The records cannot be read; there is no going on.
    pub fn answer(&mut self, answer: Result<Vec<u8>, CompletionCode>) -> Result<(), SdrWalkError> {
        let answer = match answer {
            Ok(data) => data,
            Err(code) => return self.refused(code),
        };
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Reserve { then } => {
                self.reservation = ReserveSdr::decode_response(&answer)?;
                self.stage = Stage::Header { record: then };
            }
            Stage::Header { record } => {
                let part = GetSdr::decode_response(&answer)?;
                self.begin(record, part.next, part.data)?;
            }
            Stage::Body(mut body) => {
                let part = GetSdr::decode_response(&answer)?;
                if part.data.is_empty() {
                    return Err(CodecError::Truncated {
                        what: "sensor record",
                        missing: body.rest(),
                    }
                    .into());
                }
                let taken = part.data.iter().take(body.rest());
                body.bytes.extend(taken);
                self.go_on(body)?;
            }
            Stage::Done => {}
        }
        Ok(())
    }

    /// The records, in the BMC's order.
    #[must_use]
    pub fn into_records(self) -> Vec<SensorRecord> {
        self.records
    }

    fn begin(&mut self, record: u16, next: u16, header: Vec<u8>) -> Result<(), SdrWalkError> {
        if self.seen.len() >= MOST_RECORDS || !self.seen.insert(record) {
            return Err(SdrWalkError::Endless);
        }
        let [_, _, _, kind, len] = *header.as_slice() else {
            return Err(CodecError::Truncated {
                what: "header of a sensor record",
                missing: HEADER.saturating_sub(header.len()),
            }
            .into());
        };
        if !SensorRecord::is_sensor(kind) {
            self.stage = Self::after(next);
            return Ok(());
        }
        let total = HEADER + usize::from(len);
        self.go_on(Body {
            record,
            next,
            bytes: header,
            // What a part's offset cannot reach is of no sensor.
            total: total.min(usize::from(u8::MAX)),
        })
    }

    fn go_on(&mut self, body: Body) -> Result<(), SdrWalkError> {
        if body.rest() > 0 {
            self.stage = Stage::Body(body);
            return Ok(());
        }
        // A record that nobody can read is no reason to have none of the others.
        match SensorRecord::decode(&body.bytes) {
            Ok(record) => self.records.extend(record),
            Err(error) => tracing::debug!(record = body.record, %error, "left out"),
        }
        self.stage = Self::after(body.next);
        Ok(())
    }

    const fn after(next: u16) -> Stage {
        match next {
            GetSdr::END => Stage::Done,
            record => Stage::Header { record },
        }
    }

    fn refused(&mut self, code: CompletionCode) -> Result<(), SdrWalkError> {
        let refused = Err(SdrWalkError::Refused { code });
        match &self.stage {
            Stage::Reserve { then } if code == CompletionCode::INVALID_COMMAND => {
                // It can be done without where nobody changes records (IPMI 2.0 §33.11).
                let record = *then;
                self.stage = Stage::Header { record };
                Ok(())
            }
            Stage::Header { record } | Stage::Body(Body { record, .. })
                if code == CompletionCode::RESERVATION_LOST =>
            {
                let then = *record;
                self.losses += 1;
                if self.losses > MOST_LOSSES {
                    return Err(SdrWalkError::Unstable);
                }
                self.seen.remove(&then);
                self.stage = Stage::Reserve { then };
                Ok(())
            }
            // A repository without records.
            Stage::Header { record } if *record == GetSdr::FIRST && code.is_absent() => {
                self.stage = Stage::Done;
                Ok(())
            }
            Stage::Body(_) if code.is_too_much() && self.part > SHORTEST_PART => {
                self.part = (self.part / 2).max(SHORTEST_PART);
                Ok(())
            }
            _ => refused,
        }
    }

    fn reserve(&self) -> Request {
        let mut request = Request::of(&ReserveSdr);
        if self.source == SdrSource::Device {
            request.net_fn = NetFn::SENSOR;
        }
        request
    }

    fn get(&self, record: u16, offset: u8, count: u8) -> Request {
        /// Get Device SDR (IPMI 2.0 §35.3): laid out as Get SDR.
        const GET_DEVICE_SDR: u8 = 0x21;
        let mut request = Request::of(&GetSdr::new(self.reservation, record, offset, count));
        if self.source == SdrSource::Device {
            (request.net_fn, request.command) = (NetFn::SENSOR, GET_DEVICE_SDR);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Scale;
    use super::*;
    use crate::command::SdrPart;

    /// A repository that gives at most so many bytes at a time, and loses reservations at times.
    struct Store {
        records: Vec<Vec<u8>>,
        most: u8,
        reservation: u16,
        loses_at: Vec<usize>,
        asked: usize,
    }

    impl Store {
        fn of(records: Vec<Vec<u8>>, most: u8) -> Self {
            Self {
                records,
                most,
                reservation: 1,
                loses_at: Vec::new(),
                asked: 0,
            }
        }

        fn answer(&mut self, request: &Request) -> Result<Vec<u8>, CompletionCode> {
            self.asked += 1;
            if self.loses_at.contains(&self.asked) {
                self.reservation += 1;
            }
            if request.command == ReserveSdr::NUMBER {
                return Ok(ReserveSdr::encode_response(&self.reservation));
            }
            let get = GetSdr::decode(&request.data).unwrap();
            if get.reservation != self.reservation && get.offset > 0 {
                return Err(CompletionCode::RESERVATION_LOST);
            }
            let index = usize::from(get.record);
            let record = self.records.get(index).ok_or(CompletionCode::ABSENT)?;
            if get.count > self.most {
                return Err(CompletionCode::TOO_MUCH);
            }
            let from = usize::from(get.offset);
            let to = (from + usize::from(get.count)).min(record.len());
            let next = if index + 1 == self.records.len() {
                GetSdr::END
            } else {
                get.record + 1
            };
            let part = SdrPart::new(next, record[from..to].to_vec());
            Ok(GetSdr::encode_response(&part))
        }

        fn walk(&mut self) -> Result<Vec<SensorRecord>, SdrWalkError> {
            let mut walk = SdrWalk::new(SdrSource::Repository);
            while let Some(request) = walk.request() {
                walk.answer(self.answer(&request))?;
            }
            Ok(walk.into_records())
        }
    }

    fn sensors() -> Vec<SensorRecord> {
        let scale = Scale::linear(1, 0);
        vec![
            SensorRecord::analog(1, "CPU Temp", 1, (3, 1), 1, scale).upper([90, 80, 70]),
            SensorRecord::discrete(2, "Watchdog", 0x23, (7, 1), 0x6f),
        ]
    }

    fn records() -> Vec<Vec<u8>> {
        let ids = 0_u16..;
        let mut records: Vec<_> = ids.zip(sensors()).map(|(id, s)| s.encode(id)).collect();
        // An entity's record, which is of no interest.
        records.insert(1, vec![1, 0, 0x51, 0x08, 3, 1, 2, 3]);
        records
    }

    #[test]
    fn records_are_read_in_parts_as_small_as_they_have_to_be() {
        for most in [255, 64, 20, 8] {
            let mut store = Store::of(records(), most);
            assert_eq!(store.walk(), Ok(sensors()), "{most} bytes at a time");
        }
        let refused = Store::of(records(), 7).walk();
        assert!(matches!(refused, Err(SdrWalkError::Refused { .. })));
        assert_eq!(Store::of(Vec::new(), 64).walk(), Ok(Vec::new()));
    }

    #[test]
    fn a_record_that_is_cut_short_is_left_out() {
        let mut records = records();
        records.insert(1, vec![9, 0, 0x51, 0x01, 3, 1, 2, 3]);
        assert_eq!(Store::of(records, 64).walk(), Ok(sensors()));
    }

    #[test]
    fn a_lost_reservation_is_made_again() {
        for lost in 1..12 {
            let mut store = Store::of(records(), 16);
            store.loses_at = vec![lost, lost + 3];
            assert_eq!(store.walk(), Ok(sensors()), "lost at {lost}");
        }
        let mut store = Store::of(records(), 16);
        store.loses_at = (1..1000).collect();
        assert_eq!(store.walk(), Err(SdrWalkError::Unstable));
    }

    #[test]
    fn circles_are_left() {
        let mut walk = SdrWalk::new(SdrSource::Device);
        let mut asked = 0;
        let ended = loop {
            let Some(request) = walk.request() else {
                panic!("it has an end");
            };
            assert_eq!(request.net_fn, NetFn::SENSOR);
            asked += 1;
            let answer = match request.command {
                ReserveSdr::NUMBER => vec![1, 0],
                _ => vec![0, 0, 0, 0, 0x51, 0x08, 9],
            };
            if let Err(error) = walk.answer(Ok(answer)) {
                break error;
            }
        };
        assert_eq!((ended, asked), (SdrWalkError::Endless, 3));
    }

    proptest! {
        #[test]
        fn whatever_a_bmc_says_the_walk_ends(answers in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80).prop_map(Ok),
                any::<u8>().prop_map(|code| Err(CompletionCode::new(code))),
            ],
            1..400,
        )) {
            let mut walk = SdrWalk::new(SdrSource::Repository);
            let mut answers = answers.into_iter().cycle();
            for asked in 0.. {
                if walk.request().is_none() || walk.answer(answers.next().unwrap()).is_err() {
                    break;
                }
                prop_assert!(asked < 300_000);
            }
        }
    }
}
