use bytes::Bytes;

use super::{FileError, FileSink};
use crate::boot::{BootConfig, BootFile, BootPlan, Root};

impl BootPlan {
    /// Removes and writes the plan's files: paths below either root go to that root's sink.
    ///
    /// # Errors
    ///
    /// When a path is below neither root, or a sink fails; what was done before stays done, and
    /// the call may be repeated.
    pub async fn write_files(
        &self,
        config: &BootConfig,
        tftp: &dyn FileSink,
        http: &dyn FileSink,
    ) -> Result<(), FileError> {
        let sinks = [
            (config.root(Root::Tftp), tftp),
            (config.root(Root::Http), http),
        ];
        let find = |path: &str| {
            sinks
                .iter()
                .find_map(|(root, sink)| {
                    let below = path.strip_prefix(root.trim_end_matches('/'))?;
                    Some((*sink, below.strip_prefix('/')?.to_owned()))
                })
                .ok_or(FileError::Forbidden)
        };
        for path in &self.removed {
            let (sink, path) = find(path)?;
            sink.remove(&path).await?;
        }
        for path in &self.removed_folders {
            let (sink, path) = find(path)?;
            sink.remove_folder(&path).await?;
        }
        for (path, file) in &self.files {
            let (sink, path) = find(path)?;
            match file {
                BootFile::Text(text) => sink.put(&path, Bytes::from(text.clone())).await?,
                BootFile::Symlink(target) => sink.link(&path, target).await?,
            }
        }
        Ok(())
    }
}
