//! Volume descriptors (ECMA-119 §8) as they are written.

use super::names::ucs2;
use super::plan::Kind;
use super::record::{Extent, FLAG_DIRECTORY, SELF, put_record, put_u16, put_u32};
use super::time::IsoTime;
use super::{SECTOR, WriteError};

/// Lengths of the descriptors' texts (ECMA-119 §8.4.7, §8.4.20, §8.4.22).
const LABEL: usize = 32;
const LONG_TEXT: usize = 128;

/// Escape sequence of UCS-2 level 3 (Joliet, "SVD Escape Sequences").
const UCS2_LEVEL_3: &[u8; 3] = b"%/E";

/// The texts of a volume.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    pub(super) label: String,
    pub(super) publisher: String,
    pub(super) application: String,
}

impl Texts {
    pub(super) fn check(&self) -> Result<(), WriteError> {
        let check = |field, text: &str, limit: usize| {
            let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            if printable && text.len() <= limit {
                Ok(())
            } else {
                Err(WriteError::InvalidField { field, limit })
            }
        };
        check("label", &self.label, LABEL)?;
        check("publisher", &self.publisher, LONG_TEXT)?;
        check("application", &self.application, LONG_TEXT)
    }
}

/// Where the parts of one tree lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    /// Sectors of the whole volume.
    pub(super) volume: u32,
    /// Length in bytes of a path table.
    pub(super) table_length: u32,
    /// First sectors of the path tables of type L and M.
    pub(super) tables: [u32; 2],
    pub(super) root: Extent,
}

/// Appends a primary (ECMA-119 §8.4) or Joliet's supplementary (§8.5) volume descriptor.
pub(super) fn put_descriptor(
    image: &mut Vec<u8>,
    kind: Kind,
    texts: &Texts,
    places: &Places,
    time: &IsoTime,
) {
    let end = image.len() + SECTOR;
    put_header(image, if kind == Kind::Primary { 1 } else { 2 });
    image.push(0);
    put_text(image, kind, "LINUX", LABEL);
    put_text(image, kind, &texts.label, LABEL);
    put_zeros(image, 8);
    put_u32(image, places.volume);
    match kind {
        Kind::Primary => put_zeros(image, 32),
        Kind::Joliet => {
            image.extend_from_slice(UCS2_LEVEL_3);
            put_zeros(image, 29);
        }
    }
    // One volume in the set, this is the first.
    put_u16(image, 1);
    put_u16(image, 1);
    put_u16(image, 2048);
    put_u32(image, places.table_length);
    let [little, big] = places.tables;
    image.extend_from_slice(&little.to_le_bytes());
    put_zeros(image, 4);
    image.extend_from_slice(&big.to_be_bytes());
    put_zeros(image, 4);
    put_record(image, SELF, places.root, FLAG_DIRECTORY, time, &[]);
    // Volume set, publisher, data preparer, application.
    for text in ["", &texts.publisher, "", &texts.application] {
        put_text(image, kind, text, LONG_TEXT);
    }
    // Files with copyright, abstract and bibliography.
    for _ in 0..3 {
        put_text(image, kind, "", 37);
    }
    // Created, modified, expires never, effective.
    for date in [&time.long, &time.long, &IsoTime::UNSPECIFIED, &time.long] {
        image.extend_from_slice(date);
    }
    image.push(1);
    image.resize(end, 0);
}

/// Appends the descriptor that ends the others (ECMA-119 §8.3).
pub(super) fn put_terminator(image: &mut Vec<u8>) {
    let end = image.len() + SECTOR;
    put_header(image, 255);
    image.resize(end, 0);
}

fn put_header(image: &mut Vec<u8>, sort: u8) {
    image.push(sort);
    image.extend_from_slice(b"CD001");
    image.push(1);
}

fn put_zeros(image: &mut Vec<u8>, count: usize) {
    image.resize(image.len() + count, 0);
}

/// Appends a text filled with spaces; the Joliet descriptor has room for half of it, in UCS-2.
fn put_text(image: &mut Vec<u8>, kind: Kind, text: &str, length: usize) {
    let end = image.len() + length;
    match kind {
        Kind::Primary => {
            image.extend(text.bytes().take(length));
            image.resize(end, b' ');
        }
        Kind::Joliet => {
            image.extend(ucs2(text).iter().take(length / 2 * 2));
            while image.len() + 2 <= end {
                image.extend_from_slice(&[0, b' ']);
            }
            image.resize(end, 0);
        }
    }
}
