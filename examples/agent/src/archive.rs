//! Logs on their way to the conductor: a tar archive, gzip, base64.

use std::io::{self, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use ironic_core::Timestamp;

use crate::hardware::LogFile;

/// Unit of a tar archive, in bytes.
const BLOCK: usize = 512;
/// Longest name that the plain header holds.
const LONGEST_NAME: usize = 100;

/// Packs `files`, stamped with the time `now`.
///
/// # Errors
/// The compressor's.
pub(crate) fn pack(files: &[LogFile], now: Timestamp) -> io::Result<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    for file in files {
        gzip.write_all(&header(file, now))?;
        gzip.write_all(&file.content)?;
        let rest = file.content.len().next_multiple_of(BLOCK) - file.content.len();
        gzip.write_all(&vec![0; rest])?;
    }
    // Two empty blocks end the archive (POSIX.1-2017, pax, "ustar Interchange Format").
    gzip.write_all(&[0; 2 * BLOCK])?;
    Ok(BASE64_STANDARD.encode(gzip.finish()?))
}

/// A `ustar` header block (POSIX.1-2017, pax, Table 4-14).
fn header(file: &LogFile, now: Timestamp) -> Vec<u8> {
    let seconds = now.as_micros().max(0) / 1_000_000;
    let name: Vec<u8> = file.name.bytes().take(LONGEST_NAME).collect();
    let mut block = Vec::with_capacity(BLOCK);
    let mut push = |field: &[u8], width: usize| {
        block.extend(field.iter().take(width));
        block.extend(std::iter::repeat_n(0, width.saturating_sub(field.len())));
    };
    push(&name, LONGEST_NAME);
    push(b"0000644", 8);
    push(b"0000000", 8);
    push(b"0000000", 8);
    push(format!("{:011o}", file.content.len()).as_bytes(), 12);
    push(format!("{seconds:011o}").as_bytes(), 12);
    // The checksum counts its own field as blanks.
    push(b"        ", 8);
    push(b"0", 1);
    push(b"", 100);
    push(b"ustar\x0000", 8);
    push(b"root", 32);
    push(b"root", 32);
    push(b"", BLOCK - 329);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let text = format!("{sum:06o}\0 ");
    for (to, from) in block.iter_mut().skip(148).zip(text.bytes()) {
        *to = from;
    }
    block
}
