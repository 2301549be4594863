//! Directory records (ECMA-119 §9.1) and the numbers in them.

use super::SECTOR;
use super::time::IsoTime;

/// Longest directory record: its length is one byte, and records are even (ECMA-119 §9.1.1).
pub(super) const MAX_RECORD: usize = 254;

/// The bit of a record's flags that marks a directory (ECMA-119 §9.1.6).
pub(super) const FLAG_DIRECTORY: u8 = 0x02;

/// Identifier of a directory's record of itself (ECMA-119 §6.8.2.2).
pub(super) const SELF: &[u8] = &[0];

/// Identifier of a directory's record of its parent (ECMA-119 §6.8.2.2).
pub(super) const PARENT: &[u8] = &[1];

/// Where bytes lie in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Extent {
    /// First sector.
    pub(super) sector: u32,
    /// Length in bytes.
    pub(super) length: u32,
}

/// Appends a number of 16 bits in both byte orders (ECMA-119 §7.2.3).
pub(super) fn put_u16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&number.to_be_bytes());
}

/// Appends a number of 32 bits in both byte orders (ECMA-119 §7.3.3).
pub(super) fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&number.to_be_bytes());
}

/// Length of a record before its system use area, padded to an even number (ECMA-119 §9.1.12).
pub(super) const fn record_length(identifier: usize) -> usize {
    33 + identifier + (identifier + 1) % 2
}

/// Appends a record. Identifier and system use area together fit into [`MAX_RECORD`].
pub(super) fn put_record(
    out: &mut Vec<u8>,
    identifier: &[u8],
    extent: Extent,
    flags: u8,
    time: &IsoTime,
    system_use: &[u8],
) {
    let length = record_length(identifier.len()) + system_use.len();
    out.push(u8::try_from(length).unwrap_or(u8::MAX));
    out.push(0);
    put_u32(out, extent.sector);
    put_u32(out, extent.length);
    out.extend_from_slice(&time.short);
    out.extend_from_slice(&[flags, 0, 0]);
    put_u16(out, 1);
    out.push(u8::try_from(identifier.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(identifier);
    if identifier.len().is_multiple_of(2) {
        out.push(0);
    }
    out.extend_from_slice(system_use);
}

/// Where a record of `length` bytes starts that would follow at `offset`: no record crosses a sector (ECMA-119 §6.8.1.1).
pub(super) const fn record_start(offset: usize, length: usize) -> usize {
    if offset % SECTOR + length > SECTOR {
        offset.next_multiple_of(SECTOR)
    } else {
        offset
    }
}
