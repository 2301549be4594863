use super::Command;
use crate::codec::{CodecError, NetFn, Privilege, reader::Reader};

/// Get SDR Repository Info (IPMI 2.0 §33.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GetSdrInfo;

/// How much there is in an SDR repository, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SdrInfo {
    /// How many records there are.
    pub records: u16,
    /// When a record was added last, in seconds of the BMC's clock.
    pub added: u32,
    /// When one was erased last.
    pub erased: u32,
}

impl SdrInfo {
    /// A repository of so many records that has been as it is from the beginning.
    #[must_use]
    pub const fn of(records: u16) -> Self {
        Self {
            records,
            added: 0,
            erased: 0,
        }
    }
}

/// The version of the repository's format that the standard describes (IPMI 2.0 table 33-3, byte 2).
const SDR_VERSION: u8 = 0x51;
/// Reserving is supported (IPMI 2.0 table 33-3, byte 15).
const CAN_RESERVE: u8 = 0x02;

impl Command for GetSdrInfo {
    type Response = SdrInfo;

    const NET_FN: NetFn = NetFn::STORAGE;
    const NUMBER: u8 = 0x20;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        Reader::new(data, "get sdr repository info request").finish()?;
        Ok(Self)
    }

    fn encode_response(info: &SdrInfo) -> Vec<u8> {
        let mut out = vec![SDR_VERSION];
        out.extend_from_slice(&info.records.to_le_bytes());
        // Of its free space nothing is known.
        out.extend_from_slice(&[0xff, 0xff]);
        out.extend_from_slice(&info.added.to_le_bytes());
        out.extend_from_slice(&info.erased.to_le_bytes());
        out.push(CAN_RESERVE);
        out
    }

    fn decode_response(data: &[u8]) -> Result<SdrInfo, CodecError> {
        let mut reader = Reader::new(data, "get sdr repository info response");
        let _version = reader.u8()?;
        let records = reader.u16()?;
        let _free = reader.u16()?;
        Ok(SdrInfo {
            records,
            added: reader.u32()?,
            erased: reader.u32()?,
        })
    }
}

/// Reserve SDR Repository (IPMI 2.0 §33.11): parts of records can be read until the repository changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReserveSdr;

impl Command for ReserveSdr {
    type Response = u16;

    const NET_FN: NetFn = NetFn::STORAGE;
    const NUMBER: u8 = 0x22;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        Reader::new(data, "reserve sdr repository request").finish()?;
        Ok(Self)
    }

    fn encode_response(reservation: &u16) -> Vec<u8> {
        reservation.to_le_bytes().to_vec()
    }

    fn decode_response(data: &[u8]) -> Result<u16, CodecError> {
        Reader::new(data, "reserve sdr repository response").u16()
    }
}

/// Get SDR (IPMI 2.0 §33.12): a part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetSdr {
    /// The reservation, needed for parts that do not begin the record.
    pub reservation: u16,
    /// Which record; [`FIRST`](Self::FIRST) begins.
    pub record: u16,
    /// Where the part begins.
    pub offset: u8,
    /// How long it is.
    pub count: u8,
}

impl GetSdr {
    /// Stands for the first record.
    pub const FIRST: u16 = 0x0000;
    /// What comes after the last record.
    pub const END: u16 = 0xffff;

    /// A part of a record.
    #[must_use]
    pub const fn new(reservation: u16, record: u16, offset: u8, count: u8) -> Self {
        Self {
            reservation,
            record,
            offset,
            count,
        }
    }
}

/// A part of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SdrPart {
    /// The record after this one, or [`GetSdr::END`].
    pub next: u16,
    /// The part's bytes.
    pub data: Vec<u8>,
}

impl SdrPart {
    /// A part of a record that is followed by `next`.
    #[must_use]
    pub const fn new(next: u16, data: Vec<u8>) -> Self {
        Self { next, data }
    }
}

impl Command for GetSdr {
    type Response = SdrPart;

    const NET_FN: NetFn = NetFn::STORAGE;
    const NUMBER: u8 = 0x23;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        let mut out = self.reservation.to_le_bytes().to_vec();
        out.extend_from_slice(&self.record.to_le_bytes());
        out.extend_from_slice(&[self.offset, self.count]);
        out
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get sdr request");
        let (reservation, record) = (reader.u16()?, reader.u16()?);
        let [offset, count] = reader.array()?;
        reader.finish()?;
        Ok(Self::new(reservation, record, offset, count))
    }

    fn encode_response(part: &SdrPart) -> Vec<u8> {
        let mut out = part.next.to_le_bytes().to_vec();
        out.extend_from_slice(&part.data);
        out
    }

    fn decode_response(data: &[u8]) -> Result<SdrPart, CodecError> {
        let mut reader = Reader::new(data, "get sdr response");
        let next = reader.u16()?;
        Ok(SdrPart::new(next, reader.rest().to_vec()))
    }
}
