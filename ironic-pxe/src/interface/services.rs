use std::fmt;
use std::sync::Arc;

use ironic_core::Error;

use super::error::file_error;
use super::{BootImages, DhcpHosts, NoDhcp, ServedImages};
use crate::boot::{BootConfig, BootPlan, Root, common_files};
use crate::files::FileStore;

/// Where the boot interfaces put things and whom they tell; clones share it.
#[derive(Clone)]
#[must_use = "boot interfaces are made of it"]
pub struct BootServices {
    pub(super) config: Arc<BootConfig>,
    pub(super) images: Arc<dyn BootImages>,
    pub(super) dhcp: Arc<dyn DhcpHosts>,
    tftp: Arc<dyn FileStore>,
    http: Arc<dyn FileStore>,
}

impl BootServices {
    /// Makes services of the files that TFTP serves and of those that HTTP serves.
    ///
    /// Images are had from the latter, and DHCP is told nothing, unless said otherwise.
    pub fn new(config: BootConfig, tftp: Arc<dyn FileStore>, http: Arc<dyn FileStore>) -> Self {
        let mut images = ServedImages::new();
        if !config.http_url.is_empty() {
            images = images.with(&config.http_url, http.clone());
        }
        Self {
            config: Arc::new(config),
            images: Arc::new(images),
            dhcp: Arc::new(NoDhcp),
            tftp,
            http,
        }
    }

    /// Sets where kernels and ramdisks are had from.
    pub fn with_images(mut self, images: Arc<dyn BootImages>) -> Self {
        self.images = images;
        self
    }

    /// Sets the DHCP service.
    pub fn with_dhcp(mut self, dhcp: Arc<dyn DhcpHosts>) -> Self {
        self.dhcp = dhcp;
        self
    }

    /// Returns the settings.
    pub fn config(&self) -> &BootConfig {
        &self.config
    }

    /// Puts the files in place that belong to no node.
    ///
    /// Every preparation does so too; a host that calls this before machines boot lets those that
    /// nothing is prepared for find that out quickly.
    ///
    /// # Errors
    ///
    /// When a template does not render or a file can not be written.
    pub async fn place_common_files(&self) -> Result<(), Error> {
        let plan = BootPlan {
            files: common_files(&self.config)?,
            ..BootPlan::default()
        };
        self.write("boot", &plan).await
    }

    pub(super) fn store(&self, root: Root) -> &dyn FileStore {
        match root {
            Root::Tftp => &*self.tftp,
            Root::Http => &*self.http,
        }
    }

    pub(super) async fn write(&self, interface: &str, plan: &BootPlan) -> Result<(), Error> {
        plan.write_files(&self.config, &*self.tftp, &*self.http)
            .await
            .map_err(|error| file_error(interface, "boot files", &error))
    }
}

impl fmt::Debug for BootServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootServices")
            .field("http_url", &self.config.http_url)
            .field("tftp_server", &self.config.tftp_server)
            .finish_non_exhaustive()
    }
}
