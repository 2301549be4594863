use bytes::Bytes;

use super::{ALIGNMENT, Partition, PartitionError, PartitionType, field, put, u32_at};
use crate::hardware::Disk;

/// Bytes of an MBR, whatever the sector size (UEFI 2.10 §5.2.1).
pub(super) const SIZE: usize = 512;
const ENTRIES: usize = 446;
const ENTRY: usize = 16;
const SLOTS: usize = 4;
/// Type of the one partition that guards a GPT (UEFI 2.10 §5.2.3).
const PROTECTIVE: u8 = 0xEE;
/// FAT32 addressed by block numbers, which parted gives to `mkpart … fat32`.
const FAT32_LBA: u8 = 0x0C;
/// An address that only block numbers can express (UEFI 2.10 §5.2.3, Table 5-4).
const BEYOND_CHS: [u8; 3] = [0xFE, 0xFF, 0xFF];
/// Bytes that an MBR of 512-byte sectors can address.
const MOST_ADDRESSED: u64 = 2 << 40;

/// A master boot record with at most four primary partitions; logical ones are not looked into,
/// their container counts as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mbr(Vec<u8>);

#[derive(Clone, Copy)]
struct Entry {
    kind: u8,
    start: u32,
    sectors: u32,
}

impl Mbr {
    /// Reads the first sector; `None` if it is none, such as the boot sector of a file system.
    pub(crate) fn parse(sector: &[u8]) -> Option<Self> {
        let sector = sector.get(..SIZE)?;
        if field(sector, 510) != Some([0x55, 0xAA]) {
            return None;
        }
        let statuses = (0..SLOTS).filter_map(|slot| sector.get(ENTRIES + slot * ENTRY));
        statuses
            .into_iter()
            .all(|status| matches!(status, 0 | 0x80))
            .then(|| Self(sector.to_vec()))
    }

