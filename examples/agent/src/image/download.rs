use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::AUTHORIZATION;
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout};

use super::ImageInfo;
use super::checksum::{Algorithm, Hasher, find, is_url};
use crate::api::read_at_most;
use crate::fault::{Fault, FaultKind};
use crate::hardware::Disk;
use crate::journal::Journal;

/// How much is hashed and written at once, in bytes.
const CHUNK: usize = 1 << 20;
/// Longest checksum file, in bytes.
const MOST_SUMS: usize = 1 << 20;

/// Brings images onto disks.
pub(crate) struct Downloader<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) journal: &'a Journal,
    /// Longest silence.
    pub(crate) timeout: Duration,
    /// Repetitions after a failure.
    pub(crate) retries: u32,
    /// Pause before each.
    pub(crate) pause: Duration,
    /// Limit of the whole; zero is none.
    pub(crate) limit: Duration,
    pub(crate) md5_enabled: bool,
}

struct Expected {
    algorithm: Algorithm,
    value: String,
}

fn fault(kind: FaultKind, image: &str, what: impl std::fmt::Display) -> Fault {
    Fault::new(kind, format!("image {image}: {what}"))
}

impl Downloader<'_> {
    /// Writes the image to the disk while it comes in; begins again after a lost connection or a
    /// wrong checksum. Returns its length in bytes.
    ///
    /// # Errors
    /// The `Image…` faults.
    pub(crate) async fn run(&self, image: &ImageInfo, disk: &dyn Disk) -> Result<u64, Fault> {
        let work = self.attempts(image, disk);
        if self.limit.is_zero() {
            return work.await;
        }
        timeout(self.limit, work).await.unwrap_or_else(|_| {
            Err(fault(
                FaultKind::ImageDownloadTimeoutError,
                &image.id,
                format!("took longer than {} s", self.limit.as_secs()),
            ))
        })
    }

    async fn attempts(&self, image: &ImageInfo, disk: &dyn Disk) -> Result<u64, Fault> {
        let mut attempt = 0;
        loop {
            let error = match self.attempt(image, disk).await {
                Ok(len) => return Ok(len),
                Err(error) => error,
            };
            if attempt == self.retries || !error.is_retryable() {
                return Err(error);
            }
            attempt += 1;
            self.journal.warn(&format!(
                "{error}; repetition {attempt} of {} follows",
                self.retries
            ));
            tokio::time::sleep(self.pause).await;
        }
    }

    async fn attempt(&self, image: &ImageInfo, disk: &dyn Disk) -> Result<u64, Fault> {
        let expected = self.expected(image).await?;
        let mut failed = Vec::new();
        for url in &image.urls {
            match self.open(image, url).await {
                Ok(response) => return self.write(image, response, expected, disk).await,
                Err(error) if error.is_retryable() => failed.push(error.details),
                Err(error) => return Err(error),
            }
        }
        Err(fault(
            FaultKind::ImageDownloadError,
            &image.id,
            failed.join("; "),
        ))
    }

    async fn open(&self, image: &ImageInfo, url: &str) -> Result<Response, Fault> {
        let mut request = self.http.get(url);
        if let Some(authorization) = &image.authorization {
            request = request.header(AUTHORIZATION, authorization.expose());
        }
        let broken = |what: String| fault(FaultKind::ImageDownloadError, &image.id, what);
        let response = timeout(self.timeout, request.send())
            .await
            .map_err(|_| broken(format!("no answer in {} s", self.timeout.as_secs())))?
            .map_err(|error| broken(describe(&error)))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status if status.is_server_error() => Err(broken(format!("the server says {status}"))),
            status => Err(fault(
                FaultKind::ImageDownloadFatalError,
                &image.id,
                format!("the server says {status}"),
            )),
        }
    }

    /// The checksum to reach, fetched first where it stands elsewhere.
    async fn expected(&self, image: &ImageInfo) -> Result<Expected, Fault> {
        let checksum = &image.checksum;
        let broken = |what: &str| fault(FaultKind::ImageDownloadError, &image.id, what);
        let value = if is_url(&checksum.value) {
            let response = self.open(image, &checksum.value).await?;
            let body = timeout(self.timeout, read_at_most(response, MOST_SUMS))
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or_else(|| broken("the checksum file did not arrive"))?;
            find(&String::from_utf8_lossy(&body), file_name(image))
                .ok_or_else(|| broken("the checksum file does not have the image"))?
        } else {
            checksum.value.clone()
        };
        let algorithm = checksum
            .algorithm
            .or_else(|| Algorithm::by_length(value.len()))
            .filter(|algorithm| *algorithm != Algorithm::Md5 || self.md5_enabled)
            .ok_or_else(|| {
                let what = "the checksum is MD5, which is disabled";
                fault(FaultKind::ImageDownloadFatalError, &image.id, what)
            })?;
        Ok(Expected { algorithm, value })
    }

    async fn write(
        &self,
        image: &ImageInfo,
        mut response: Response,
        expected: Expected,
        disk: &dyn Disk,
    ) -> Result<u64, Fault> {
        let announced = response.content_length();
        if announced.is_some_and(|len| len > disk.size()) {
            return Err(too_large(image, disk));
        }
        let mut writer = Writer {
            image,
            disk,
            hasher: Hasher::new(expected.algorithm),
            offset: 0,
        };
        let mut progress = Progress::new(announced);
        let mut buffer = BytesMut::with_capacity(CHUNK);
        let broken = |what: String| fault(FaultKind::ImageDownloadError, &image.id, what);
        loop {
            let chunk = timeout(self.timeout, response.chunk())
                .await
                .map_err(|_| broken(format!("silent for {} s", self.timeout.as_secs())))?
                .map_err(|error| broken(describe(&error)))?;
            let Some(chunk) = chunk else { break };
            buffer.extend_from_slice(&chunk);
            while buffer.len() >= CHUNK {
                writer.put(buffer.split_to(CHUNK).freeze()).await?;
            }
            if let Some(percent) = progress.at(writer.offset) {
                self.journal
                    .info(&format!("image {}: {percent} % written", image.id));
            }
        }
        writer.put(buffer.freeze()).await?;
        if announced.is_some_and(|len| len != writer.offset) {
            return Err(broken("the connection ended early".to_owned()));
        }
        let found = writer.hasher.finish();
        if !found.eq_ignore_ascii_case(&expected.value) {
            return Err(fault(
                FaultKind::ImageChecksumError,
                &image.id,
                format!("checksum {found} instead of {}", expected.value),
            ));
        }
        disk.sync()
            .await
            .map_err(|error| fault(FaultKind::ImageWriteError, &image.id, error))?;
        self.journal.info(&format!(
            "image {}: {} bytes written in {:.1} s",
            image.id,
            writer.offset,
            progress.started.elapsed().as_secs_f64()
        ));
        Ok(writer.offset)
    }
}

