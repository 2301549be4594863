use md5::Md5;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// A hash that image checksums come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The algorithm whose value has so many hexadecimal digits.
    pub(crate) const fn by_length(digits: usize) -> Option<Self> {
        Some(match digits {
            32 => Self::Md5,
            64 => Self::Sha256,
            128 => Self::Sha512,
            _ => return None,
        })
    }
}

/// A hash in the making.
#[derive(Clone)]
pub(crate) enum Hasher {
    Md5(Md5),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha224 => Self::Sha224(Sha224::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha384 => Self::Sha384(Sha384::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(data),
            Self::Sha224(hash) => hash.update(data),
            Self::Sha256(hash) => hash.update(data),
            Self::Sha384(hash) => hash.update(data),
            Self::Sha512(hash) => hash.update(data),
        }
    }

    /// The value in hexadecimal.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Md5(hash) => hex(&hash.finalize()),
            Self::Sha224(hash) => hex(&hash.finalize()),
            Self::Sha256(hash) => hex(&hash.finalize()),
            Self::Sha384(hash) => hex(&hash.finalize()),
            Self::Sha512(hash) => hex(&hash.finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a checksum stands elsewhere.
pub(crate) fn is_url(checksum: &str) -> bool {
    checksum.starts_with("http://") || checksum.starts_with("https://")
}

/// Finds the checksum of `image` in a checksum file: a lone value, `VALUE  NAME`, `VALUE *NAME`
/// or `SHA256 (NAME) = VALUE`.
pub(crate) fn find(file: &str, image: &str) -> Option<String> {
    let is_value = |word: &&str| {
        Algorithm::by_length(word.len()).is_some() && word.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let mut lines = file.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next()?;
    let rest: Vec<_> = lines.collect();
    if rest.is_empty() && !first.contains(' ') {
        return Some(first).filter(is_value).map(str::to_owned);
    }
    std::iter::once(first)
        .chain(rest)
        .filter(|line| !line.starts_with('#'))
        .filter(|line| {
            let names_at_end = line
                .strip_suffix(image)
                .is_some_and(|before| before.ends_with([' ', '\t']) || before.ends_with(" *"));
            names_at_end || line.contains(&format!(" ({image}) "))
        })
        .find_map(|line| {
            let mut words = line.split_whitespace();
            let (first, last) = (words.next(), words.next_back());
            first.filter(is_value).or(last.filter(is_value))
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Algorithm, Hasher, find};

    #[test]
    fn hashes_are_the_standards() {
        // FIPS 180-4 examples for "abc"; RFC 1321 §A.5.
        for (algorithm, start) in [
            (Algorithm::Md5, "900150983cd24fb0"),
            (Algorithm::Sha224, "23097d223405d822"),
            (Algorithm::Sha256, "ba7816bf8f01cfea"),
            (Algorithm::Sha384, "cb00753f45a35e8b"),
            (Algorithm::Sha512, "ddaf35a193617aba"),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"a");
            hasher.update(b"bc");
            assert!(hasher.finish().starts_with(start), "{algorithm:?}");
        }
    }

    #[test]
    fn checksum_files_come_in_four_forms() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        for file in [
            a.clone(),
            format!("# sums\n{b}  other.img\n{a}  disk.img\n"),
            format!("{b} *other.img\n{a} *disk.img\n"),
            format!("SHA256 (other.img) = {b}\nSHA256 (disk.img) = {a}"),
        ] {
            assert_eq!(find(&file, "disk.img"), Some(a.clone()), "{file}");
        }
        for file in [
            String::new(),
            "zz".to_owned(),
            format!("{a}  not-disk.img\n{b}  x"),
            format!("# {a}  disk.img\n{b}  x"),
        ] {
            assert_eq!(find(&file, "disk.img"), None, "{file}");
        }
    }

    proptest! {
        #[test]
        fn no_file_breaks_the_search(file in any::<String>(), name in any::<String>()) {
            let _ = find(&file, &name);
        }
    }
}
