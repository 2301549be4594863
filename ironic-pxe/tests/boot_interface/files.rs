use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use ironic_pxe::files::{FileError, FileSink, FileSource, MemoryFiles, OpenFile};

/// Files whose n-th change, counted over both roots, never returns: as if the process had died
/// there. Before it, after it, or in the middle is all the same to a file that is replaced whole.
#[derive(Clone)]
pub(crate) struct Interrupted {
    pub(crate) inner: MemoryFiles,
    pub(crate) left: Arc<AtomicU64>,
}

impl Interrupted {
    pub(crate) fn never(inner: MemoryFiles) -> Self {
        let left = Arc::new(AtomicU64::new(u64::MAX));
        Self { inner, left }
    }

    async fn count(&self) {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left == 0 {
            self.left.store(u64::MAX, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl FileSource for Interrupted {
    async fn open(&self, path: &str, peer: Option<SocketAddr>) -> Result<OpenFile, FileError> {
        self.inner.open(path, peer).await
    }
}

#[async_trait]
impl FileSink for Interrupted {
    async fn put(&self, path: &str, content: Bytes) -> Result<(), FileError> {
        self.count().await;
        self.inner.put(path, content).await
    }

    async fn link(&self, path: &str, target: &str) -> Result<(), FileError> {
        self.count().await;
        self.inner.link(path, target).await
    }

    async fn remove(&self, path: &str) -> Result<(), FileError> {
        self.count().await;
        self.inner.remove(path).await
    }

    async fn remove_folder(&self, path: &str) -> Result<(), FileError> {
        self.count().await;
        self.inner.remove_folder(path).await
    }
}
