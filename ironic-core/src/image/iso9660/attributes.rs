//! System use fields (SUSP) as they are read.

use super::blocks::Blocks;
use super::{ReadError, RockRidge};

/// Most continuation areas that one record may lead through.
const MAX_CONTINUATIONS: usize = 16;

/// Longest continuation area: as in Linux, one block.
const MAX_CONTINUATION: u32 = 2048;

/// Types of POSIX modes.
const MODE_TYPE: u32 = 0o170_000;
const MODE_FILE: u32 = 0o100_000;
const MODE_DIRECTORY: u32 = 0o040_000;

/// What a record's system use area says.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// The name, if one is given (RRIP §4.1.4).
    pub(super) name: Option<Vec<u8>>,
    /// Whether it is neither a file nor a directory: a link, a device (RRIP §4.1.1).
    pub(super) special: bool,
    /// The directory that really stands here, moved elsewhere for its depth (RRIP §4.1.5.1).
    pub(super) child: Option<u32>,
    /// Whether it stands here only because it had to be moved (RRIP §4.1.5.3).
    pub(super) relocated: bool,
    /// Bytes before the first field of all other records (SUSP §5.3), if the area says that there are fields.
    pub(super) skip: Option<u8>,
    /// The version that the "PX" field has the length of.
    pub(super) version: Option<RockRidge>,
}

impl Attributes {
    /// Reads an area and those that it continues in.
    pub(super) fn read(area: &[u8], blocks: &Blocks<'_>) -> Result<Self, ReadError> {
        let mut attributes = Self::default();
        let mut area = area;
        for _ in 0..MAX_CONTINUATIONS {
            let Some((sector, offset, length)) = attributes.read_area(area)? else {
                return Ok(attributes);
            };
            if length > MAX_CONTINUATION {
                return Err(MALFORMED);
            }
            area = blocks
                .bytes(sector, u64::from(offset), u64::from(length))
                .ok_or(MALFORMED)?;
        }
        Err(MALFORMED)
    }

    /// Reads one area; the answer is where it continues.
    fn read_area(&mut self, mut area: &[u8]) -> Result<Option<(u32, u32, u32)>, ReadError> {
        let mut continuation = None;
        // Less than four bytes are padding (SUSP §4.2), and so are zeros.
        while let [a, b, length, _version, ..] = area {
            if *a == 0 {
                break;
            }
            let Some((field, rest)) = area
                .split_at_checked(usize::from(*length))
                .filter(|(field, _)| field.len() >= 4)
            else {
                return Err(MALFORMED);
            };
            let body = field.get(4..).unwrap_or_default();
            match [*a, *b] {
                [b'S', b'T'] => break,
                [b'C', b'E'] => {
                    let number = |at| number(body, at).ok_or(MALFORMED);
                    continuation = Some((number(0)?, number(8)?, number(16)?));
                }
                signature => self.note(signature, body)?,
            }
            area = rest;
        }
        Ok(continuation)
    }

    fn note(&mut self, signature: [u8; 2], body: &[u8]) -> Result<(), ReadError> {
        match (&signature, body) {
            (b"SP", [0xbe, 0xef, skip, ..]) => self.skip = Some(*skip),
            // The flags CURRENT, PARENT and those reserved make it no name for a file.
            (b"NM", [flags, part @ ..]) if flags & !1 == 0 => {
                self.name.get_or_insert_default().extend_from_slice(part);
            }
            (b"PX", body) => {
                let mode = number(body, 0).ok_or(MALFORMED)?;
                self.special = !matches!(mode & MODE_TYPE, MODE_FILE | MODE_DIRECTORY);
                self.version = Some(if body.len() >= 40 {
                    RockRidge::V1_12
                } else {
                    RockRidge::V1_09
                });
            }
            (b"CL", body) => self.child = Some(number(body, 0).ok_or(MALFORMED)?),
            (b"RE", _) => self.relocated = true,
            _ => {}
        }
        Ok(())
    }
}

const MALFORMED: ReadError = ReadError::Malformed {
    what: "system use area",
};

/// A number of 32 bits that stands in both byte orders; the little-endian one counts.
fn number(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..)?
        .first_chunk::<4>()
        .map(|bytes| u32::from_le_bytes(*bytes))
}
