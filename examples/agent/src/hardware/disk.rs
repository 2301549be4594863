use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ironic_core::Entropy;

/// Unit of bulk work on a disk, in bytes.
const CHUNK: usize = 1 << 20;
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// A disk that can be read and written anywhere.
///
/// # Contract
/// - Offsets and lengths count bytes; what reaches beyond `size` is an error and changes nothing
///   beyond the end.
/// - A write is complete on return but durable only after `sync`.
/// - Methods may be called concurrently; overlapping writes end in any of their orders.
#[async_trait]
pub trait Disk: Send + Sync + 'static {
    /// Size in bytes.
    fn size(&self) -> u64;

    /// Logical sector size in bytes: 512 or 4096.
    fn sector_size(&self) -> u32;

    /// Reads exactly `len` bytes; callers bound `len`.
    ///
    /// # Errors
    /// The range reaches beyond the end, or the medium fails.
    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// Writes all of `data`.
    ///
    /// # Errors
    /// The range reaches beyond the end, or the medium fails.
    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()>;

    /// Erases everything by the disk's own means, as a secure erase does. False: it has none.
    ///
    /// # Errors
    /// It has means, and they failed.
    async fn erase(&self) -> io::Result<bool>;

    /// Brings what was written onto the medium.
    ///
    /// # Errors
    /// The medium failed.
    async fn sync(&self) -> io::Result<()>;
}

/// Writes zeros over a range.
pub(crate) async fn zero(disk: &dyn Disk, offset: u64, len: u64) -> io::Result<()> {
    fill(disk, offset, len, |part| {
        Bytes::from_static(ZEROS.get(..part).unwrap_or(&ZEROS))
    })
    .await
}

/// Writes `passes` of random bytes over the whole disk, then zeros if `zeroize`.
pub(crate) async fn wipe(
    disk: &dyn Disk,
    entropy: &dyn Entropy,
    passes: u64,
    zeroize: bool,
) -> io::Result<()> {
    for _ in 0..passes {
        fill(disk, 0, disk.size(), |part| {
            let mut noise = vec![0; part];
            entropy.fill(&mut noise);
            Bytes::from(noise)
        })
        .await?;
    }
    if zeroize {
        zero(disk, 0, disk.size()).await?;
    }
    disk.sync().await
}

async fn fill(
    disk: &dyn Disk,
    mut offset: u64,
    mut len: u64,
    mut data: impl FnMut(usize) -> Bytes,
) -> io::Result<()> {
    while len > 0 {
        let part = usize::try_from(len).map_or(CHUNK, |len| len.min(CHUNK));
        disk.write_at(offset, data(part)).await?;
        offset += part as u64;
        len -= part as u64;
    }
    Ok(())
}

/// A disk in a file or behind a device node. Zeros written where a file has a hole leave the hole.
#[derive(Debug)]
pub struct FileDisk {
    file: Arc<File>,
    size: u64,
    sector_size: u32,
    erasable: bool,
}

impl FileDisk {
    /// A regular file of `size` bytes; erasing drops its content.
    #[must_use]
    pub fn regular(file: File, size: u64) -> Self {
        Self {
            file: Arc::new(file),
            size,
            sector_size: 512,
            erasable: true,
        }
    }

    /// A device node of `size` bytes, with no means of its own to erase.
    #[must_use]
    pub fn device(file: File, size: u64, sector_size: u32) -> Self {
        Self {
            file: Arc::new(file),
            size,
            sector_size,
            erasable: false,
        }
    }

    /// The same with another sector size.
    #[must_use]
    pub const fn with_sector_size(mut self, bytes: u32) -> Self {
        self.sector_size = bytes;
        self
    }

    fn within(&self, offset: u64, len: usize) -> io::Result<()> {
        match offset.checked_add(len as u64) {
            Some(end) if end <= self.size => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!("offset {offset} and {len} bytes on a disk of {}", self.size),
            )),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || work(&file))
            .await
            .map_err(io::Error::other)?
    }
}

#[async_trait]
impl Disk for FileDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn sector_size(&self) -> u32 {
        self.sector_size
    }

    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.within(offset, len)?;
        self.blocking(move |file| {
            let mut data = vec![0; len];
            file.read_exact_at(&mut data, offset)?;
            Ok(data)
        })
        .await
    }

    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()> {
        self.within(offset, data.len())?;
        let sparse = self.erasable;
        self.blocking(move |file| {
            if sparse && is_zero(&data) {
                let mut there = vec![0; data.len()];
                file.read_exact_at(&mut there, offset)?;
                if is_zero(&there) {
                    return Ok(());
                }
            }
            file.write_all_at(&data, offset)
        })
        .await
    }

    async fn erase(&self) -> io::Result<bool> {
        if !self.erasable {
            return Ok(false);
        }
        let size = self.size;
        self.blocking(move |file| {
            file.set_len(0)?;
            file.set_len(size)?;
            Ok(true)
        })
        .await
    }

    async fn sync(&self) -> io::Result<()> {
        self.blocking(File::sync_data).await
    }
}

fn is_zero(data: &[u8]) -> bool {
    data.chunks(CHUNK)
        .all(|chunk| ZEROS.get(..chunk.len()).is_some_and(|zeros| zeros == chunk))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use bytes::Bytes;
    use ironic_core::runtime::SeededEntropy;

    use super::{Disk, FileDisk, wipe, zero};

    fn disk(size: u64) -> FileDisk {
        let file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        FileDisk::regular(file, size)
    }

    #[tokio::test]
    async fn nothing_is_read_or_written_beyond_the_end() {
        let disk = disk(4096);
        disk.write_at(4090, Bytes::from_static(b"abcdef"))
            .await
            .unwrap();
        assert_eq!(disk.read_at(4090, 6).await.unwrap(), b"abcdef");
        assert!(
            disk.write_at(4091, Bytes::from_static(b"abcdef"))
                .await
                .is_err()
        );
        assert!(disk.read_at(u64::MAX, 1).await.is_err());
    }

    #[tokio::test]
    async fn zeros_stay_holes_until_there_is_something_to_overwrite() {
        let disk = disk(64 << 20);
        zero(&disk, 0, 64 << 20).await.unwrap();
        assert!(disk.file.metadata().unwrap().blocks() * 512 < 1 << 20);
        disk.write_at(5 << 20, Bytes::from_static(b"secret"))
            .await
            .unwrap();
        zero(&disk, 0, 64 << 20).await.unwrap();
        assert_eq!(disk.read_at(5 << 20, 6).await.unwrap(), [0; 6]);
    }

    #[tokio::test]
    async fn erasing_leaves_nothing() {
        let disk = disk(3 << 20);
        disk.write_at(7, Bytes::from_static(b"secret"))
            .await
            .unwrap();
        wipe(&disk, &SeededEntropy::new(1), 1, false).await.unwrap();
        let noise = disk.read_at(0, 64).await.unwrap();
        assert!(noise.iter().any(|byte| *byte != 0));
        assert!(!noise.windows(6).any(|window| window == b"secret"));
        wipe(&disk, &SeededEntropy::new(1), 1, true).await.unwrap();
        assert_eq!(disk.read_at(2 << 20, 64).await.unwrap(), [0; 64]);
        disk.write_at(7, Bytes::from_static(b"secret"))
            .await
            .unwrap();
        assert!(disk.erase().await.unwrap());
        assert_eq!(disk.read_at(0, 64).await.unwrap(), [0; 64]);
    }
}
