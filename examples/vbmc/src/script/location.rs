use std::{fmt, net::SocketAddr};

use reqwest::Url;
use thiserror::Error;

/// Port of TFTP (RFC 1350 §4).
const TFTP_PORT: u16 = 69;
const LONGEST: usize = 1024;

/// Where a file is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Tftp { server: SocketAddr, path: String },
    Http(Url),
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum LocationError {
    /// A path that no server has.
    #[error("a path has more than {LONGEST} bytes, or control characters")]
    Path,
    /// A protocol that firmware does not speak.
    #[error("{0:?} is not a protocol that this firmware speaks")]
    Protocol(String),
    /// A URL that is none.
    #[error("malformed URL")]
    Url,
    /// A server by name, where there is no resolver.
    #[error("TFTP servers are known by address only")]
    ServerName,
}

impl Location {
    /// A file by the name that is read where this one is: a URL, a path from the server's root, or one from this
    /// one's folder. pxelinux writes `address::path`, or `::path` for the same server.
    pub(crate) fn join(&self, text: &str) -> Result<Self, LocationError> {
        if text.len() > LONGEST || text.is_empty() || text.contains(char::is_control) {
            return Err(LocationError::Path);
        }
        if let Some((protocol, rest)) = text.split_once("://") {
            return match protocol.to_ascii_lowercase().as_str() {
                "http" | "https" => Url::parse(text)
                    .map(Self::Http)
                    .map_err(|_| LocationError::Url),
                "tftp" => tftp_url(rest),
                _ => Err(LocationError::Protocol(protocol.chars().take(16).collect())),
            };
        }
        match self {
            Self::Http(url) => url
                .join(text)
                .map(Self::Http)
                .map_err(|_| LocationError::Url),
            Self::Tftp { server, path } => tftp_path(*server, path, text),
        }
    }

    /// The path on its server.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Tftp { path, .. } => path,
            Self::Http(url) => url.path(),
        }
    }
}

fn tftp_url(rest: &str) -> Result<Location, LocationError> {
    let (host, path) = rest.split_once('/').ok_or(LocationError::Url)?;
    Ok(Location::Tftp {
        server: server(host)?,
        path: path.to_owned(),
    })
}

fn tftp_path(own: SocketAddr, base: &str, text: &str) -> Result<Location, LocationError> {
    let (server, path) = match text.split_once("::") {
        Some(("", path)) => (own, path.to_owned()),
        Some((host, path)) => (server(host)?, path.to_owned()),
        None if text.starts_with('/') => (own, text.to_owned()),
        None => {
            let folder = base.rsplit_once('/').map(|(folder, _)| folder);
            let path = folder.map_or_else(|| text.to_owned(), |folder| format!("{folder}/{text}"));
            (own, path)
        }
    };
    if path.len() > LONGEST {
        return Err(LocationError::Path);
    }
    Ok(Location::Tftp { server, path })
}

fn server(host: &str) -> Result<SocketAddr, LocationError> {
    host.parse::<SocketAddr>()
        .or_else(|_| {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            bare.parse().map(|ip| SocketAddr::new(ip, TFTP_PORT))
        })
        .map_err(|_| LocationError::ServerName)
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tftp { server, path } => {
                write!(f, "tftp://{server}/{}", path.trim_start_matches('/'))
            }
            // Without the user's name and password, and without a query, which may sign.
            Self::Http(url) => {
                write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or(""))?;
                if let Some(port) = url.port() {
                    write!(f, ":{port}")?;
                }
                f.write_str(url.path())
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_where_they_stand() {
        let tftp = Location::Tftp {
            server: "192.0.2.1:6969".parse().unwrap(),
            path: "boot/pxelinux.0".to_owned(),
        };
        let http = tftp.join("http://u:p@192.0.2.2:8080/a/b?k=v").unwrap();
        assert_eq!(http.to_string(), "http://192.0.2.2:8080/a/b");
        for (base, text, expected) in [
            (&tftp, "k/r", "tftp://192.0.2.1:6969/boot/k/r"),
            (&tftp, "/k", "tftp://192.0.2.1:6969/k"),
            (&tftp, "::k", "tftp://192.0.2.1:6969/k"),
            (&tftp, "192.0.2.9::k", "tftp://192.0.2.9:69/k"),
            (&http, "c", "http://192.0.2.2:8080/a/c"),
            (&http, "/c", "http://192.0.2.2:8080/c"),
            (&http, "tftp://[2001:db8::1]/c", "tftp://[2001:db8::1]:69/c"),
            (&http, "tftp://192.0.2.3:70/c/d", "tftp://192.0.2.3:70/c/d"),
        ] {
            assert_eq!(base.join(text).unwrap().to_string(), expected, "{text}");
        }
        for text in [
            "",
            "a\nb",
            "nfs://a/b",
            "tftp://server/a",
            "x::k",
            "tftp://1.2.3.4",
        ] {
            assert!(tftp.join(text).is_err(), "{text:?}");
        }
        assert!(tftp.join(&"a".repeat(LONGEST + 1)).is_err());
    }
}
