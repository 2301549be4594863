//! Kernels and ramdisks, from files of this machine and from HTTP servers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use ironic_core::Error;
use ironic_core::image::{HttpUrl, ImageRef};
use ironic_pxe::files::{DirectoryFiles, FileError, FileReader, FileSource, OpenFile};
use ironic_pxe::{BootImages, ServedImages};

use super::ServiceError;
use crate::config::BootSection;

/// Where operators keep images, as the original has it.
const DEFAULT_FOLDER: &str = "/var/lib/ironic";
const LIMIT_MIB: u32 = 4096;
const TIMEOUT: Duration = Duration::from_secs(1800);
/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Images in folders that the settings name, in files that this host serves itself, and on HTTP
/// servers.
#[derive(Debug)]
pub(super) struct HostImages {
    local: ServedImages,
    http: reqwest::Client,
    /// The largest image that is fetched, in bytes.
    limit: u64,
}

impl HostImages {
    pub(super) fn new(
        settings: &BootSection,
        http_url: &str,
        own: Arc<dyn FileSource>,
    ) -> Result<Self, ServiceError> {
        let mut local = ServedImages::new();
        if !http_url.is_empty() {
            local = local.with(http_url, own);
        }
        match settings.file_url_allowed_paths.as_deref() {
            Some(folders) => {
                for folder in folders {
                    let files = DirectoryFiles::new(folder).map_err(|error| {
                        ServiceError::path("[boot] file_url_allowed_paths", folder, &error)
                    })?;
                    local = local.with(&format!("file://{folder}"), Arc::new(files));
                }
            }
            None => {
                if let Ok(files) = DirectoryFiles::new(DEFAULT_FOLDER) {
                    local = local.with(&format!("file://{DEFAULT_FOLDER}"), Arc::new(files));
                }
            }
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(PATIENCE)
            .read_timeout(PATIENCE)
            .timeout(settings.image_timeout.map_or(TIMEOUT, |time| time.0))
            .build()
            .map_err(|error| Error::internal(format!("no HTTP client for images: {error}")))?;
        let limit = settings.image_limit_mib.unwrap_or(LIMIT_MIB);
        Ok(Self {
            local,
            http,
            limit: u64::from(limit) << 20,
        })
    }

    async fn fetch(&self, url: &HttpUrl) -> Result<OpenFile, Error> {
        let failed = |error: reqwest::Error| Error::Unreachable {
            what: format!("image {url}"),
            message: causes(&error.without_url()),
        };
        let answer = self.http.get(url.as_str()).send().await.map_err(failed)?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(Error::Unreachable {
                what: format!("image {url}"),
                message: format!("the server answers {status}"),
            });
        }
        let refused = |why: String| Error::invalid(format!("image {url} cannot be had: {why}"));
        if !status.is_success() {
            return Err(refused(format!("the server answers {status}")));
        }
        // Known before anything is written, so that a disk is not filled by what has no end.
        let size = answer
            .content_length()
            .ok_or_else(|| refused("the server does not say how large it is".to_owned()))?;
        if size > self.limit {
            let most = self.limit >> 20;
            return Err(refused(format!(
                "it has {size} bytes, and [boot] image_limit_mib allows {most} MiB"
            )));
        }
        let download = Download {
            answer,
            position: 0,
            rest: Bytes::new(),
        };
        Ok(OpenFile::new(size, download))
    }
}

#[async_trait]
impl BootImages for HostImages {
    fn serves(&self, href: &str) -> bool {
        self.local.serves(href) || matches!(href.parse(), Ok(ImageRef::Http(_)))
    }

    async fn open(&self, href: &str) -> Result<OpenFile, Error> {
        match href.parse() {
            Ok(ImageRef::Http(url)) if !self.local.serves(href) => self.fetch(&url).await,
            // It also has the words for references that nobody serves.
            _ => self.local.open(href).await,
        }
    }
}

/// An image on its way; read from its start to its end, once.
struct Download {
    answer: reqwest::Response,
    position: u64,
    /// What has arrived and was not asked for yet.
    rest: Bytes,
}

#[async_trait]
impl FileReader for Download {
    async fn read_at(&mut self, offset: u64, length: usize) -> Result<Bytes, FileError> {
        if offset != self.position {
            return Err(std::io::Error::other("a download is read in order").into());
        }
        let mut content = Vec::with_capacity(length.min(1 << 20));
        while content.len() < length {
            if self.rest.is_empty() {
                let arrived = self.answer.chunk().await;
                match arrived.map_err(|error| std::io::Error::other(error.without_url()))? {
                    Some(chunk) => self.rest = chunk,
                    None => break,
                }
            }
            let wanted = self.rest.len().min(length - content.len());
            content.extend_from_slice(&self.rest.split_to(wanted));
        }
        self.position += content.len() as u64;
        Ok(content.into())
    }
}

