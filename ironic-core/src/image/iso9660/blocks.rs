//! The parts of an image that a reader goes by, as they are in its bytes.

use super::record::{FLAG_DIRECTORY, record_length};
use super::{ReadError, SECTOR};

/// The image's bytes, by sector.
#[derive(Debug)]
pub(super) struct Blocks<'a>(pub(super) &'a [u8]);

impl<'a> Blocks<'a> {
    /// `length` bytes that start `offset` bytes after a sector's start, if the image has them.
    pub(super) fn bytes(&self, sector: u32, offset: u64, length: u64) -> Option<&'a [u8]> {
        let start = u64::from(sector) * SECTOR as u64 + offset;
        let end = usize::try_from(start.checked_add(length)?).ok()?;
        self.0.get(usize::try_from(start).ok()?..end)
    }
}

/// Sector and length in bytes.
pub(super) type Place = (u32, u32);

/// A directory record (ECMA-119 §9.1).
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) sector: u32,
    pub(super) length: u32,
    pub(super) flags: u8,
    pub(super) interleaved: bool,
    pub(super) identifier: &'a [u8],
    pub(super) system_use: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads a record that fills `bytes`.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let number = |at: usize| {
            bytes
                .get(at..)?
                .first_chunk::<4>()
                .map(|bytes| u32::from_le_bytes(*bytes))
        };
        let [flags, unit, gap] = *bytes.get(25..)?.first_chunk::<3>()?;
        let length = usize::from(*bytes.get(32)?);
        let identifier = bytes
            .get(33..33 + length)
            .filter(|identifier| !identifier.is_empty())?;
        Some(Self {
            sector: number(2)?,
            length: number(10)?,
            flags,
            interleaved: unit != 0 || gap != 0,
            identifier,
            system_use: bytes.get(record_length(length)..).unwrap_or_default(),
        })
    }

    pub(super) fn is_directory(&self) -> bool {
        self.flags & FLAG_DIRECTORY != 0
    }
}

pub(super) const MALFORMED_DIRECTORY: ReadError = ReadError::Malformed { what: "directory" };

/// The records of a directory.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let length = usize::from(*self.bytes.get(self.offset)?);
            if length == 0 {
                // Nothing more in this sector (ECMA-119 §6.8.1.1).
                self.offset = (self.offset + 1).next_multiple_of(SECTOR);
                continue;
            }
            let end = self.offset + length;
            let whole = self.offset % SECTOR + length <= SECTOR;
            let record = self
                .bytes
                .get(self.offset..end)
                .filter(|_| whole)
                .and_then(Record::parse);
            self.offset = if record.is_some() {
                end
            } else {
                self.bytes.len()
            };
            return Some(record.ok_or(MALFORMED_DIRECTORY));
        }
    }
}

pub(super) fn records<'a>(
    blocks: &Blocks<'a>,
    (sector, length): Place,
) -> Result<Records<'a>, ReadError> {
    let bytes = blocks
        .bytes(sector, 0, u64::from(length))
        .ok_or(MALFORMED_DIRECTORY)?;
    Ok(Records { bytes, offset: 0 })
}

/// A directory's record of itself.
pub(super) fn self_record<'a>(blocks: &Blocks<'a>, place: Place) -> Result<Record<'a>, ReadError> {
    records(blocks, place)?
        .next()
        .unwrap_or(Err(MALFORMED_DIRECTORY))
}
