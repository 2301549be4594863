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
