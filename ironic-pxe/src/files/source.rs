use std::fmt;
use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

/// Where TFTP and HTTP take files from.
///
/// # Contract
///
/// - `path` is what the machine asked for, unchecked: an implementation keeps within its own
///   root whatever it holds (`..`, NUL, backslashes, absolute paths).
/// - `open` is repeatable and has no lasting effect; dropping its future is harmless.
/// - An [`OpenFile`] keeps showing the file as it was when opened, even when it is replaced.
#[async_trait]
pub trait FileSource: Send + Sync + 'static {
    /// Opens a file for a machine; `peer` is the machine's address where it is known.
    ///
    /// # Errors
    ///
    /// When there is no such file, or the machine may not have it.
    async fn open(&self, path: &str, peer: Option<SocketAddr>) -> Result<OpenFile, FileError>;
}

/// Where boot interfaces put files.
///
/// # Contract
///
/// - Paths are relative to the sink's root and checked as those of [`FileSource`] are.
/// - `put` and `link` replace what stands at the path, in one step for readers, and make the
///   folders above it. Removing what is not there succeeds. All are repeatable.
#[async_trait]
pub trait FileSink: Send + Sync + 'static {
    /// Writes a file.
    ///
    /// # Errors
    ///
    /// When the path leaves the root or the file can not be written.
    async fn put(&self, path: &str, content: Bytes) -> Result<(), FileError>;

    /// Writes a copy of an open file.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), and when the file can not be read to its end.
    async fn put_file(&self, path: &str, mut file: OpenFile) -> Result<(), FileError> {
        let content = file.read_at(0, usize::MAX).await?;
        self.put(path, content).await
    }

    /// Makes a symbolic link to a path relative to the link's folder.
    ///
    /// # Errors
    ///
    /// When the path leaves the root or the link can not be made.
    async fn link(&self, path: &str, target: &str) -> Result<(), FileError>;

    /// Removes a file or a link.
    ///
    /// # Errors
    ///
    /// When the path leaves the root or the file can not be removed.
    async fn remove(&self, path: &str) -> Result<(), FileError>;

    /// Removes a folder with all it holds.
    ///
    /// # Errors
    ///
    /// When the path leaves the root, is the root, or something can not be removed.
    async fn remove_folder(&self, path: &str) -> Result<(), FileError>;
}

/// Files that boot interfaces write and machines read.
///
/// # Contract
///
/// What was put is what is opened from then on.
pub trait FileStore: FileSource + FileSink {}

impl<T: FileSource + FileSink> FileStore for T {}

/// Reads an open file.
///
/// # Contract
///
/// `read_at` returns exactly `length` bytes, or all up to the file's end; it never returns more.
#[async_trait]
pub trait FileReader: Send {
    /// Reads at an offset from the file's start.
    ///
    /// # Errors
    ///
    /// When reading fails or the file became shorter.
    async fn read_at(&mut self, offset: u64, length: usize) -> Result<Bytes, FileError>;
}

/// A file opened for reading.
pub struct OpenFile {
    size: u64,
    reader: Box<dyn FileReader>,
}

impl OpenFile {
    /// Makes an open file of a size in bytes.
    pub fn new(size: u64, reader: impl FileReader + 'static) -> Self {
        Self {
            size,
            reader: Box::new(reader),
        }
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads at an offset, up to `length` bytes.
    ///
    /// # Errors
    ///
    /// When reading fails or the file became shorter.
    pub async fn read_at(&mut self, offset: u64, length: usize) -> Result<Bytes, FileError> {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).map_or(length, |left| left.min(length));
        if length == 0 {
            return Ok(Bytes::new());
        }
        let content = self.reader.read_at(offset, length).await?;
        if content.len() == length {
            Ok(content)
        } else {
            Err(FileError::Truncated)
        }
    }
}

impl From<Bytes> for OpenFile {
    fn from(content: Bytes) -> Self {
        Self::new(content.len() as u64, Whole(content))
    }
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

struct Whole(Bytes);

#[async_trait]
impl FileReader for Whole {
    async fn read_at(&mut self, offset: u64, length: usize) -> Result<Bytes, FileError> {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.0.len());
        let end = start.saturating_add(length).min(self.0.len());
        Ok(self.0.slice(start..end))
    }
}

/// Why a file can not be had or put.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// The path leaves the root, or the file is not for this machine.
    #[error("not allowed")]
    Forbidden,
    /// The file became shorter while it was read.
    #[error("file became shorter while it was read")]
    Truncated,
    /// Reading or writing failed.
    #[error("input or output failed")]
    Io(#[from] io::Error),
}

impl FileError {
    /// Tells whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Truncated | Self::Io(_))
    }
}
