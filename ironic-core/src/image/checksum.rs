use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::{ImageError, ImageRef};

/// A hash function of checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChecksumAlgorithm {
    /// MD5 (RFC 1321), broken; allowed only where a [`ChecksumPolicy`] says so.
    Md5,
    /// SHA-1 (FIPS 180-4).
    Sha1,
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
    /// SHA-512 (FIPS 180-4).
    Sha512,
}

impl ChecksumAlgorithm {
    const ALL: [Self; 6] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The name on the wire, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a digest in hexadecimal digits.
    pub fn hex_length(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// The algorithm that a bare digest of so many hexadecimal digits is taken to be of: MD5, SHA-256 or
    /// SHA-512. The others have to be named.
    pub fn by_length(digits: usize) -> Option<Self> {
        [Self::Md5, Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.hex_length() == digits)
    }
}

impl fmt::Display for ChecksumAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ChecksumAlgorithm {
    type Err = ImageError;

    /// Reads a name in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name));
        found.ok_or(ImageError::InvalidChecksum {
            reason: "unknown algorithm",
        })
    }
}

/// Which checksums an operator accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChecksumPolicy {
    /// Whether MD5 will do; true by default, as in the original.
    pub allow_md5: bool,
    /// Whether a checksum may be the URL of a file of checksums; true by default.
    pub allow_urls: bool,
}

impl Default for ChecksumPolicy {
    fn default() -> Self {
        Self {
            allow_md5: true,
            allow_urls: true,
        }
    }
}

impl ChecksumPolicy {
    /// Sets whether MD5 will do.
    #[must_use]
    pub fn with_md5(mut self, allow: bool) -> Self {
        self.allow_md5 = allow;
        self
    }

    /// Sets whether a checksum may be the URL of a file of checksums.
    #[must_use]
    pub fn with_urls(mut self, allow: bool) -> Self {
        self.allow_urls = allow;
        self
    }
}

/// What an image hashes to, and by which function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    hex: String,
}

impl Checksum {
    /// A checksum of hexadecimal digits in any case.
    ///
    /// # Errors
    ///
    /// [`ImageError::InvalidChecksum`] unless there are as many digits as the algorithm has.
    pub fn new(algorithm: ChecksumAlgorithm, hex: &str) -> Result<Self, ImageError> {
        if hex.len() != algorithm.hex_length() || !is_hex(hex) {
            return Err(ImageError::InvalidChecksum {
                reason: "not a digest of its algorithm",
            });
        }
        Ok(Self {
            algorithm,
            hex: hex.to_ascii_lowercase(),
        })
    }

    /// The hash function.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The digest in hexadecimal digits of lower case.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Finds an image's checksum in a file of checksums.
    ///
    /// Either the file is a single bare digest, or one of its lines has the image's file name, in the forms of
    /// `sha256sum` (`digest  name`, `digest *name`) or of BSD (`SHA256 (name) = digest`). Lines that start
    /// with `#` are comments. Only MD5, SHA-256 and SHA-512 are known, by their length.
    ///
    /// # Errors
    ///
    /// [`ImageError::NotInChecksumFile`], or [`ImageError::Md5NotAllowed`].
    pub fn find(file: &str, image: &ImageRef, policy: ChecksumPolicy) -> Result<Self, ImageError> {
        let name = image.file_name();
        let missing = || ImageError::NotInChecksumFile {
            file_name: name.to_owned(),
        };
        let mut lines = file.lines().map(str::trim).filter(|line| !line.is_empty());
        let digest = match (lines.next(), lines.next()) {
            (Some(only), None) if !only.contains(' ') => bare_digest(only),
            _ => file
                .lines()
                .map(str::trim)
                .find_map(|line| digest_of_line(line, name)),
        };
        let (algorithm, digest) = digest.ok_or_else(missing)?;
        Self::new(algorithm, digest)?.allowed(policy)
    }

    /// The checksum, if the policy allows its algorithm.
    fn allowed(self, policy: ChecksumPolicy) -> Result<Self, ImageError> {
        if self.algorithm == ChecksumAlgorithm::Md5 && !policy.allow_md5 {
            return Err(ImageError::Md5NotAllowed);
        }
        Ok(self)
    }
}

/// `algorithm:digest`.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

impl FromStr for Checksum {
    type Err = ImageError;

    /// Reads `algorithm:digest`, or a bare digest whose length says which algorithm it is of.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((algorithm, hex)) => Self::new(algorithm.parse()?, hex),
            None => {
                let algorithm = ChecksumAlgorithm::by_length(text.len()).ok_or(
                    ImageError::InvalidChecksum {
                        reason: "no algorithm has digests of this length",
                    },
                )?;
                Self::new(algorithm, text)
            }
        }
    }
}

