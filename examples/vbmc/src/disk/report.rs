use super::{ConfigDriveReport, DiskError, ImageDigest, TableKind, config_drive, disks::DiskFile};

/// What a machine found on the disk that it booted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DiskReport {
    /// The disk's name, such as `/dev/vda`.
    pub disk: String,
    /// The kind of its partition table.
    pub table: TableKind,
    /// How many partitions it has, a config drive's included.
    pub partitions: usize,
    /// What is on it, apart from a config drive.
    pub image: ImageDigest,
    /// The config drive, if there is one.
    pub config_drive: Option<ConfigDriveReport>,
}

impl DiskReport {
    /// Reads a disk; blocks for as long as hashing takes.
    pub(super) fn read(disk: &DiskFile, has_power: &dyn Fn() -> bool) -> Result<Self, DiskError> {
        let file = disk.open()?;
        let table = disk.table(&file)?;
        let drive = config_drive::find(&file, &table).map_err(|source| disk.io(source))?;
        let config_drive = drive
            .as_ref()
            .map(|partition| config_drive::read(&file, partition))
            .transpose()
            .map_err(|what| DiskError::ConfigDrive {
                disk: disk.name.clone(),
                what,
            })?;
        Ok(Self {
            disk: disk.name.clone(),
            table: table.kind,
            partitions: table.partitions.len(),
            image: ImageDigest::read(disk, &file, &table, drive.as_ref(), has_power)?,
            config_drive,
        })
    }
}
