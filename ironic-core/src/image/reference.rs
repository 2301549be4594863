use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::ImageError;
use crate::secret::MASK;

/// Where an image is: `instance_info["image_source"]` and its like.
///
/// `Display` and `Debug` leave out what may be secret, the user and the query of a URL;
/// [`as_url`](Self::as_url) has all of it.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageRef {
    /// On an HTTP server.
    Http(HttpUrl),
    /// In a file of the conductor's: an absolute path.
    File(String),
    /// In OpenStack's image service.
    Glance(Uuid),
}

/// A URL of the scheme `http` or `https` with a host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpUrl(String);

impl ImageRef {
    /// The URL, or for an image of Glance its uuid, with whatever is secret in it.
    pub fn as_url(&self) -> String {
        match self {
            Self::Http(HttpUrl(url)) => url.clone(),
            Self::File(path) => format!("file://{path}"),
            Self::Glance(id) => id.to_string(),
        }
    }

    /// The last component of the path, by which a file of checksums names the image; empty if there is none.
    pub fn file_name(&self) -> &str {
        let path = match self {
            Self::Http(url) => url.path(),
            Self::File(path) => path,
            Self::Glance(_) => "",
        };
        path.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// Whether the image's own service knows its checksum, so that `instance_info` need not have one.
    pub fn knows_checksum(&self) -> bool {
        matches!(self, Self::Glance(_) | Self::File(_))
    }
}

impl HttpUrl {
    /// The URL with whatever is secret in it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        rest.find('/')
            .and_then(|start| rest.get(start..))
            .unwrap_or_default()
    }
}

impl FromStr for ImageRef {
    type Err = ImageError;

    /// Reads an `http`, `https` or `file` URL, a uuid or `glance://` and a uuid; schemes may be in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| ImageError::InvalidReference { reason };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(invalid("white space or a control character"));
        }
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme))
        else {
            return text
                .parse()
                .map(Self::Glance)
                .map_err(|_| invalid("neither a URL nor a uuid"));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => match rest.strip_prefix("//").map(host) {
                Some(host) if !host.is_empty() => Ok(Self::Http(HttpUrl(text.to_owned()))),
                _ => Err(invalid("a URL without a host")),
            },
            "file" => {
                let path = match rest.strip_prefix("//") {
                    Some(path) => path.strip_prefix("localhost").unwrap_or(path),
                    None => rest,
                };
                let absolute = path.starts_with('/') && !path.starts_with("//");
                absolute
                    .then(|| Self::File(path.to_owned()))
                    .ok_or_else(|| invalid("a file without an absolute path"))
            }
            "glance" => {
                let id = rest.strip_prefix("//").unwrap_or(rest);
                id.parse()
                    .map(Self::Glance)
                    .map_err(|_| invalid("an image of Glance without a uuid"))
            }
            scheme => Err(ImageError::UnsupportedScheme {
                scheme: scheme.to_owned(),
            }),
        }
    }
}

/// The syntax of RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Host and port of what follows `//` (RFC 3986 §3.2).
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let user = if authority.contains('@') {
            format!("{MASK}@")
        } else {
            String::new()
        };
        write!(f, "{scheme}://{user}{}{}", host(rest), self.path())?;
        if rest.contains('?') {
            write!(f, "?{MASK}")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => fmt::Display::fmt(url, f),
            Self::File(_) | Self::Glance(_) => f.write_str(&self.as_url()),
        }
    }
}

impl fmt::Debug for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageRef({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "21f1e5ca-8a90-4b6e-bdf0-722ee02b4539";

    #[test]
    fn references() {
        let glance = ImageRef::Glance(ID.parse().unwrap());
        let cases = [
            (
                "http://host/a/image.qcow2",
                Some("http://host/a/image.qcow2"),
                "image.qcow2",
            ),
            (
                "HTTPS://host:8080/image.raw?x=/y#z",
                Some("HTTPS://host:8080/image.raw?x=/y#z"),
                "image.raw",
            ),
            ("http://[fd00::1]:80", Some("http://[fd00::1]:80"), ""),
            (
                "file:///var/lib/image.raw",
                Some("file:///var/lib/image.raw"),
                "image.raw",
            ),
            (
                "file://localhost/image.raw",
                Some("file:///image.raw"),
                "image.raw",
            ),
            ("file:/image.raw", Some("file:///image.raw"), "image.raw"),
            ("http://", None, ""),
            ("http:host/x", None, ""),
            ("http://user@/x", None, ""),
            ("file://host/x", None, ""),
            ("file:relative", None, ""),
            ("file:////x", None, ""),
            ("image.qcow2", None, ""),
            ("http://host/a b", None, ""),
            ("glance://image", None, ""),
            ("", None, ""),
        ];
        for (text, url, file_name) in cases {
            let read = text.parse::<ImageRef>();
            assert_eq!(
                read.as_ref().ok().map(ImageRef::as_url).as_deref(),
                url,
                "{text}"
            );
            assert_eq!(
                read.as_ref().map(ImageRef::file_name).unwrap_or_default(),
                file_name,
                "{text}"
            );
        }
        for text in [
            ID.to_owned(),
            format!("glance://{ID}"),
            format!("Glance:{ID}"),
            ID.to_uppercase(),
        ] {
            assert_eq!(text.parse(), Ok(glance.clone()), "{text}");
        }
        for scheme in ["oci", "nfs", "smb", "ftp"] {
            let read = format!("{scheme}://host/x").parse::<ImageRef>();
            assert_eq!(
                read,
                Err(ImageError::UnsupportedScheme {
                    scheme: scheme.to_owned()
                })
            );
        }
    }

    #[test]
    fn secrets_of_a_url_do_not_print() {
        let image: ImageRef = "https://user:hunter2@host:1/a/b?temp_url_sig=hunter2#c"
            .parse()
            .unwrap();
        assert_eq!(image.to_string(), "https://***@host:1/a/b?***");
        assert_eq!(format!("{image:?}"), "ImageRef(https://***@host:1/a/b?***)");
        assert!(image.as_url().contains("hunter2"));
        let error = "https://user:hunter2@/".parse::<ImageRef>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in "(https?:|file:)?(//)?[a-z@:?#/]{0,20}.*") {
            if let Ok(image) = text.parse::<ImageRef>() {
                prop_assert_eq!(image.as_url().parse::<ImageRef>(), Ok(image.clone()));
                let _ = (image.to_string(), image.file_name());
            }
        }
    }
}
