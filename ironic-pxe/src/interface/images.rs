use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::image::ImageRef;
use ironic_core::model::JsonMap;

use super::error::file_error;
use crate::files::{FileError, FileSource, OpenFile};

/// Has the kernels and ramdisks that nodes name.
///
/// # Contract
///
/// - All methods only read, may be repeated, and may be dropped at any point without a trace.
/// - `serves` answers at once, without I/O; `open` ends by itself: waiting is bounded.
/// - An error's text holds nothing of a reference that may be secret: users, passwords, queries.
#[async_trait]
pub trait BootImages: Send + Sync + 'static {
    /// Tells whether images of this sort of reference are had at all.
    fn serves(&self, _href: &str) -> bool {
        true
    }

    /// Opens an image.
    ///
    /// # Errors
    ///
    /// When it is not there or can not be read.
    async fn open(&self, href: &str) -> Result<OpenFile, Error>;

    /// Returns what an image service knows of an instance's image: `kernel_id`, `ramdisk_id`, …
    ///
    /// Asked of references into an image service only.
    ///
    /// # Errors
    ///
    /// When the service does not answer or has no such image.
    async fn properties(&self, _href: &str) -> Result<JsonMap, Error> {
        Ok(JsonMap::new())
    }
}

/// Images in files that are at hand, by the addresses that nodes name them with.
///
/// ```
/// use std::sync::Arc;
/// use ironic_pxe::files::MemoryFiles;
/// use ironic_pxe::{BootImages, ServedImages};
///
/// let files = MemoryFiles::new();
/// files.insert("images/kernel", "…")?;
/// let images = ServedImages::new().with("http://192.0.2.3:8088", Arc::new(files));
/// assert!(images.serves("http://192.0.2.3:8088/images/kernel"));
/// assert!(!images.serves("http://192.0.2.3:80889/images/kernel"));
/// # Ok::<(), ironic_pxe::files::FileError>(())
/// ```
#[derive(Clone, Default)]
pub struct ServedImages {
    sources: Vec<(String, Arc<dyn FileSource>)>,
}

impl ServedImages {
    /// Makes a set of no images.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the files whose addresses begin with this one, such as `http://192.0.2.3:8088` or
    /// `file:///srv/images`. Of several that fit, the first added counts.
    #[must_use]
    pub fn with(mut self, address: &str, files: Arc<dyn FileSource>) -> Self {
        let address = address.trim_end_matches('/').to_owned();
        self.sources.push((address, files));
        self
    }

    fn find<'a>(&self, href: &'a str) -> Option<(&dyn FileSource, &'a str)> {
        self.sources.iter().find_map(|(address, files)| {
            let below = href.strip_prefix(address.as_str())?.strip_prefix('/')?;
            Some((files.as_ref(), below))
        })
    }
}

#[async_trait]
impl BootImages for ServedImages {
    fn serves(&self, href: &str) -> bool {
        self.find(href).is_some()
    }

    async fn open(&self, href: &str) -> Result<OpenFile, Error> {
        let (files, path) = self.find(href).ok_or_else(|| unknown(href))?;
        files.open(path, None).await.map_err(|error| match error {
            FileError::NotFound | FileError::Forbidden => {
                Error::invalid(format!("image {} is not there", shown(href)))
            }
            error => file_error("images", &format!("image {}", shown(href)), &error),
        })
    }
}

pub(super) fn unknown(href: &str) -> Error {
    Error::invalid(format!(
        "image {} is at none of the addresses that images are had from",
        shown(href)
    ))
}

/// An image reference without what may be secret in it.
fn shown(href: &str) -> String {
    match href.parse::<ImageRef>() {
        Ok(image) => image.to_string(),
        // Whatever this is, it is not known where its secrets would be.
        Err(_) => "of a reference that is no URL".to_owned(),
    }
}

impl std::fmt::Debug for ServedImages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let addresses = self.sources.iter().map(|(address, _)| shown(address));
        f.debug_list().entries(addresses).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;

    #[tokio::test]
    async fn images_are_found_by_their_addresses_and_nothing_secret_is_said() {
        let files = MemoryFiles::new();
        files.insert("k", "kernel").unwrap();
        let images = ServedImages::new()
            .with("http://host/", Arc::new(files.clone()))
            .with("file:///srv", Arc::new(files));
        for href in ["http://host/k", "file:///srv/k"] {
            assert_eq!(images.open(href).await.unwrap().size(), 6, "{href}");
        }
        for href in [
            "http://host/other?sig=hunter2",
            "http://host/../k?sig=hunter2",
            "http://user:hunter2@elsewhere/k",
            "hunter2",
        ] {
            let error = images.open(href).await.unwrap_err();
            assert_eq!(error.kind(), ironic_core::ErrorKind::InvalidParameter);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
