use bytes::Bytes;
use uuid::Uuid;

use super::{
    ALIGNMENT, Mbr, Partition, PartitionError, PartitionType, field, mbr, put, u32_at, u64_at,
};
use crate::hardware::Disk;

const SIGNATURE: &[u8; 8] = b"EFI PART";
/// Bytes of the header (UEFI 2.10 §5.3.2, Table 5-5).
const HEADER: usize = 92;
const REVISION: u32 = 0x0001_0000;
/// Most bytes of an entry array that are believed; the usual one has 16 KiB.
const MOST_ENTRIES: u64 = 1 << 20;
/// Linux file system data, which sgdisk gives to a partition without a type.
const LINUX_DATA: Uuid = Uuid::from_u128(0x0FC6_3DAF_8483_4772_8E79_3D69_D847_7DE4);

/// A GUID partition table in memory (UEFI 2.10 §5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gpt {
    sector: u32,
    sectors: u64,
    first_usable: u64,
    last_usable: u64,
    disk_id: [u8; 16],
    entries_at: u64,
    entry_size: u32,
    entries: Vec<u8>,
    moved: bool,
}

struct Header {
    alternate: u64,
    first_usable: u64,
    disk_id: [u8; 16],
    entries_at: u64,
    entry_count: u32,
    entry_size: u32,
    entries_crc: u32,
}

impl Header {
    /// Reads the header in block `lba`.
    fn parse(block: &[u8], lba: u64) -> Result<Self, PartitionError> {
        let bad = PartitionError::Malformed;
        let truncated = || bad("a truncated GPT header");
        if block.get(..8) != Some(SIGNATURE) {
            return Err(bad("no GPT header"));
        }
        let size = u32_at(block, 12).ok_or_else(truncated)? as usize;
        if size < HEADER {
            return Err(bad("a GPT header that is too short"));
        }
        let mut covered = block.get(..size).ok_or_else(truncated)?.to_vec();
        put(&mut covered, 16, &[0; 4]);
        if u32_at(block, 16) != Some(crc32fast::hash(&covered)) {
            return Err(bad("a GPT header with a wrong checksum"));
        }
        if u64_at(block, 24) != Some(lba) {
            return Err(bad("a GPT header in the wrong place"));
        }
        let header = Self {
            alternate: u64_at(block, 32).ok_or_else(truncated)?,
            first_usable: u64_at(block, 40).ok_or_else(truncated)?,
            disk_id: field(block, 56).ok_or_else(truncated)?,
            entries_at: u64_at(block, 72).ok_or_else(truncated)?,
            entry_count: u32_at(block, 80).ok_or_else(truncated)?,
            entry_size: u32_at(block, 84).ok_or_else(truncated)?,
            entries_crc: u32_at(block, 88).ok_or_else(truncated)?,
        };
        if header.entry_size < 128 || !header.entry_size.is_power_of_two() {
            return Err(bad("GPT entries of an impossible size"));
        }
        if header.entry_count == 0 || header.array_len() > MOST_ENTRIES {
            return Err(bad("an impossible number of GPT entries"));
        }
        Ok(header)
    }

    fn array_len(&self) -> u64 {
        u64::from(self.entry_count) * u64::from(self.entry_size)
    }
}

impl Gpt {
    /// Reads the table of a disk that may be larger than what was written to it. The table comes
    /// back as it has to be on this disk: with the backup at the very end.
    pub(super) async fn read(disk: &dyn Disk) -> Result<Self, PartitionError> {
        let last = disk.size() / u64::from(disk.sector_size()) - 1;
        let (header, entries) = match Self::read_copy(disk, 1).await {
            Ok(primary) => primary,
            Err(PartitionError::Malformed(what)) => {
                tracing::warn!(what, "the primary GPT is unusable, trying the backup");
                let (mut backup, entries) = Self::read_copy(disk, last).await?;
                backup.entries_at = 2;
                (backup, entries)
            }
            Err(other) => return Err(other),
        };
        Self::place(header, entries, disk.sector_size(), last + 1)
    }

