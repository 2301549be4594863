use serde_json::{Map, Value};

use super::{Checksum, ImageError, ImageRef};

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

#[cfg(test)]
mod tests {
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
}
