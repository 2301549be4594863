use std::{fs::File, os::unix::fs::FileExt as _, path::Path};

use sha2::{Digest as _, Sha256};

use super::{
    DiskError, TableKind, config_drive,
    disks::DiskFile,
    table::{Partition, Table, mbr_entry_place},
};

const CHUNK: usize = 1 << 20;

/// What identifies the image on a disk, however large the disk is and whatever was added behind the image.
///
/// With a master boot record it is the SHA-256 of everything up to the end of the last partition, the entry of a config
/// drive left blank: the checksum of the image's file, where that ends with its last partition. A GPT is rewritten when
/// it moves to a larger disk; there it is the SHA-256 of the partitions' contents one after the other. A config drive is
/// never part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageDigest {
    /// How many bytes were hashed.
    pub bytes: u64,
    /// The hash, in lower-case hexadecimal digits.
    pub sha256: String,
}

impl ImageDigest {
    /// Reads an image's file as a disk with it on would be read. Blocks for as long as hashing takes.
    ///
    /// # Errors
    /// The file cannot be read, or has no partition table.
    pub fn of_file(path: &Path) -> Result<Self, DiskError> {
        let name = path.display().to_string();
        let size = std::fs::metadata(path)
            .map_err(|source| DiskError::Io {
                disk: name.clone(),
                source,
            })?
            .len();
        let disk = DiskFile::new(name, path, size);
        let file = disk.open()?;
        let table = disk.table(&file)?;
        let drive = config_drive::find(&file, &table).map_err(|source| disk.io(source))?;
        Self::read(&disk, &file, &table, drive.as_ref(), &|| true)
    }

    pub(super) fn read(
        disk: &DiskFile,
        file: &File,
        table: &Table,
        config_drive: Option<&Partition>,
        has_power: &dyn Fn() -> bool,
    ) -> Result<Self, DiskError> {
        let is_image = |partition: &&Partition| Some(*partition) != config_drive;
        let mut parts: Vec<&Partition> = table.partitions.iter().filter(is_image).collect();
        parts.sort_by_key(|partition| partition.start);
        let mut hasher = Hasher {
            disk,
            file,
            has_power,
            state: Sha256::new(),
            bytes: 0,
        };
        match table.kind {
            TableKind::Mbr => {
                let end = parts.iter().map(|part| part.end()).max().unwrap_or(0);
                hasher.prefix(end, config_drive)?;
            }
            TableKind::Gpt => parts
                .iter()
                .try_for_each(|part| hasher.range(part.start, part.len))?,
        }
        Ok(Self {
            bytes: hasher.bytes,
            sha256: hexadecimal(&hasher.state.finalize()),
        })
    }
}

struct Hasher<'a> {
    disk: &'a DiskFile,
    file: &'a File,
    has_power: &'a dyn Fn() -> bool,
    state: Sha256,
    bytes: u64,
}

impl Hasher<'_> {
    fn prefix(&mut self, end: u64, blank: Option<&Partition>) -> Result<(), DiskError> {
        let mut record = [0; 512];
        let len = usize::try_from(end).map_or(record.len(), |end| end.min(record.len()));
        let record = record.get_mut(..len).unwrap_or_default();
        self.read(record, 0)?;
        let entry = blank.and_then(|drive| record.get_mut(mbr_entry_place(drive.number)));
        if let Some(entry) = entry {
            entry.fill(0);
        }
        self.state.update(&*record);
        self.bytes = len as u64;
        self.range(len as u64, end.saturating_sub(len as u64))
    }

    fn range(&mut self, mut start: u64, mut len: u64) -> Result<(), DiskError> {
        let mut buffer = vec![0; CHUNK];
        while len > 0 {
            if !(self.has_power)() {
                return Err(DiskError::PowerLost);
            }
            let part = usize::try_from(len).map_or(CHUNK, |len| len.min(CHUNK));
            let buffer = buffer.get_mut(..part).unwrap_or_default();
            self.read(buffer, start)?;
            self.state.update(&*buffer);
            let part = part as u64;
            start = start.saturating_add(part);
            len = len.saturating_sub(part);
            self.bytes = self.bytes.saturating_add(part);
        }
        Ok(())
    }

    fn read(&self, buffer: &mut [u8], start: u64) -> Result<(), DiskError> {
        self.file
            .read_exact_at(buffer, start)
            .map_err(|source| self.disk.io(source))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