    async fn read_copy(disk: &dyn Disk, lba: u64) -> Result<(Header, Vec<u8>), PartitionError> {
        let sector = u64::from(disk.sector_size());
        let beyond = PartitionError::Malformed("GPT entries beyond the end of the disk");
        let block = disk
            .read_at(lba * sector, disk.sector_size() as usize)
            .await?;
        let header = Header::parse(&block, lba)?;
        let Some(at) = header.entries_at.checked_mul(sector) else {
            return Err(beyond);
        };
        if at
            .checked_add(header.array_len())
            .is_none_or(|end| end > disk.size())
        {
            return Err(beyond);
        }
        let len = usize::try_from(header.array_len()).unwrap_or(0);
        let entries = disk.read_at(at, len).await?;
        if crc32fast::hash(&entries) != header.entries_crc {
            return Err(PartitionError::Malformed(
                "GPT entries with a wrong checksum",
            ));
        }
        Ok((header, entries))
    }

    /// Fits what was read onto a disk of `sectors`.
    fn place(
        header: Header,
        entries: Vec<u8>,
        sector: u32,
        sectors: u64,
    ) -> Result<Self, PartitionError> {
        let array = header.array_len().div_ceil(u64::from(sector));
        let last_usable = sectors
            .checked_sub(array + 2)
            .ok_or(PartitionError::Malformed("a disk too small for its GPT"))?;
        let gpt = Self {
            sector,
            sectors,
            first_usable: header.first_usable,
            last_usable,
            disk_id: header.disk_id,
            entries_at: header.entries_at,
            entry_size: header.entry_size,
            entries,
            moved: header.alternate != sectors - 1,
        };
        if header.entries_at < 2 || header.entries_at.saturating_add(array) > header.first_usable {
            return Err(PartitionError::Malformed(
                "GPT entries where partitions are",
            ));
        }
        let within = |(first, last): (u64, u64)| {
            first >= gpt.first_usable && first <= last && last <= gpt.last_usable
        };
        if !gpt.ranges().all(|(_, range)| within(range)) {
            return Err(PartitionError::Malformed(
                "a GPT partition beyond the end of the disk",
            ));
        }
        Ok(gpt)
    }

    /// Whether the backup on the disk is not where it belongs.
    pub(crate) const fn needs_rewrite(&self) -> bool {
        self.moved
    }

    fn used(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.entries
            .chunks_exact(self.entry_size as usize)
            .enumerate()
            .filter(|(_, entry)| entry.iter().take(16).any(|byte| *byte != 0))
    }

    /// First and last block of each partition.
    fn ranges(&self) -> impl Iterator<Item = (usize, (u64, u64))> {
        self.used()
            .filter_map(|(index, entry)| Some((index, (u64_at(entry, 32)?, u64_at(entry, 40)?))))
    }

    pub(super) fn partitions(&self) -> Vec<Partition> {
        let sector = u64::from(self.sector);
        self.used()
            .zip(self.ranges())
            .map(|((index, entry), (_, (first, last)))| Partition {
                number: index + 1,
                start: first * sector,
                len: (last - first + 1) * sector,
                kind: PartitionType::Gpt(Uuid::from_bytes_le(field(entry, 0).unwrap_or_default())),
            })
            .collect()
    }

    pub(super) fn append(&mut self, len: u64, id: Uuid) -> Result<Partition, PartitionError> {
        let sector = u64::from(self.sector);
        let wanted = len.div_ceil(sector);
        let alignment = ALIGNMENT / sector;
        let first = (self.last_usable + 1)
            .checked_sub(wanted)
            .ok_or(PartitionError::NoRoom)?
            / alignment
            * alignment;
        let clear = self.ranges().all(|(_, (_, last))| last < first);
        if first < self.first_usable || !clear {
            return Err(PartitionError::NoRoom);
        }
        let size = self.entry_size as usize;
        let index = self
            .entries
            .chunks_exact(size)
            .position(|entry| entry.iter().take(16).all(|byte| *byte == 0))
            .ok_or(PartitionError::Full)?;
        let mut entry = vec![0; size];
        put(&mut entry, 0, &LINUX_DATA.to_bytes_le());
        put(&mut entry, 16, &id.to_bytes_le());
        put(&mut entry, 32, &first.to_le_bytes());
        put(&mut entry, 40, &self.last_usable.to_le_bytes());
        put(&mut self.entries, index * size, &entry);
        Ok(Partition {
            number: index + 1,
            start: first * sector,
            len: (self.last_usable - first + 1) * sector,
            kind: PartitionType::Gpt(LINUX_DATA),
        })
    }

