use std::fmt;
use std::str::FromStr;

use super::{ChecksumPolicy, ImageError, ImageRef};

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
    pub(super) fn allowed(self, policy: ChecksumPolicy) -> Result<Self, ImageError> {
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

    use super::*;

    const MD5: &str = "0123456789abcdef0123456789abcdef";

    fn sha256() -> String {
        MD5.repeat(2)
    }

    fn image() -> ImageRef {
        "http://host/images/image.raw".parse().unwrap()
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
