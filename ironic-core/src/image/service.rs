use async_trait::async_trait;

use super::{ImageError, ImageRef};

/// What a server says about an image without sending it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImageMeta {
    /// Its size in bytes, if the server says so.
    pub size: Option<u64>,
    /// The server's mark for this state of the image (RFC 9110 §8.8.3), as it was sent.
    pub etag: Option<String>,
    /// When the image changed last (RFC 9110 §8.8.2), as it was sent.
    pub last_modified: Option<String>,
}

impl ImageMeta {
    /// What a server says that says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the size in bytes.
    #[must_use]
    pub fn with_size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Sets the mark of the image's state.
    #[must_use]
    pub fn with_etag(mut self, etag: impl Into<String>) -> Self {
        self.etag = Some(etag.into());
        self
    }

    /// Sets when the image changed last.
    #[must_use]
    pub fn with_last_modified(mut self, last_modified: impl Into<String>) -> Self {
        self.last_modified = Some(last_modified.into());
        self
    }

    /// Whether both are certainly of the same state of an image: their marks are equal, or, where there are
    /// none, size and time of change are.
    pub fn is_same_state(&self, other: &Self) -> bool {
        match (&self.etag, &other.etag) {
            (Some(a), Some(b)) => a == b,
            (None, None) => {
                self.size == other.size
                    && self.last_modified.is_some()
                    && self.last_modified == other.last_modified
            }
            _ => false,
        }
    }
}

/// Asks the servers that have images; the images themselves are fetched by the agents.
///
/// # Contract
///
/// - Who calls: a host that wants to know about an image before it deploys it. The engine itself
///   calls neither method: it passes references on to agents.
/// - Both methods only read, may be repeated, and may be dropped at any point without a trace. No
///   lock is needed, and nothing is left to recover after a crash.
/// - Each ends by itself: an implementation bounds connecting, waiting and redirects in time and number,
///   and answers [`ImageError::Timeout`] or [`ImageError::Unreachable`].
/// - A reference of a sort that the implementation does not serve is [`ImageError::UnsupportedScheme`], without I/O.
/// - Nothing secret in a reference reaches an error's text: errors name images by their `Display` form.
/// - Concurrent calls do not wait for each other.
///
/// **Checked by** no suite.
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::image::{ImageError, ImageMeta, ImageRef, ImageService};
///
/// /// Knows what its images are like without asking anybody.
/// struct Catalogue;
///
/// #[async_trait]
/// impl ImageService for Catalogue {
///     async fn head(&self, _image: &ImageRef) -> Result<ImageMeta, ImageError> {
///         Ok(ImageMeta::new().with_size(3 << 30))
///     }
///
///     async fn checksum_file(&self, _file: &ImageRef) -> Result<String, ImageError> {
///         Ok("d8e8fca2dc0f896fd7cb4cb0031ba249  image.raw\n".to_owned())
///     }
/// }
/// ```
#[async_trait]
pub trait ImageService: Send + Sync + 'static {
    /// Asks whether the image is there, and about its size and state.
    ///
    /// # Errors
    ///
    /// [`ImageError::NotFound`] if it is not there; [`ImageError::Refused`] for any other answer than a plain yes.
    async fn head(&self, image: &ImageRef) -> Result<ImageMeta, ImageError>;

    /// Fetches a file of checksums as text. A file of more than one MiB, or one that is not UTF-8, is
    /// [`ImageError::InvalidChecksum`]: no more than that is read.
    ///
    /// # Errors
    ///
    /// As for [`head`](Self::head), and for a file that is no file of checksums.
    async fn checksum_file(&self, file: &ImageRef) -> Result<String, ImageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_the_same_only_if_certain() {
        let with = |etag: &str| ImageMeta::new().with_size(5).with_etag(etag);
        let changed = |time: &str| ImageMeta::new().with_size(5).with_last_modified(time);
        assert!(with("a").is_same_state(&with("a").with_last_modified("x")));
        assert!(!with("a").is_same_state(&with("b")));
        assert!(changed("x").is_same_state(&changed("x")));
        assert!(!changed("x").is_same_state(&changed("x").with_size(6)));
        assert!(!changed("x").is_same_state(&changed("y")));
        assert!(!with("a").is_same_state(&changed("x")));
        assert!(
            !ImageMeta::new()
                .with_size(5)
                .is_same_state(&ImageMeta::new().with_size(5))
        );
    }
}