/// What `instance_info` says an image must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedChecksum {
    /// This.
    Known(Checksum),
    /// What a file of checksums has for the image; see [`Checksum::find`].
    Listed(ImageRef),
    /// What the image's own service says, or what the conductor finds when it reads the file.
    FromSource,
}

impl ExpectedChecksum {
    /// Reads the members `image_os_hash_algo` and `image_os_hash_value`, which go together and come first, or else
    /// `image_checksum`: a digest, `algorithm:digest`, or the URL of a file of checksums. Null and an empty text
    /// are as good as absent.
    ///
    /// # Errors
    ///
    /// [`ImageError::MissingChecksum`] if only one of the pair is there, or none at all for an image whose
    /// source does not know its checksum; [`ImageError::InvalidChecksum`]; what the policy forbids.
    pub fn from_instance_info(
        info: &Map<String, Value>,
        image: &ImageRef,
        policy: ChecksumPolicy,
    ) -> Result<Self, ImageError> {
        let text = |name: &str| match info.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(ImageError::InvalidChecksum {
                reason: "not a text",
            }),
        };
        let missing = |field| ImageError::MissingChecksum { field };
        match (
            text("image_os_hash_algo")?,
            text("image_os_hash_value")?,
            text("image_checksum")?,
        ) {
            (Some(algorithm), Some(value), _) => Checksum::new(algorithm.parse()?, value)?
                .allowed(policy)
                .map(Self::Known),
            (Some(_), None, _) => Err(missing("image_os_hash_value")),
            (None, Some(_), _) => Err(missing("image_os_hash_algo")),
            (None, None, Some(url)) if is_http(url) => {
                if policy.allow_urls {
                    url.parse().map(Self::Listed)
                } else {
                    Err(ImageError::ChecksumUrlNotAllowed)
                }
            }
            (None, None, Some(checksum)) => checksum
                .parse::<Checksum>()?
                .allowed(policy)
                .map(Self::Known),
            (None, None, None) if image.knows_checksum() => Ok(Self::FromSource),
            (None, None, None) => Err(missing("image_checksum")),
        }
    }
}