    fn header(&self, my: u64, alternate: u64, entries_at: u64) -> Vec<u8> {
        let count = self.entries.len() / self.entry_size as usize;
        let mut block = vec![0; self.sector as usize];
        put(&mut block, 0, SIGNATURE);
        put(&mut block, 8, &REVISION.to_le_bytes());
        put(&mut block, 12, &(HEADER as u32).to_le_bytes());
        put(&mut block, 24, &my.to_le_bytes());
        put(&mut block, 32, &alternate.to_le_bytes());
        put(&mut block, 40, &self.first_usable.to_le_bytes());
        put(&mut block, 48, &self.last_usable.to_le_bytes());
        put(&mut block, 56, &self.disk_id);
        put(&mut block, 72, &entries_at.to_le_bytes());
        put(
            &mut block,
            80,
            &u32::try_from(count).unwrap_or(0).to_le_bytes(),
        );
        put(&mut block, 84, &self.entry_size.to_le_bytes());
        put(
            &mut block,
            88,
            &crc32fast::hash(&self.entries).to_le_bytes(),
        );
        let crc = crc32fast::hash(block.get(..HEADER).unwrap_or_default());
        put(&mut block, 16, &crc.to_le_bytes());
        block
    }

    /// Writes both copies and the guard. The backup goes first: whenever the power fails, one of
    /// the two is whole.
    pub(crate) async fn write(&self, disk: &dyn Disk) -> Result<(), PartitionError> {
        let sector = u64::from(self.sector);
        let last = self.sectors - 1;
        let entries = Bytes::copy_from_slice(&self.entries);
        let backup_at = self.last_usable + 1;
        disk.write_at(backup_at * sector, entries.clone()).await?;
        disk.write_at(last * sector, self.header(last, 1, backup_at).into())
            .await?;
        disk.sync().await?;
        disk.write_at(self.entries_at * sector, entries).await?;
        disk.write_at(sector, self.header(1, last, self.entries_at).into())
            .await?;
        if let Some(mut guard) = Mbr::parse(&disk.read_at(0, mbr::SIZE).await?) {
            guard.cover(self.sectors);
            guard.write(disk).await?;
        }
        Ok(disk.sync().await?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{HEADER, Header, put};

    #[test]
    fn a_header_is_checked_before_it_is_believed() {
        let mut block = vec![0; 512];
        put(&mut block, 0, b"EFI PART");
        put(&mut block, 12, &92_u32.to_le_bytes());
        put(&mut block, 24, &1_u64.to_le_bytes());
        put(&mut block, 80, &128_u32.to_le_bytes());
        put(&mut block, 84, &128_u32.to_le_bytes());
        let seal = |block: &mut [u8]| {
            put(block, 16, &[0; 4]);
            let crc = crc32fast::hash(&block[..HEADER]);
            put(block, 16, &crc.to_le_bytes());
        };
        assert!(Header::parse(&block, 1).is_err(), "no checksum");
        seal(&mut block);
        assert!(Header::parse(&block, 1).is_ok());
        assert!(Header::parse(&block, 2).is_err(), "wrong place");
        for (at, value) in [
            (80, u32::MAX),
            (80, 0),
            (84, 64),
            (84, 129),
            (12, 91),
            (12, 513),
        ] {
            let mut bad = block.clone();
            put(&mut bad, at, &value.to_le_bytes());
            seal(&mut bad);
            assert!(Header::parse(&bad, 1).is_err(), "{value} at {at}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_parser(mut block in proptest::collection::vec(any::<u8>(), 512)) {
            put(&mut block, 0, b"EFI PART");
            put(&mut block, 12, &92_u32.to_le_bytes());
            put(&mut block, 16, &[0; 4]);
            let crc = crc32fast::hash(&block[..HEADER]);
            put(&mut block, 16, &crc.to_le_bytes());
            let _ = Header::parse(&block, 1);
        }
    }
}
