use bytes::Bytes;

use super::{FileError, FileSink};
use crate::boot::{BootConfig, BootFile, BootPlan, Root};

impl BootConfig {
    /// Says below which root a path stands, and its name there.
    pub(crate) fn root_of<'a>(&self, path: &'a str) -> Result<(Root, &'a str), FileError> {
        let mut roots = [Root::Tftp, Root::Http];
        // One may stand below the other.
        roots.sort_by_key(|root| std::cmp::Reverse(self.root(*root).len()));
        roots
            .into_iter()
            .find_map(|root| {
                let below = path.strip_prefix(self.root(root).trim_end_matches('/'))?;
                Some((root, below.strip_prefix('/')?))
            })
            .ok_or(FileError::Forbidden)
    }
}

impl BootPlan {
    /// Removes and writes the plan's files: paths below either root go to that root's sink.
    ///
    /// A configuration goes before the links to it and comes after them, so that wherever this
    /// stops, one that stands has its links.
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
        let find = |path| {
            config.root_of(path).map(|(root, path)| match root {
                Root::Tftp => (tftp, path),
                Root::Http => (http, path),
            })
        };
        for path in &self.removed_folders {
            let (sink, path) = find(path)?;
            sink.remove_folder(path).await?;
        }
        for path in &self.removed {
            let (sink, path) = find(path)?;
            sink.remove(path).await?;
        }
        for (path, file) in &self.files {
            if let BootFile::Symlink(target) = file {
                let (sink, path) = find(path)?;
                sink.link(path, target).await?;
            }
        }
        for (path, file) in &self.files {
            if let BootFile::Text(text) = file {
                let (sink, path) = find(path)?;
                sink.put(path, Bytes::from(text.clone())).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::BootInterface;
    use crate::boot::{
        BootConfig, BootNode, BootPort, BootRequest, RamdiskParams, clean_up_ramdisk,
        prepare_ramdisk,
    };
    use crate::files::{FileError, MemoryFiles};

    #[tokio::test]
    async fn what_is_prepared_is_found_and_what_is_cleaned_up_is_gone() {
        let config = BootConfig::default();
        let mut node = BootNode::new("uuid");
        for label in ["deploy_kernel", "deploy_ramdisk"] {
            node.driver_info
                .insert(label.into(), "http://images/x".into());
        }
        node.ports.push(BootPort::new("52:54:00:0A:0b:0d"));
        let addresses = ["192.0.2.77".to_owned()];
        for interface in BootInterface::ALL {
            let request = BootRequest::new(&config, &node, interface).with_ip_addresses(&addresses);
            let (tftp, http) = (MemoryFiles::new(), MemoryFiles::new());
            let plan = prepare_ramdisk(&request, &RamdiskParams::new()).unwrap();
            plan.write_files(&config, &tftp, &http).await.unwrap();
            for image in &plan.images {
                let (files, below) = match image.path.strip_prefix("/httpboot/") {
                    Some(below) => (&http, below),
                    None => (&tftp, image.path.strip_prefix("/tftpboot/").unwrap()),
                };
                files.insert(below, "image").unwrap();
            }
            let (files, link) = if interface.is_ipxe() {
                (&http, "pxelinux.cfg/52-54-00-0a-0b-0d")
            } else {
                (&tftp, "pxelinux.cfg/01-52-54-00-0a-0b-0d")
            };
            assert!(files.get(link).unwrap().starts_with(b"#!ipxe") == interface.is_ipxe());
            assert_eq!(
                files.get(link).unwrap(),
                files.get("52:54:00:0A:0b:0d.conf").unwrap()
            );

            let plan = clean_up_ramdisk(&request).unwrap();
            plan.write_files(&config, &tftp, &http).await.unwrap();
            assert_eq!(tftp.paths(), [""; 0], "{interface:?}");
            let left: &[&str] = if interface.is_ipxe() {
                &["boot.ipxe"]
            } else {
                &[]
            };
            assert_eq!(http.paths(), left, "{interface:?}");
        }
    }

    #[tokio::test]
    async fn a_path_below_neither_root_is_refused() {
        let mut plan = crate::boot::BootPlan::default();
        plan.removed.push("/tftpbootx/file".into());
        let files = MemoryFiles::new();
        let refused = plan
            .write_files(&BootConfig::default(), &files, &files)
            .await;
        assert!(matches!(refused, Err(FileError::Forbidden)));
    }
}
