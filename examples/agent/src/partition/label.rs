use std::io;

use super::{Partition, field};
use crate::hardware::Disk;

/// Where ISO 9660 keeps its primary volume descriptor (ECMA-119 §6.2.1: sector 16 of 2048 bytes).
const ISO_DESCRIPTOR: u64 = 16 * 2048;
/// Where ext2, ext3 and ext4 keep their superblock.
const EXT_SUPERBLOCK: u64 = 1024;

/// The label of an ISO 9660, FAT or ext file system, for finding a config drive.
pub(crate) async fn filesystem_label(
    disk: &dyn Disk,
    partition: &Partition,
) -> io::Result<Option<String>> {
    let block = async |offset: u64| {
        let end = offset + 1024;
        if end > partition.len || partition.start + end > disk.size() {
            return Ok(Vec::new());
        }
        disk.read_at(partition.start + offset, 1024).await
    };
    for (offset, reader) in [
        (ISO_DESCRIPTOR, iso9660 as fn(&[u8]) -> Option<Vec<u8>>),
        (0, fat),
        (EXT_SUPERBLOCK, ext),
    ] {
        if let Some(raw) = reader(&block(offset).await?) {
            let text = String::from_utf8_lossy(&raw);
            return Ok(Some(text.trim_end_matches(['\0', ' ']).to_owned()));
        }
    }
    Ok(None)
}

/// ECMA-119 §8.4: type 1, `CD001`, volume identifier at byte 40.
fn iso9660(block: &[u8]) -> Option<Vec<u8>> {
    (field(block, 0)? == *b"\x01CD001").then_some(())?;
    Some(field::<32>(block, 40)?.to_vec())
}

/// The label in the boot sector, which stands at 43, or with FAT32 at 71.
fn fat(block: &[u8]) -> Option<Vec<u8>> {
    (field(block, 510)? == [0x55, 0xAA]).then_some(())?;
    let at = if field(block, 82)? == *b"FAT32" {
        71
    } else if field(block, 54)? == *b"FAT1" {
        43
    } else {
        return None;
    };
    Some(field::<11>(block, at)?.to_vec())
}

/// `s_magic` at 56, `s_volume_name` at 120 (Linux, Documentation/filesystems/ext4/super.rst).
fn ext(block: &[u8]) -> Option<Vec<u8>> {
    (field(block, 56)? == [0x53, 0xEF]).then_some(())?;
    Some(field::<16>(block, 120)?.to_vec())
}