    fn entries(&self) -> impl Iterator<Item = (usize, Entry)> + '_ {
        (0..SLOTS).filter_map(|slot| {
            let at = ENTRIES + slot * ENTRY;
            let entry = Entry {
                kind: *self.0.get(at + 4)?,
                start: u32_at(&self.0, at + 8)?,
                sectors: u32_at(&self.0, at + 12)?,
            };
            (entry.kind != 0 && entry.sectors != 0).then_some((slot, entry))
        })
    }

    /// Whether it stands in front of a GPT.
    pub(crate) fn is_protective(&self) -> bool {
        self.entries().any(|(_, entry)| entry.kind == PROTECTIVE)
    }

    pub(super) fn partitions(&self, sector: u32) -> Vec<Partition> {
        self.entries()
            .map(|(slot, entry)| Partition {
                number: slot + 1,
                start: u64::from(entry.start) * u64::from(sector),
                len: u64::from(entry.sectors) * u64::from(sector),
                kind: PartitionType::Mbr(entry.kind),
            })
            .collect()
    }

    /// Makes the guard of a GPT cover the whole disk; leaves a record with more in it alone.
    pub(super) fn cover(&mut self, sectors: u64) {
        let mut entries = self.entries();
        let (Some((slot, only)), None) = (entries.next(), entries.next()) else {
            return;
        };
        drop(entries);
        if only.kind == PROTECTIVE {
            let covered = u32::try_from(sectors.saturating_sub(1)).unwrap_or(u32::MAX);
            put(
                &mut self.0,
                ENTRIES + slot * ENTRY + 12,
                &covered.to_le_bytes(),
            );
        }
    }

    pub(super) fn append(
        &mut self,
        len: u64,
        disk_size: u64,
        sector: u32,
    ) -> Result<Partition, PartitionError> {
        let sector = u64::from(sector);
        let taken: Vec<_> = self.entries().collect();
        let slot = (0..SLOTS)
            .find(|slot| taken.iter().all(|(used, _)| used != slot))
            .ok_or(PartitionError::Full)?;
        let end = disk_size.min(MOST_ADDRESSED) / sector * sector;
        let start = end.checked_sub(len).ok_or(PartitionError::NoRoom)? / ALIGNMENT * ALIGNMENT;
        let free = taken.iter().all(|(_, entry)| {
            let first = u64::from(entry.start) * sector;
            let after = first + u64::from(entry.sectors) * sector;
            after <= start || first >= end
        });
        if !free || start < ALIGNMENT {
            return Err(PartitionError::NoRoom);
        }
        let number = |bytes: u64| u32::try_from(bytes / sector).map_err(|_| PartitionError::NoRoom);
        let mut entry = [0; ENTRY];
        put(&mut entry, 1, &BEYOND_CHS);
        put(&mut entry, 4, &[FAT32_LBA]);
        put(&mut entry, 5, &BEYOND_CHS);
        put(&mut entry, 8, &number(start)?.to_le_bytes());
        put(&mut entry, 12, &number(end - start)?.to_le_bytes());
        put(&mut self.0, ENTRIES + slot * ENTRY, &entry);
        Ok(Partition {
            number: slot + 1,
            start,
            len: end - start,
            kind: PartitionType::Mbr(FAT32_LBA),
        })
    }

    pub(super) async fn write(&self, disk: &dyn Disk) -> Result<(), PartitionError> {
        disk.write_at(0, Bytes::copy_from_slice(&self.0)).await?;
        Ok(disk.sync().await?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{ENTRIES, ENTRY, Mbr, SIZE};
    use crate::partition::PartitionError;

    const MIB: u64 = 1 << 20;

    /// A record with partitions of (type, first sector, sectors).
    fn record(partitions: &[(u8, u32, u32)]) -> Vec<u8> {
        let mut sector = vec![0; SIZE];
        for (slot, (kind, start, sectors)) in partitions.iter().enumerate() {
            let at = ENTRIES + slot * ENTRY;
            sector[at + 4] = *kind;
            sector[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
            sector[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
        }
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
        sector
    }

    #[test]
    fn a_partition_is_added_at_the_end() {
        let mut mbr = Mbr::parse(&record(&[(0x83, 2048, 4096)])).unwrap();
        let added = mbr.append(64 * MIB, 1024 * MIB + 512, 512).unwrap();
        assert_eq!(added.number, 2);
        assert_eq!(added.start, 960 * MIB);
        assert_eq!(added.start + added.len, 1024 * MIB + 512);
        assert_eq!(mbr.partitions(512).len(), 2);
    }

    #[test]
    fn what_is_there_is_never_overlapped() {
        let sectors = u32::try_from(1000 * MIB / 512).unwrap();
        let mut full_disk = Mbr::parse(&record(&[(0x83, 2048, sectors)])).unwrap();
        let error = full_disk.append(64 * MIB, 1024 * MIB, 512).unwrap_err();
        assert!(matches!(error, PartitionError::NoRoom), "{error}");
        let mut four = Mbr::parse(&record(&[(0x83, 2048, 8); 4])).unwrap();
        let error = four.append(64 * MIB, 1024 * MIB, 512).unwrap_err();
        assert!(matches!(error, PartitionError::Full), "{error}");
        let mut small = Mbr::parse(&record(&[])).unwrap();
        assert!(small.append(64 * MIB, 64 * MIB, 512).is_err());
        assert!(small.append(64 * MIB, MIB, 512).is_err());
    }

    #[test]
    fn a_disk_beyond_two_tebibytes_is_used_up_to_there() {
        let mut mbr = Mbr::parse(&record(&[(0x83, 2048, 8)])).unwrap();
        let added = mbr.append(64 * MIB, 3 << 40, 512).unwrap();
        assert!(added.start + added.len <= 2 << 40);
    }

    #[test]
    fn a_boot_sector_of_a_file_system_is_no_table() {
        let mut sector = record(&[]);
        sector[ENTRIES] = 0x6F;
        assert!(Mbr::parse(&sector).is_none());
        assert!(Mbr::parse(&[0; SIZE]).is_none());
        assert!(Mbr::parse(&[0; 10]).is_none());
    }

    proptest! {
        #[test]
        fn no_sector_breaks_the_parser(mut sector in proptest::collection::vec(any::<u8>(), 0..600),
            len in 0_u64..1 << 33, size in any::<u64>()) {
            if sector.len() >= SIZE {
                sector[510..512].copy_from_slice(&[0x55, 0xAA]);
                for slot in 0..4 {
                    sector[ENTRIES + slot * ENTRY] &= 0x80;
                }
            }
            if let Some(mut mbr) = Mbr::parse(&sector) {
                let before = mbr.partitions(512);
                mbr.cover(size);
                if let Ok(added) = mbr.append(len, size, 512) {
                    prop_assert!(added.start + added.len <= size);
                    prop_assert!(before.iter().all(|p| p.start + p.len <= added.start
                        || p.start >= added.start + added.len));
                }
            }
        }
    }
}