fn is_http(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn bare_digest(text: &str) -> Option<(ChecksumAlgorithm, &str)> {
    ChecksumAlgorithm::by_length(text.len())
        .filter(|_| is_hex(text))
        .map(|algorithm| (algorithm, text))
}

/// The digest at the start or end of a line that ends with the name or has it in parentheses.
fn digest_of_line<'a>(line: &'a str, name: &str) -> Option<(ChecksumAlgorithm, &'a str)> {
    if name.is_empty() || line.starts_with('#') {
        return None;
    }
    let before_name = line
        .strip_suffix(name)
        .map(|start| start.strip_suffix('*').unwrap_or(start));
    let at_end = before_name.is_some_and(|start| start.ends_with(char::is_whitespace));
    let in_parentheses = format!("({name})");
    let within = line
        .split_once(&in_parentheses)
        .is_some_and(|(before, after)| {
            before.ends_with(char::is_whitespace) && after.starts_with(char::is_whitespace)
        });
    if !at_end && !within {
        return None;
    }
    let mut words = line.split_whitespace();
    let (first, last) = (words.next(), words.next_back());
    [first, last].into_iter().flatten().find_map(bare_digest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const MD5: &str = "0123456789abcdef0123456789abcdef";

    fn sha256() -> String {
        MD5.repeat(2)
    }

    fn image() -> ImageRef {
        "http://host/images/image.raw".parse().unwrap()
    }

    fn expected(info: Value, policy: ChecksumPolicy) -> Result<ExpectedChecksum, ImageError> {
        ExpectedChecksum::from_instance_info(info.as_object().unwrap(), &image(), policy)
    }

    #[test]
    fn checksums_by_length_and_by_name() {
        let read = |text: &str| {
            text.parse::<Checksum>()
                .map(|checksum| checksum.to_string())
        };
        assert_eq!(read(MD5), Ok(format!("md5:{MD5}")));
        assert_eq!(
            read(&sha256().to_uppercase()),
            Ok(format!("sha256:{}", sha256()))
        );
        assert_eq!(
            read(&MD5.repeat(4)),
            Ok(format!("sha512:{}", MD5.repeat(4)))
        );
        assert_eq!(
            read(&format!("SHA1:{}", "a".repeat(40))),
            Ok(format!("sha1:{}", "a".repeat(40)))
        );
        let forty = "a".repeat(40);
        for text in [
            "",
            "sha256:",
            MD5.get(1..).unwrap(),
            &forty,
            &"g".repeat(32),
            "crc:00",
            &format!("sha256:{MD5}"),
        ] {
            assert!(
                matches!(read(text), Err(ImageError::InvalidChecksum { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn the_pair_comes_before_the_old_member() {
        let policy = ChecksumPolicy::default().with_md5(false);
        let info = json!({"image_os_hash_algo": "sha256", "image_os_hash_value": sha256(), "image_checksum": MD5});
        let known = ExpectedChecksum::Known(sha256().parse().unwrap());
        assert_eq!(expected(info, policy), Ok(known.clone()));
        let info = json!({"image_os_hash_algo": null, "image_os_hash_value": "", "image_checksum": sha256()});
        assert_eq!(expected(info, policy), Ok(known));
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |field| Err(ImageError::MissingChecksum { field });
        let policy = ChecksumPolicy::default();
        assert_eq!(expected(json!({}), policy), missing("image_checksum"));
        assert_eq!(
            expected(json!({"image_os_hash_algo": "md5"}), policy),
            missing("image_os_hash_value")
        );
        assert_eq!(
            expected(json!({"image_os_hash_value": MD5}), policy),
            missing("image_os_hash_algo")
        );
        for source in ["file:///image.raw", "21f1e5ca-8a90-4b6e-bdf0-722ee02b4539"] {
            let found =
                ExpectedChecksum::from_instance_info(&Map::new(), &source.parse().unwrap(), policy);
            assert_eq!(found, Ok(ExpectedChecksum::FromSource));
        }
    }

    #[test]
    fn the_policy_decides() {
        let strict = ChecksumPolicy::default().with_md5(false).with_urls(false);
        for info in [
            json!({"image_checksum": MD5}),
            json!({"image_checksum": format!("md5:{MD5}")}),
            json!({"image_os_hash_algo": "MD5", "image_os_hash_value": MD5}),
        ] {
            assert!(
                expected(info.clone(), ChecksumPolicy::default()).is_ok(),
                "{info}"
            );
            assert_eq!(expected(info, strict), Err(ImageError::Md5NotAllowed));
        }
        let url = json!({"image_checksum": "https://host/SHA256SUMS"});
        let listed = ExpectedChecksum::Listed("https://host/SHA256SUMS".parse().unwrap());
        assert_eq!(expected(url.clone(), ChecksumPolicy::default()), Ok(listed));
        assert_eq!(
            expected(url, strict),
            Err(ImageError::ChecksumUrlNotAllowed)
        );
        let wrong = expected(json!({"image_checksum": 5}), strict);
        assert!(matches!(wrong, Err(ImageError::InvalidChecksum { .. })));
    }

    #[test]
    fn files_of_checksums() {
        let sha256 = sha256();
        let cases = [
            (sha256.clone(), true),
            (format!("\n  {sha256}\n\n"), true),
            (format!("{sha256}  image.raw"), true),
            (format!("{MD5}  other.raw\n{sha256} *image.raw\n"), true),
            (
                format!("# comment image.raw\nSHA256 (image.raw) = {sha256}"),
                true,
            ),
            (format!("{MD5}  image.raw.old\n{sha256}\timage.raw"), true),
            (format!("{sha256}  other-image.raw"), false),
            (format!("{sha256}  imageXraw"), false),
            (format!("# {sha256}  image.raw"), false),
            ("not a digest image.raw".to_owned(), false),
            ("not-a-digest".to_owned(), false),
            (String::new(), false),
        ];
        for (file, found) in cases {
            let checksum = Checksum::find(&file, &image(), ChecksumPolicy::default());
            let wanted = found.then(|| format!("sha256:{sha256}"));
            assert_eq!(
                checksum.ok().map(|checksum| checksum.to_string()),
                wanted,
                "{file}"
            );
        }
        let strict = ChecksumPolicy::default().with_md5(false);
        assert_eq!(
            Checksum::find(MD5, &image(), strict),
            Err(ImageError::Md5NotAllowed)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in ".*", line in "[0-9a-f]{0,70}[ *(]{0,3}image.raw.*") {
            let _ = text.parse::<Checksum>();
            let _ = Checksum::find(&text, &image(), ChecksumPolicy::default());
            let _ = Checksum::find(&line, &image(), ChecksumPolicy::default());
        }
    }
}
