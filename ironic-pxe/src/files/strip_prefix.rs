use std::net::SocketAddr;

use async_trait::async_trait;

use super::{FileError, FileSource, OpenFile};

/// Serves another source to machines that put the root's own path before a file's.
///
/// GRUB, for one, asks for `/tftpboot/52:54:00:0a:0b:0d.conf`, as its first configuration tells
/// it. Paths without the prefix are passed on as they are.
#[derive(Clone, Debug)]
pub struct StripPrefix<S> {
    prefix: String,
    inner: S,
}

impl<S> StripPrefix<S> {
    /// Wraps a source; `prefix` is the root's path, such as `/tftpboot`.
    pub fn new(prefix: &str, inner: S) -> Self {
        Self {
            prefix: prefix.trim_matches('/').to_owned(),
            inner,
        }
    }
}

#[async_trait]
impl<S: FileSource> FileSource for StripPrefix<S> {
    async fn open(&self, path: &str, peer: Option<SocketAddr>) -> Result<OpenFile, FileError> {
        let below = path.trim_start_matches('/').strip_prefix(&self.prefix);
        let stripped = below.filter(|rest| rest.starts_with('/')).unwrap_or(path);
        self.inner.open(stripped, peer).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;

    #[tokio::test]
    async fn the_prefix_counts_as_a_whole_name() {
        let files = MemoryFiles::new();
        files.insert("mac.conf", "text").unwrap();
        files.insert("tftpbootx/mac.conf", "other").unwrap();
        let source = StripPrefix::new("/tftpboot", files);
        for (path, size) in [
            ("/tftpboot/mac.conf", 4),
            ("//tftpboot//mac.conf", 4),
            ("mac.conf", 4),
            ("tftpbootx/mac.conf", 5),
        ] {
            assert_eq!(
                source.open(path, None).await.unwrap().size(),
                size,
                "{path}"
            );
        }
        assert!(source.open("/tftpboot/../x", None).await.is_err());
    }
}