/// What went wrong, down to the bottom of it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ironic_core::ErrorKind;
    use ironic_pxe::files::{FileSink, MemoryFiles};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A server of images, some of which nobody should take.
    async fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
        url
    }

    async fn answer(stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut asked = String::new();
        stream.read_line(&mut asked).await.unwrap();
        let mut line = String::from("a header");
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
        }
        let path = asked.split([' ', '?']).nth(1).unwrap();
        let (head, body) = match path {
            "/kernel" => ("200 OK\r\nContent-Length: 3145728", vec![7; 3 << 20]),
            "/large" => ("200 OK\r\nContent-Length: 4194305", Vec::new()),
            "/endless" => ("200 OK\r\nTransfer-Encoding: chunked", Vec::new()),
            "/short" => ("200 OK\r\nContent-Length: 100", vec![7; 99]),
            "/ill" => ("502 Bad Gateway\r\nContent-Length: 0", Vec::new()),
            _ => ("404 Not Found\r\nContent-Length: 0", Vec::new()),
        };
        let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever does not want the content hangs up.
        let _ = stream.write_all(&body).await;
    }

    fn images(folder: &Path) -> HostImages {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = BootSection {
            file_url_allowed_paths: Some([folder.display().to_string()].into_iter().collect()),
            image_limit_mib: Some(4),
            ..BootSection::default()
        };
        let own = MemoryFiles::new();
        own.insert("kernel", "own").unwrap();
        // Nobody listens there: what is at hand is not fetched.
        HostImages::new(&settings, "http://127.0.0.1:9", Arc::new(own)).unwrap()
    }

    #[tokio::test]
    async fn an_image_arrives_whole_or_not_at_all() {
        let (folder, url) = (tempfile::tempdir().unwrap(), server().await);
        let images = images(folder.path());
        let files = DirectoryFiles::new(folder.path()).unwrap();
        let file = images.open(&format!("{url}/kernel")).await.unwrap();
        files.put_file("placed", file).await.unwrap();
        let placed = std::fs::read(folder.path().join("placed")).unwrap();
        assert_eq!(placed, vec![7; 3 << 20]);

        let file = images.open(&format!("{url}/short")).await.unwrap();
        assert!(files.put_file("short", file).await.is_err());
        assert!(!folder.path().join("short").exists());
    }

    #[tokio::test]
    async fn what_is_not_had_is_told_apart_and_nothing_secret_is_said() {
        let (folder, url) = (tempfile::tempdir().unwrap(), server().await);
        let images = images(folder.path());
        for (path, kind, words) in [
            ("large", ErrorKind::InvalidParameter, "image_limit_mib"),
            ("endless", ErrorKind::InvalidParameter, "how large"),
            ("nothing", ErrorKind::InvalidParameter, "404"),
            ("ill", ErrorKind::Unreachable, "502"),
        ] {
            let href = format!("{}/{path}?sig=hunter2", url.replace("//", "//me:hunter2@"));
            assert!(images.serves(&href));
            let error = images.open(&href).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            let said = error.to_string();
            assert!(said.contains(words) && !said.contains("hunter2"), "{said}");
        }
        // A port where nobody listens.
        let error = images.open("http://me:hunter2@127.0.0.1:1/k").await;
        let error = error.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn files_are_read_from_the_folders_that_are_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let (allowed, root) = (folder.path().join("allowed"), folder.path());
        std::fs::create_dir(&allowed).unwrap();
        std::fs::write(allowed.join("kernel"), "kernel").unwrap();
        std::fs::write(root.join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(root.join("secret"), allowed.join("link")).unwrap();
        let images = images(&allowed);
        let root = root.display();
        let href = format!("file://{root}/allowed/kernel");
        assert_eq!(images.open(&href).await.unwrap().size(), 6);
        for path in ["secret", "allowed/../secret", "allowed/link", "allowedx"] {
            let href = format!("file://{root}/{path}");
            assert!(images.open(&href).await.is_err(), "{path}");
        }
        assert!(!images.serves(&format!("file://{root}/secret")));
        assert!(!images.serves("file:///etc/shadow"));
        let own = images.open("http://127.0.0.1:9/kernel").await.unwrap();
        assert_eq!(own.size(), 3);
    }
}
