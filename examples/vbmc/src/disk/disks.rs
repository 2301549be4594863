use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use tokio_util::sync::CancellationToken;

use super::{
    DiskError, DiskReport,
    table::{Table, TableError},
};
use crate::machine::Firmware;

/// A disk of a machine, in a file.
#[derive(Debug, Clone)]
pub(crate) struct DiskFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
}

impl DiskFile {
    pub(crate) fn new(name: String, path: impl AsRef<Path>, size: u64) -> Self {
        Self {
            name,
            path: path.as_ref().to_owned(),
            size,
        }
    }

    pub(super) fn io(&self, source: io::Error) -> DiskError {
        DiskError::Io {
            disk: self.name.clone(),
            source,
        }
    }

    pub(super) fn open(&self) -> Result<File, DiskError> {
        File::open(&self.path).map_err(|source| self.io(source))
    }

    pub(super) fn table(&self, file: &File) -> Result<Table, DiskError> {
        let disk = self.name.clone();
        Table::read(file, self.size).map_err(|error| match error {
            TableError::Io(source) => DiskError::Io { disk, source },
            TableError::NoSignature => DiskError::NoSignature { disk },
            TableError::Malformed(what) => DiskError::Table { disk, what },
        })
    }

    /// Whether a firmware of that kind starts something on it.
    fn check(&self, firmware: Firmware, identifier: Option<u32>) -> Result<(), DiskError> {
        let table = self.table(&self.open()?)?;
        if let Some(identifier) = identifier.filter(|identifier| *identifier != table.identifier) {
            return Err(DiskError::Identifier { identifier });
        }
        let (found, wanted) = match firmware {
            Firmware::Bios => (
                table.partitions.iter().any(|part| part.is_for_bios()),
                "partition with a boot loader",
            ),
            Firmware::Uefi | Firmware::UefiHttp => (
                table.partitions.iter().any(|part| part.is_esp()),
                "EFI system partition",
            ),
        };
        if found {
            return Ok(());
        }
        Err(DiskError::NoLoader {
            disk: self.name.clone(),
            wanted,
            firmware: firmware.name(),
        })
    }
}

/// The disks of a machine, in the order in which its firmware tries them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disks(pub(crate) Vec<DiskFile>);

impl Disks {
    /// The first disk that boots, among those with the identifier where one is given.
    pub(crate) async fn find(
        &self,
        firmware: Firmware,
        identifier: Option<u32>,
        power: &CancellationToken,
    ) -> Result<DiskFile, DiskError> {
        let disks = self.0.clone();
        blocking(power, move |_| {
            let mut first = None;
            for disk in disks {
                match disk.check(firmware, identifier) {
                    Ok(()) => return Ok(disk),
                    Err(error) => first = first.or(Some(error)),
                }
            }
            Err(first.unwrap_or(DiskError::NoDisk))
        })
        .await
    }

    /// Boots the first disk that does.
    pub(crate) async fn boot(
        &self,
        firmware: Firmware,
        identifier: Option<u32>,
        power: &CancellationToken,
    ) -> Result<DiskReport, DiskError> {
        let disk = self.find(firmware, identifier, power).await?;
        blocking(power, move |power| {
            DiskReport::read(&disk, &|| !power.is_cancelled())
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    power: &CancellationToken,
    work: impl FnOnce(&CancellationToken) -> Result<T, DiskError> + Send + 'static,
) -> Result<T, DiskError> {
    let power = power.clone();
    tokio::task::spawn_blocking(move || work(&power))
        .await
        .map_err(|_| DiskError::PowerLost)?
}
