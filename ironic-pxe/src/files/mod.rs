//! Boot files: where servers take them from, and where boot interfaces put them.

#[cfg(all(unix, any(feature = "tftp", feature = "http-boot")))]
mod directory;
mod memory;
mod path;
mod plan;
mod source;
mod strip_prefix;

#[cfg(all(unix, any(feature = "tftp", feature = "http-boot")))]
pub use directory::DirectoryFiles;
pub use memory::MemoryFiles;
pub use source::{FileError, FileReader, FileSink, FileSource, FileStore, OpenFile};
pub use strip_prefix::StripPrefix;
