use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use super::path::{names, resolve};
use super::{FileError, FileReader, FileSink, FileSource, OpenFile};

// How much of a file is copied at a time.
const CHUNK: usize = 1024 * 1024;

/// Files below a folder of the host.
///
/// What is written stands under another name, `.NAME.NUMBER.new`, until it is complete.
///
/// Links may lead anywhere below the folder and nowhere else: a path is resolved before it is
/// opened, and again after, and both have to name the file that was opened. Files other than
/// regular ones are not served.
#[derive(Clone, Debug)]
pub struct DirectoryFiles {
    root: PathBuf,
    // Counts what was written, so that two who write the same file at once do not meet before it
    // gets its name.
    written: Arc<AtomicU64>,
}

impl DirectoryFiles {
    /// Serves a folder, which has to exist.
    ///
    /// # Errors
    ///
    /// When the folder is not there.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = root.as_ref().canonicalize()?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            root,
            written: Arc::default(),
        })
    }

    fn open_blocking(&self, path: &str) -> Result<(File, u64), FileError> {
        let path = self.root.join(names(path)?.join("/"));
        let before = self.real_path(&path)?;
        // Looked at before it is opened: opening a pipe would wait for its other end.
        if !fs::symlink_metadata(&before).map_err(file_error)?.is_file() {
            return Err(FileError::NotFound);
        }
        let file = File::open(&before).map_err(file_error)?;
        let opened = file.metadata().map_err(file_error)?;
        let found = fs::symlink_metadata(self.real_path(&path)?).map_err(file_error)?;
        if (opened.dev(), opened.ino()) != (found.dev(), found.ino()) {
            return Err(FileError::Forbidden);
        }
        Ok((file, opened.len()))
    }

    fn real_path(&self, path: &Path) -> Result<PathBuf, FileError> {
        let real = path.canonicalize().map_err(file_error)?;
        if real.starts_with(&self.root) {
            Ok(real)
        } else {
            Err(FileError::Forbidden)
        }
    }

    // The place where something is to be written, its folder made if need be.
    fn place(&self, path: &str) -> Result<(PathBuf, String), FileError> {
        let mut names = names(path)?;
        let name = names.pop().ok_or(FileError::NotFound)?.to_owned();
        let mut folder = self.root.clone();
        for name in names {
            folder.push(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error.into());
                }
                _ => folder = self.real_path(&folder)?,
            }
        }
        Ok((folder, name))
    }

    // Makes something under a name that nobody else uses, and says which name it is to get.
    fn make<T>(
        &self,
        path: &str,
        make: impl Fn(&Path) -> io::Result<T>,
    ) -> Result<(T, Unnamed), FileError> {
        let (folder, name) = self.place(path)?;
        loop {
            let number = self.written.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".{name}.{number}.new"));
            match make(&path) {
                // Left by a process that died.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
                Ok(made) => {
                    let named = Some(folder.join(&name));
                    return Ok((made, Unnamed { path, named }));
                }
            }
        }
    }

    // A path to remove: its folder is real and below the root, its own name may be a link.
    fn existing(&self, path: &str) -> Result<Option<PathBuf>, FileError> {
        let mut names = names(path)?;
        let name = names.pop().ok_or(FileError::NotFound)?;
        match self.real_path(&self.root.join(names.join("/"))) {
            Ok(folder) => Ok(Some(folder.join(name))),
            Err(FileError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, FileError> {
        let this = self.clone();
        join(tokio::task::spawn_blocking(move || work(&this)).await)
    }
}

#[async_trait]
impl FileSource for DirectoryFiles {
    async fn open(&self, path: &str, _peer: Option<SocketAddr>) -> Result<OpenFile, FileError> {
        let path = path.to_owned();
        let (file, size) = self.blocking(move |this| this.open_blocking(&path)).await?;
        Ok(OpenFile::new(size, DirectoryFile { file: Some(file) }))
    }
}

#[async_trait]
impl FileSink for DirectoryFiles {
    async fn put(&self, path: &str, content: Bytes) -> Result<(), FileError> {
        self.put_file(path, OpenFile::from(content)).await
    }

    async fn put_file(&self, path: &str, mut source: OpenFile) -> Result<(), FileError> {
        let path = path.to_owned();
        let (mut file, new) = self
            .blocking(move |this| this.make(&path, |new| File::create_new(new)))
            .await?;
        let mut offset = 0;
        while offset < source.size() {
            let chunk = source.read_at(offset, CHUNK).await?;
            offset += chunk.len() as u64;
            file = self
                .blocking(move |_| {
                    file.write_all(&chunk)?;
                    Ok(file)
                })
                .await?;
        }
        self.blocking(move |_| {
            file.sync_all()?;
            new.name()
        })
        .await
    }

    async fn link(&self, path: &str, target: &str) -> Result<(), FileError> {
        resolve(&names(path)?.join("/"), target)?;
        let (path, target) = (path.to_owned(), target.to_owned());
        self.blocking(move |this| {
            let ((), new) = this.make(&path, |new| symlink(&target, new))?;
            new.name()
        })
        .await
    }

    async fn remove(&self, path: &str) -> Result<(), FileError> {
        let path = path.to_owned();
        self.blocking(move |this| match this.existing(&path)? {
            Some(path) => remove_file(&path).map_err(FileError::from),
            None => Ok(()),
        })
        .await
    }

    async fn remove_folder(&self, path: &str) -> Result<(), FileError> {
        let path = path.to_owned();
        self.blocking(move |this| {
            let Some(path) = this.existing(&path)? else {
                return Ok(());
            };
            // `remove_dir_all` does not follow links, neither here nor below.
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// What is not complete yet, and goes away unless it gets its name.
struct Unnamed {
    path: PathBuf,
    named: Option<PathBuf>,
}

impl Unnamed {
    fn name(mut self) -> Result<(), FileError> {
        if let Some(named) = &self.named {
            fs::rename(&self.path, named)?;
        }
        self.named = None;
        Ok(())
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if self.named.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

struct DirectoryFile {
    // Away while a read is under way.
    file: Option<File>,
}

#[async_trait]
impl FileReader for DirectoryFile {
    async fn read_at(&mut self, offset: u64, length: usize) -> Result<Bytes, FileError> {
        let mut file = self.file.take().ok_or(FileError::Truncated)?;
        let read = tokio::task::spawn_blocking(move || {
            let mut content = vec![0; length];
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut content)?;
            Ok((file, content))
        });
        let (file, content) = join(read.await)?;
        self.file = Some(file);
        Ok(content.into())
    }
}

fn join<T>(outcome: Result<Result<T, FileError>, tokio::task::JoinError>) -> Result<T, FileError> {
    outcome.unwrap_or_else(|error| Err(FileError::Io(io::Error::other(error))))
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn file_error(error: io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::NotFound,
        io::ErrorKind::PermissionDenied => FileError::Forbidden,
        _ => FileError::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(files: &DirectoryFiles, path: &str) -> Result<Bytes, FileError> {
        let mut file = files.open(path, None).await?;
        let size = usize::try_from(file.size()).unwrap();
        file.read_at(0, size).await
    }

    #[tokio::test]
    async fn nothing_outside_the_root_is_served() {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(base.path().join("secret"), "secret").unwrap();
        fs::write(root.join("open"), "open").unwrap();
        symlink(base.path().join("secret"), root.join("absolute")).unwrap();
        symlink("../../secret", root.join("sub/relative")).unwrap();
        symlink(base.path(), root.join("folder")).unwrap();
        symlink("../open", root.join("sub/inside")).unwrap();
        let files = DirectoryFiles::new(&root).unwrap();
        for path in ["open", "/open", "//sub/./inside", "sub//inside"] {
            assert_eq!(read(&files, path).await.unwrap(), "open", "{path}");
        }
        for path in [
            "../secret",
            "sub/../../secret",
            "absolute",
            "sub/relative",
            "folder/secret",
            "..\\secret",
            "open\0",
            base.path().join("secret").to_str().unwrap(),
            "sub",
            "",
        ] {
            assert!(read(&files, path).await.is_err(), "{path:?}");
        }
    }

    #[tokio::test]
    async fn what_is_put_is_served_and_what_is_removed_is_not() {
        let base = tempfile::tempdir().unwrap();
        let files = DirectoryFiles::new(base.path()).unwrap();
        files
            .put("u/config", Bytes::from_static(b"one"))
            .await
            .unwrap();
        files
            .link("pxelinux.cfg/01-aa", "../u/config")
            .await
            .unwrap();
        files
            .put("u/config", Bytes::from_static(b"two"))
            .await
            .unwrap();
        assert_eq!(read(&files, "pxelinux.cfg/01-aa").await.unwrap(), "two");
        assert!(files.link("x", "../../etc").await.is_err());
        files.remove_folder("u").await.unwrap();
        files.remove("pxelinux.cfg/01-aa").await.unwrap();
        files.remove("pxelinux.cfg/01-aa").await.unwrap();
        files.remove("nowhere/at/all").await.unwrap();
        assert!(matches!(
            read(&files, "u/config").await,
            Err(FileError::NotFound)
        ));
        assert!(files.remove_folder("/").await.is_err());
    }

    #[tokio::test]
    async fn many_may_write_the_same_file() {
        let base = tempfile::tempdir().unwrap();
        let files = DirectoryFiles::new(base.path()).unwrap();
        // Longer than a chunk, so that writers overlap.
        let contents: Vec<Bytes> = (0..8).map(|n| vec![n; 2 * CHUNK + 1].into()).collect();
        let writers = contents.iter().map(|content| {
            let (files, content) = (files.clone(), content.clone());
            tokio::spawn(async move { files.put("u/boot", content).await })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap().unwrap();
        }
        assert!(contents.contains(&read(&files, "u/boot").await.unwrap()));
        let left = fs::read_dir(base.path().join("u")).unwrap().count();
        assert_eq!(left, 1, "nothing unfinished is left");
    }

    #[tokio::test]
    async fn a_copy_that_ends_early_leaves_what_was_there() {
        struct Short;
        #[async_trait]
        impl FileReader for Short {
            async fn read_at(&mut self, offset: u64, length: usize) -> Result<Bytes, FileError> {
                let length = if offset == 0 { length } else { 1 };
                Ok(vec![0; length].into())
            }
        }
        let base = tempfile::tempdir().unwrap();
        let files = DirectoryFiles::new(base.path()).unwrap();
        files.put("file", Bytes::from_static(b"old")).await.unwrap();
        let short = OpenFile::new(2 * CHUNK as u64, Short);
        assert!(matches!(
            files.put_file("file", short).await,
            Err(FileError::Truncated)
        ));
        assert_eq!(read(&files, "file").await.unwrap(), "old");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_pipe_is_not_waited_for() {
        let base = tempfile::tempdir().unwrap();
        // A socket stands for everything that is no regular file and needs no system call here.
        let _socket = std::os::unix::net::UnixListener::bind(base.path().join("s")).unwrap();
        let files = DirectoryFiles::new(base.path()).unwrap();
        assert!(matches!(read(&files, "s").await, Err(FileError::NotFound)));
    }
}
