use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Which content of a file was read: any way of replacing it changes this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edition([i128; 5]);

impl Edition {
    /// The content that a file has now; `None` if there is no such file.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).as_ref().map(Self::of).ok()
    }

    /// The content of the file that this is told of.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let time =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self([
            time(metadata.mtime(), metadata.mtime_nsec()),
            time(metadata.ctime(), metadata.ctime_nsec()),
            metadata.size().into(),
            metadata.ino().into(),
            metadata.dev().into(),
        ])
    }
}