struct Writer<'a> {
    image: &'a ImageInfo,
    disk: &'a dyn Disk,
    hasher: Hasher,
    offset: u64,
}

impl Writer<'_> {
    /// Hashes and writes at the same time, both away from the reactor.
    async fn put(&mut self, data: Bytes) -> Result<(), Fault> {
        let len = data.len() as u64;
        if self.offset + len > self.disk.size() {
            return Err(too_large(self.image, self.disk));
        }
        let write_error = |error: &dyn std::fmt::Display| {
            fault(FaultKind::ImageWriteError, &self.image.id, error)
        };
        let (mut hasher, copy) = (self.hasher.clone(), data.clone());
        let hashing = tokio::task::spawn_blocking(move || {
            hasher.update(&copy);
            hasher
        });
        self.disk
            .write_at(self.offset, data)
            .await
            .map_err(|error| write_error(&error))?;
        self.hasher = hashing.await.map_err(|error| write_error(&error))?;
        self.offset += len;
        Ok(())
    }
}

fn too_large(image: &ImageInfo, disk: &dyn Disk) -> Fault {
    fault(
        FaultKind::ImageDownloadOutofSpaceError,
        &image.id,
        format!("larger than the disk's {} bytes", disk.size()),
    )
}

/// Tells every tenth of a download of known length.
struct Progress {
    started: Instant,
    total: Option<u64>,
    told: u64,
}

impl Progress {
    fn new(total: Option<u64>) -> Self {
        Self {
            started: Instant::now(),
            total: total.filter(|total| *total > 0),
            told: 0,
        }
    }

    fn at(&mut self, offset: u64) -> Option<u64> {
        let tenths = offset.saturating_mul(10) / self.total?;
        (tenths > self.told).then(|| {
            self.told = tenths;
            tenths * 10
        })
    }
}

/// The last part of the image's path, by which checksum files know it.
fn file_name(image: &ImageInfo) -> &str {
    let url = image.urls.first().map_or("", String::as_str);
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

/// An error with its causes but without the URL, which may carry a signature.
fn describe(error: &reqwest::Error) -> String {
    let mut text = if error.is_connect() {
        "no connection".to_owned()
    } else if error.is_body() || error.is_decode() {
        "the connection broke".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
