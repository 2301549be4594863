use std::{fs::File, io, os::unix::fs::FileExt as _};

use uuid::Uuid;

/// Bytes of a sector; the machine's disks have no others.
const SECTOR: u64 = 512;
const MBR_ENTRIES: usize = 446;
const MBR_ENTRY: usize = 16;
const MBR_SLOTS: usize = 4;
/// The one entry of the record before a GPT (UEFI 2.10 §5.2.3).
const PROTECTIVE: u8 = 0xEE;
/// A system partition in a plain record (UEFI 2.10 §5.2.2).
const MBR_ESP: u8 = 0xEF;
/// UEFI 2.10 §5.3.2: the header's first 92 bytes are in use, and an entry has 128 or a multiple.
const GPT_HEADER: usize = 92;
const GPT_ENTRY: u32 = 128;
const MAX_GPT_ENTRY: u32 = 4096;
const MAX_GPT_TABLE: u32 = 1 << 20;
/// UEFI 2.10 table 5-7.
const GPT_ESP: Uuid = Uuid::from_u128(0xC12A7328_F81F_11D2_BA4B_00A0C93EC93B);
/// Where GRUB for BIOS keeps itself on a GPT disk.
const GPT_BIOS_BOOT: Uuid = Uuid::from_u128(0x21686148_6449_6E6F_744E_656564454649);

/// The kind of a partition table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// A master boot record.
    Mbr,
    /// A GUID partition table.
    Gpt,
}

/// A partition, by its place in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    /// Its entry in the table, from 1.
    pub(super) number: usize,
    pub(super) start: u64,
    pub(super) len: u64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mbr(u8),
    Gpt(Uuid),
}

impl Partition {
    /// A place that UEFI looks for boot loaders in.
    pub(super) fn is_esp(&self) -> bool {
        matches!(self.kind, Kind::Mbr(MBR_ESP) | Kind::Gpt(GPT_ESP))
    }

    /// A place that a boot loader for BIOS may be in.
    pub(super) fn is_for_bios(&self) -> bool {
        matches!(self.kind, Kind::Mbr(_) | Kind::Gpt(GPT_ESP | GPT_BIOS_BOOT))
    }

    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }
}

/// A disk's partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) kind: TableKind,
    /// The word at byte 440 of the disk.
    pub(super) identifier: u32,
    /// In the table's order.
    pub(super) partitions: Vec<Partition>,
}

/// Why there is no table.
#[derive(Debug)]
pub(super) enum TableError {
    Io(io::Error),
    NoSignature,
    Malformed(&'static str),
}

impl From<io::Error> for TableError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Table {
    /// Reads the table of a disk of that size.
    pub(super) fn read(disk: &File, size: u64) -> Result<Self, TableError> {
        if size < 2 * SECTOR {
            return Err(TableError::NoSignature);
        }
        let mut record = [0; SECTOR as usize];
        disk.read_exact_at(&mut record, 0)?;
        if record.last_chunk() != Some(&[0x55, 0xAA]) {
            return Err(TableError::NoSignature);
        }
        let identifier = u32_at(&record, 440).unwrap_or_default();
        let entries: Vec<Partition> = (0..MBR_SLOTS)
            .filter_map(|slot| mbr_entry(&record, slot))
            .collect();
        let is_protective = |entry: &Partition| entry.kind == Kind::Mbr(PROTECTIVE);
        let (kind, partitions) = if entries.iter().any(is_protective) {
            (TableKind::Gpt, read_gpt(disk, size)?)
        } else {
            (TableKind::Mbr, entries)
        };
        if partitions.iter().any(|partition| partition.end() > size) {
            return Err(TableError::Malformed("a partition reaches beyond the end"));
        }
        Ok(Self {
            kind,
            identifier,
            partitions,
        })
    }
}

/// Where an entry of a master boot record is, in bytes from the disk's start.
pub(super) fn mbr_entry_place(number: usize) -> std::ops::Range<usize> {
    let start = MBR_ENTRIES + number.saturating_sub(1).min(MBR_SLOTS - 1) * MBR_ENTRY;
    start..start + MBR_ENTRY
}

fn mbr_entry(record: &[u8], slot: usize) -> Option<Partition> {
    let entry = record.get(mbr_entry_place(slot + 1))?;
    let kind = *entry.get(4)?;
    let (start, len) = (u32_at(entry, 8)?, u32_at(entry, 12)?);
    (kind != 0 && len != 0).then(|| Partition {
        number: slot + 1,
        start: u64::from(start) * SECTOR,
        len: u64::from(len) * SECTOR,
        kind: Kind::Mbr(kind),
    })
}

/// By its first header, or, where that one is damaged, by the one at the disk's end (UEFI 2.10 §5.3.2).
fn read_gpt(disk: &File, size: u64) -> Result<Vec<Partition>, TableError> {
    match gpt_at(disk, size, 1) {
        Err(TableError::Malformed(what)) => {
            let last = (size / SECTOR).saturating_sub(1);
            gpt_at(disk, size, last).map_err(|_| TableError::Malformed(what))
        }
        outcome => outcome,
    }
}

fn gpt_at(disk: &File, size: u64, sector: u64) -> Result<Vec<Partition>, TableError> {
    let malformed = |what| TableError::Malformed(what);
    let mut header = [0; GPT_HEADER];
    disk.read_exact_at(&mut header, sector.saturating_mul(SECTOR))?;
    if header.get(..8) != Some(b"EFI PART") {
        return Err(malformed("no GPT header"));
    }
    let field = |at| u32_at(&header, at).unwrap_or_default();
    let mut unsigned = header;
    if let Some(sum) = unsigned.get_mut(16..20) {
        sum.fill(0);
    }
    let is_plain = field(12) == 92;
    if !is_plain || crc32fast::hash(&unsigned) != field(16) {
        return Err(malformed("the GPT header's checksum does not fit"));
    }
    let (count, entry_size) = (field(80), field(84));
    let table_size = count.checked_mul(entry_size);
    let table_size = table_size
        .filter(|size| *size <= MAX_GPT_TABLE && (GPT_ENTRY..=MAX_GPT_ENTRY).contains(&entry_size));
    let table_size = table_size.ok_or(malformed("the GPT's size makes no sense"))?;
    let start = u64_at(&header, 72).and_then(|sector| sector.checked_mul(SECTOR));
    let start = start
        .filter(|start| start.saturating_add(u64::from(table_size)) <= size)
        .ok_or(malformed("the GPT reaches beyond the end"))?;
    let mut table = vec![0; table_size as usize];
    disk.read_exact_at(&mut table, start)?;
    if crc32fast::hash(&table) != field(88) {
        return Err(malformed("the GPT's checksum does not fit"));
    }
    Ok(table
        .chunks(entry_size as usize)
        .enumerate()
        .filter_map(|(index, entry)| gpt_entry(index + 1, entry))
        .collect())
}

fn gpt_entry(number: usize, entry: &[u8]) -> Option<Partition> {
    let kind = Uuid::from_bytes_le(*entry.first_chunk()?);
    let (first, last) = (u64_at(entry, 32)?, u64_at(entry, 40)?);
    let sectors = last.checked_sub(first)?.checked_add(1)?;
    (!kind.is_nil()).then_some(Partition {
        number,
        start: first.checked_mul(SECTOR)?,
        len: sectors.checked_mul(SECTOR)?,
        kind: Kind::Gpt(kind),
    })
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn disk(content: &[u8], size: u64) -> Result<Table, TableError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.set_len(size).unwrap();
        Table::read(&file, size)
    }

