//! Partition tables, read and written without the kernel's help.

mod gpt;
mod label;
mod mbr;

use std::io;

use uuid::Uuid;

pub(crate) use gpt::Gpt;
pub(crate) use label::filesystem_label;
pub(crate) use mbr::Mbr;

use crate::hardware::{Disk, zero};

/// Where partitions begin: at whole MiB.
const ALIGNMENT: u64 = 1 << 20;
/// How much of each end of a disk holds metadata: partition tables, RAID and volume signatures.
const DISK_ENDS: u64 = 1 << 20;
/// How much of each end of a partition holds signatures.
const PARTITION_ENDS: u64 = 128 << 10;

/// Why a partition table is not usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartitionError {
    /// The disk failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The table contradicts itself or the disk.
    #[error("the partition table is malformed: {0}")]
    Malformed(&'static str),
    /// Nothing is left at the end of the disk.
    #[error("no room for another partition at the end of the disk")]
    NoRoom,
    /// Every entry is in use.
    #[error("the partition table has no free entry")]
    Full,
}

/// What kind of content a partition declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionType {
    Gpt(Uuid),
    Mbr(u8),
}

/// A partition by its place, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) number: usize,
    pub(crate) start: u64,
    pub(crate) len: u64,
    pub(crate) kind: PartitionType,
}

/// The table on a disk.
#[derive(Debug, Clone)]
pub(crate) enum Table {
    Gpt(Gpt),
    Mbr(Mbr),
}

impl Table {
    /// Reads the table; `None` where there is none.
    pub(crate) async fn read(disk: &dyn Disk) -> Result<Option<Self>, PartitionError> {
        if disk.size() < u64::from(disk.sector_size()) * 2 {
            return Ok(None);
        }
        let boot_sector = disk.read_at(0, mbr::SIZE).await?;
        let mbr = Mbr::parse(&boot_sector);
        if mbr.as_ref().is_some_and(Mbr::is_protective) {
            return Gpt::read(disk).await.map(|gpt| Some(Self::Gpt(gpt)));
        }
        Ok(mbr.map(Self::Mbr))
    }

    /// The partitions in the table's order.
    pub(crate) fn partitions(&self, sector: u32) -> Vec<Partition> {
        match self {
            Self::Gpt(gpt) => gpt.partitions(),
            Self::Mbr(mbr) => mbr.partitions(sector),
        }
    }

    /// Adds a partition of at least `len` bytes at the end of the disk and writes the table.
    pub(crate) async fn append(
        &mut self,
        disk: &dyn Disk,
        len: u64,
        id: Uuid,
    ) -> Result<Partition, PartitionError> {
        let added = match self {
            Self::Gpt(gpt) => gpt.append(len, id),
            Self::Mbr(mbr) => mbr.append(len, disk.size(), disk.sector_size()),
        }?;
        match self {
            Self::Gpt(gpt) => gpt.write(disk).await,
            Self::Mbr(mbr) => mbr.write(disk).await,
        }?;
        Ok(added)
    }
}

/// The word at byte 440 of the disk, by which an MBR is told from others; zero with GPT.
pub(crate) async fn disk_identifier(disk: &dyn Disk) -> io::Result<u32> {
    let raw = disk.read_at(440, 4).await?;
    Ok(u32::from_le_bytes(raw.try_into().unwrap_or_default()))
}

/// Overwrites what identifies the content of the disk and of its partitions.
pub(crate) async fn destroy_metadata(disk: &dyn Disk) -> io::Result<()> {
    let size = disk.size();
    let partitions = match Table::read(disk).await {
        Ok(Some(table)) => table.partitions(disk.sector_size()),
        Ok(None) | Err(PartitionError::Malformed(_) | PartitionError::NoRoom) => Vec::new(),
        Err(PartitionError::Full) => Vec::new(),
        Err(PartitionError::Io(error)) => return Err(error),
    };
    for partition in partitions {
        let len = partition.len.min(size.saturating_sub(partition.start));
        zero_ends(disk, partition.start, len, PARTITION_ENDS).await?;
    }
    zero_ends(disk, 0, size, DISK_ENDS).await?;
    disk.sync().await
}

async fn zero_ends(disk: &dyn Disk, start: u64, len: u64, part: u64) -> io::Result<()> {
    let part = part.min(len);
    zero(disk, start, part).await?;
    zero(disk, start + len - part, part).await
}

/// A number of `N` bytes at `at`.
fn field<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    field(data, at).map(u32::from_le_bytes)
}

fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    field(data, at).map(u64::from_le_bytes)
}

/// Puts bytes at `at`; false where there is no room for them.
fn put(data: &mut [u8], at: usize, value: &[u8]) -> bool {
    match data.get_mut(at..at.saturating_add(value.len())) {
        Some(place) => {
            place.copy_from_slice(value);
            true
        }
        None => false,
    }
}
