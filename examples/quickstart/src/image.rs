use ironic_core::runtime::{Entropy as _, SeededEntropy};
use sha2::{Digest as _, Sha256, Sha512};

/// A whole-disk image: a master boot record with two partitions, and noise that does not compress.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: String,
    pub(crate) sha512: String,
}

const SECTOR: u64 = 512;
/// Where the first partition begins, in sectors: at 1 MiB, as partitioning tools have it.
const START: u32 = 2048;
/// The size of the EFI system partition, in sectors.
const ESP: u32 = 1024;

/// An entry of a master boot record, addressed by sectors alone.
fn entry(flag: u8, kind: u8, start: u32, sectors: u32) -> [u8; 16] {
    let mut entry = [
        flag, 0xfe, 0xff, 0xff, kind, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let numbers = start.to_le_bytes().into_iter().chain(sectors.to_le_bytes());
    for (to, from) in entry.iter_mut().skip(8).zip(numbers) {
        *to = from;
    }
    entry
}

impl Image {
    /// An image of this size; always the same.
    pub(crate) fn make(mib: u64) -> Self {
        let size = (mib + 1) << 20;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        let entropy = SeededEntropy::new(0x1203);
        let content = usize::try_from(u64::from(START) * SECTOR).unwrap_or(0);
        if let Some(content) = bytes.get_mut(content..) {
            entropy.fill(content);
        }
        let last = u32::try_from(size / SECTOR).unwrap_or(u32::MAX);
        let middle = START + ESP;
        // A boot loader would stand on both: in the EFI system partition (type 0xef) for UEFI, in
        // the bootable one (Linux, 0x83) for BIOS.
        let entries = entry(0x00, 0xef, START, ESP).into_iter().chain(entry(
            0x80,
            0x83,
            middle,
            last - middle,
        ));
        for (to, from) in bytes.iter_mut().skip(446).zip(entries) {
            *to = from;
        }
        for (to, from) in bytes.iter_mut().skip(510).zip([0x55, 0xaa]) {
            *to = from;
        }
        let hex = |hash: &[u8]| {
            hash.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        Self {
            sha256: hex(&Sha256::digest(&bytes)),
            sha512: hex(&Sha512::digest(&bytes)),
            bytes,
        }
    }
}