    fn record(entries: &[(usize, u8, u32, u32)]) -> Vec<u8> {
        let mut record = vec![0; 512];
        record[440..444].copy_from_slice(&0xdead_beef_u32.to_le_bytes());
        for (number, kind, start, len) in entries {
            let at = mbr_entry_place(*number).start;
            record[at + 4] = *kind;
            record[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
            record[at + 12..at + 16].copy_from_slice(&len.to_le_bytes());
        }
        record[510..].copy_from_slice(&[0x55, 0xAA]);
        record
    }

    #[test]
    fn a_record_has_its_entries() {
        let table = disk(&record(&[(1, 0x83, 8, 8), (3, 0xEF, 16, 4)]), 1 << 20).unwrap();
        assert_eq!(
            (table.kind, table.identifier),
            (TableKind::Mbr, 0xdead_beef)
        );
        let places: Vec<_> = table
            .partitions
            .iter()
            .map(|p| (p.number, p.start, p.len, p.is_esp()))
            .collect();
        assert_eq!(places, [(1, 4096, 4096, false), (3, 8192, 2048, true)]);
    }

    #[test]
    fn blank_and_contradictory_disks_are_errors() {
        assert!(matches!(disk(&[], 1 << 20), Err(TableError::NoSignature)));
        assert!(matches!(disk(&[], 0), Err(TableError::NoSignature)));
        let beyond = disk(&record(&[(1, 0x83, 8, 8000)]), 1 << 20);
        assert!(matches!(beyond, Err(TableError::Malformed(_))));
        let guard_only = disk(&record(&[(1, PROTECTIVE, 1, 100)]), 1 << 20);
        assert!(matches!(guard_only, Err(TableError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_table_or_an_error(
            mut first in proptest::collection::vec(any::<u8>(), 512),
            header in proptest::collection::vec(any::<u8>(), 92),
            sums in any::<bool>(),
        ) {
            first[450] = PROTECTIVE;
            first[458..462].copy_from_slice(&[1, 0, 0, 0]);
            first[510..].copy_from_slice(&[0x55, 0xAA]);
            let mut header = header;
            header[..8].copy_from_slice(b"EFI PART");
            if sums {
                header[12..20].copy_from_slice(&[92, 0, 0, 0, 0, 0, 0, 0]);
                let sum = crc32fast::hash(&header);
                header[16..20].copy_from_slice(&sum.to_le_bytes());
            }
            first.extend(header);
            let _ = disk(&first, 64 << 10);
        }
    }
}
