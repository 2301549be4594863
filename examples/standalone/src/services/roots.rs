//! The folders of boot files, and the boot loaders in them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::states::InterfaceKind;
use ironic_pxe::BootInterface;
use ironic_pxe::boot::BootConfig;
use ironic_pxe::files::{DirectoryFiles, FileError, FileSource, FileStore, OpenFile};

use super::ServiceError;
use crate::config::{BootSection, DriverSettings};

const LOADERS: &str = "[boot] loader_file_paths";

/// Where boot files are: what TFTP serves, and what HTTP serves.
#[derive(Clone)]
pub(crate) struct Roots {
    pub(crate) tftp: Arc<dyn FileStore>,
    pub(crate) http: Arc<dyn FileStore>,
}

/// A store as it is shared, for those who want a source of their own.
pub(super) struct SharedFiles(pub(super) Arc<dyn FileStore>);

#[async_trait]
impl FileSource for SharedFiles {
    async fn open(&self, path: &str, peer: Option<SocketAddr>) -> Result<OpenFile, FileError> {
        self.0.open(path, peer).await
    }
}

impl Roots {
    /// The folders of the settings, made when they are not there.
    pub(super) fn folders(config: &BootConfig) -> Result<Self, ServiceError> {
        Ok(Self {
            tftp: folder("[boot] tftp_root", &config.tftp_root)?,
            http: folder("[boot] http_root", &config.http_root)?,
        })
    }

    /// Copies boot loaders to where machines load them from.
    pub(super) async fn place_loaders(&self, settings: &BootSection) -> Result<(), ServiceError> {
        for (name, path) in settings.loader_file_paths.as_deref().into_iter().flatten() {
            for root in [&self.tftp, &self.http] {
                let failed = |error: FileError| ServiceError::path(LOADERS, path, &error);
                let file = open(path).await?;
                root.put_file(name, file).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Says in the log which boot loaders are missing that nodes may come to need.
    pub(super) async fn report_missing(&self, config: &BootConfig, drivers: &DriverSettings) {
        let enabled = drivers.enabled(InterfaceKind::Boot);
        for kind in BootInterface::ALL {
            if enabled.is_some_and(|names| !names.iter().any(|name| name == kind.name())) {
                continue;
            }
            let root = if kind.is_http_boot() {
                &self.http
            } else {
                &self.tftp
            };
            let loaders = if kind.is_ipxe() {
                [&config.ipxe_bootfile_name, &config.uefi_ipxe_bootfile_name]
            } else {
                [&config.pxe_bootfile_name, &config.uefi_pxe_bootfile_name]
            };
            for loader in loaders {
                if let Err(FileError::NotFound) = root.open(loader, None).await {
                    tracing::warn!(
                        boot_interface = kind.name(),
                        loader,
                        "the boot loader is not there; [boot] loader_file_paths can bring it"
                    );
                }
            }
        }
    }
}

fn folder(setting: &'static str, path: &str) -> Result<Arc<dyn FileStore>, ServiceError> {
    let failed = |error| ServiceError::path(setting, path, &error);
    std::fs::create_dir_all(path).map_err(failed)?;
    Ok(Arc::new(DirectoryFiles::new(path).map_err(failed)?))
}

async fn open(path: &str) -> Result<OpenFile, ServiceError> {
    // Packages link one name to another; what is copied is what stands at the end.
    let real = Path::new(path).canonicalize();
    let real = real.map_err(|error| ServiceError::path(LOADERS, path, &error))?;
    let (Some(folder), Some(name)) = (real.parent(), real.file_name().and_then(|n| n.to_str()))
    else {
        return Err(ServiceError::path(LOADERS, path, &"it is no file"));
    };
    let files = DirectoryFiles::new(folder);
    let files = files.map_err(|error| ServiceError::path(LOADERS, path, &error))?;
    let file = files.open(name, None).await;
    file.map_err(|error| ServiceError::path(LOADERS, path, &error))
}
