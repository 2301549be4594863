use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;

use super::path::{names, resolve};
use super::{FileError, FileSink, FileSource, OpenFile};

// As many as common file systems follow.
const LONGEST_CHAIN: usize = 40;

/// Files held in memory; clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    entries: Arc<RwLock<BTreeMap<String, Entry>>>,
}

#[derive(Clone, Debug)]
enum Entry {
    File(Bytes),
    Link(String),
}

impl MemoryFiles {
    /// Makes an empty set of files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file, replacing what stands at the path.
    ///
    /// # Errors
    ///
    /// When the path leaves the root.
    pub fn insert(&self, path: &str, content: impl Into<Bytes>) -> Result<(), FileError> {
        self.set(path, Entry::File(content.into()))
    }

    /// Makes a symbolic link, replacing what stands at the path.
    ///
    /// # Errors
    ///
    /// When the path or the target leaves the root.
    pub fn insert_link(&self, path: &str, target: &str) -> Result<(), FileError> {
        resolve(&names(path)?.join("/"), target)?;
        self.set(path, Entry::Link(target.to_owned()))
    }

    /// Returns a file's content, following links.
    ///
    /// # Errors
    ///
    /// When there is no such file.
    pub fn get(&self, path: &str) -> Result<Bytes, FileError> {
        let mut path = names(path)?.join("/");
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..LONGEST_CHAIN {
            match entries.get(&path) {
                Some(Entry::File(content)) => return Ok(content.clone()),
                Some(Entry::Link(target)) => path = resolve(&path, target)?,
                None => return Err(FileError::NotFound),
            }
        }
        Err(FileError::NotFound)
    }

    /// Returns the paths of all files and links, in order.
    pub fn paths(&self) -> Vec<String> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.keys().cloned().collect()
    }

    fn set(&self, path: &str, entry: Entry) -> Result<(), FileError> {
        let path = names(path)?.join("/");
        self.entries
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path, entry);
        Ok(())
    }
}

#[async_trait]
impl FileSource for MemoryFiles {
    async fn open(&self, path: &str, _peer: Option<SocketAddr>) -> Result<OpenFile, FileError> {
        self.get(path).map(OpenFile::from)
    }
}

#[async_trait]
impl FileSink for MemoryFiles {
    async fn put(&self, path: &str, content: Bytes) -> Result<(), FileError> {
        self.insert(path, content)
    }

    async fn link(&self, path: &str, target: &str) -> Result<(), FileError> {
        self.insert_link(path, target)
    }

    async fn remove(&self, path: &str) -> Result<(), FileError> {
        let path = names(path)?.join("/");
        self.entries
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&path);
        Ok(())
    }

    async fn remove_folder(&self, path: &str) -> Result<(), FileError> {
        let prefix = names(path)?.join("/") + "/";
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|path, _| !path.starts_with(&prefix));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_and_loops_end() {
        let files = MemoryFiles::new();
        files.insert("/u/config", "text").unwrap();
        files
            .insert_link("pxelinux.cfg/01-aa", "../u/config")
            .unwrap();
        files.insert_link("loop", "loop").unwrap();
        assert_eq!(files.get("//pxelinux.cfg/01-aa").unwrap(), "text");
        assert!(matches!(files.get("loop"), Err(FileError::NotFound)));
        assert!(files.insert_link("x", "../y").is_err());
    }
}
