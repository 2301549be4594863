use std::time::Duration;

/// Options of a transfer (RFC 2347), as asked for or as agreed.
///
/// An option that is none is not spoken of. Unknown options are passed over on read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TftpOptions {
    /// Bytes per packet, 8 to 65464 (RFC 2348).
    pub blksize: Option<u16>,
    /// Seconds until the sender repeats, 1 to 255 (RFC 2349).
    pub timeout: Option<u8>,
    /// Size of the file in bytes; 0 in a request asks for it (RFC 2349).
    pub tsize: Option<u64>,
    /// Packets in a row before an acknowledgement, 1 to 65535 (RFC 7440).
    pub windowsize: Option<u16>,
}

pub(crate) const DEFAULT_BLKSIZE: u16 = 512;
const BLKSIZE: std::ops::RangeInclusive<u16> = 8..=65464;

impl TftpOptions {
    /// Asks for nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells whether nothing is asked for or agreed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    // A value out of range is as if the option were not there (RFC 2347: a server may ignore it).
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match name.to_ascii_lowercase().as_str() {
            "blksize" => self.blksize = number(value).filter(|size| BLKSIZE.contains(size)),
            "timeout" => self.timeout = number(value).filter(|seconds| *seconds > 0),
            "tsize" => self.tsize = number(value),
            "windowsize" => self.windowsize = number(value).filter(|size| *size > 0),
            _ => {}
        }
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("blksize", self.blksize.map(|value| value.to_string())),
            ("timeout", self.timeout.map(|value| value.to_string())),
            ("tsize", self.tsize.map(|value| value.to_string())),
            ("windowsize", self.windowsize.map(|value| value.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
            .map(|seconds| Duration::from_secs(seconds.into()))
    }
}

/// The most that a sender agrees to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TransferLimits {
    /// Largest packet content in bytes; default 1468, the most that fits an Ethernet frame.
    pub blksize: u16,
    /// Most packets in a row; default 64.
    pub windowsize: u16,
}

impl Default for TransferLimits {
    fn default() -> Self {
        Self {
            blksize: 1468,
            windowsize: 64,
        }
    }
}

impl TransferLimits {
    /// Makes limits; values out of the options' ranges are brought into them.
    pub fn new(blksize: u16, windowsize: u16) -> Self {
        Self {
            blksize: blksize.clamp(*BLKSIZE.start(), *BLKSIZE.end()),
            windowsize: windowsize.max(1),
        }
    }

    /// Agrees to a request's options, as far as the limits go.
    pub(crate) fn agree(&self, asked: &TftpOptions, size: Option<u64>) -> TftpOptions {
        TftpOptions {
            blksize: asked.blksize.map(|size| size.min(self.blksize)),
            timeout: asked.timeout,
            tsize: asked.tsize.and(size),
            windowsize: asked.windowsize.map(|size| size.min(self.windowsize)),
        }
    }
}

fn number<T: std::str::FromStr>(value: &str) -> Option<T> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().ok()).flatten()
}
