use ironic_core::runtime::{Entropy as _, SeededEntropy};
use sha2::{Digest as _, Sha256, Sha512};

/// A whole-disk image: a master boot record with one partition, and noise that does not compress.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: String,
    pub(crate) sha512: String,
}

const SECTOR: u64 = 512;
/// Where the partition begins, in sectors: at 1 MiB, as partitioning tools have it.
const START: u64 = 2048;

impl Image {
    /// An image of this size; always the same.
    pub(crate) fn make(mib: u64) -> Self {
        let size = (mib + 1) << 20;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        let entropy = SeededEntropy::new(0x1203);
        let content = usize::try_from(START * SECTOR).unwrap_or(0);
        if let Some(content) = bytes.get_mut(content..) {
            entropy.fill(content);
        }
        let sectors = u32::try_from(size / SECTOR - START).unwrap_or(u32::MAX);
        // The entry: bootable, a type of Linux (0x83), addressed by sectors alone.
        let mut record = vec![0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff];
        record.extend_from_slice(&u32::try_from(START).unwrap_or(0).to_le_bytes());
        record.extend_from_slice(&sectors.to_le_bytes());
        for (to, from) in bytes.iter_mut().skip(446).zip(record) {
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
