//! The one authority that a client talks to, and which links stay with it.

use std::fmt::Write as _;

use http::Uri;

use crate::error::RedfishError;

/// No BMC's path is longer.
const MAX_LINK_BYTES: usize = 4096;

/// Scheme, host and port of a BMC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaseUrl {
    https: bool,
    /// Lower case; an IPv6 address with its brackets.
    host: String,
    port: u16,
}

impl BaseUrl {
    /// Reads `scheme://host[:port]`; user information and path are dropped.
    ///
    /// # Errors
    ///
    /// [`RedfishError::InvalidSettings`] when it is not an `http` or `https` authority.
    pub fn parse(address: &str) -> Result<Self, RedfishError> {
        let invalid = |reason: &str| RedfishError::InvalidSettings {
            reason: format!("address: {reason}"),
        };
        let uri: Uri = address.parse().map_err(|_| invalid("not a URL"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid("neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("no host"))?;
        let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
        let (host, port) =
            split_port(host_and_port, https).ok_or_else(|| invalid("no usable host and port"))?;
        Ok(Self { https, host, port })
    }

    /// Whether the connection is encrypted.
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path, with query, that `link` leads to on this authority.
    ///
    /// # Errors
    ///
    /// [`RedfishError::ForeignLink`] when it leads anywhere else, or is no absolute path or URL:
    /// a BMC must not be able to make its conductor call others.
    pub fn resolve(&self, link: &str) -> Result<String, RedfishError> {
        let refuse = |reason| Err(RedfishError::ForeignLink { reason });
        let link = link.trim();
        if link.len() > MAX_LINK_BYTES {
            return refuse("too long");
        }
        if link.chars().any(|c| c.is_control() || c == '\\') {
            return refuse("not a path");
        }
        if link.starts_with("//") {
            return refuse("another authority");
        }
        let path = if link.starts_with('/') {
            link
        } else {
            let Some((scheme, rest)) = link.split_once("://") else {
                return refuse("neither a path nor a URL");
            };
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            if !scheme.eq_ignore_ascii_case(self.scheme())
                || split_port(authority, self.https) != Some((self.host.clone(), self.port))
            {
                return refuse("another authority");
            }
            path
        };
        let path = path.split('#').next().unwrap_or_default();
        Ok(if path.starts_with('/') {
            escaped(path)
        } else {
            format!("/{}", escaped(path))
        })
    }

    /// The URL of a path that [`resolve`](Self::resolve) gave.
    pub(crate) fn url(&self, path: &str) -> Option<Uri> {
        format!("{self}{path}").parse().ok()
    }

    const fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let default = if self.https { 443 } else { 80 };
        write!(f, "{}://{}", self.scheme(), self.host)?;
        if self.port == default {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

fn split_port(authority: &str, https: bool) -> Option<(String, u16)> {
    let (host, port) = match authority.rfind(':') {
        // A colon inside brackets belongs to an IPv6 address.
        Some(colon) if !authority.get(colon..)?.contains(']') => {
            (authority.get(..colon)?, authority.get(colon + 1..)?)
        }
        _ => (authority, ""),
    };
    if host.is_empty() || host.contains('@') {
        return None;
    }
    let port = match port {
        "" if https => 443,
        "" => 80,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

/// Percent-encodes what RFC 3986 §3.3 and §3.4 do not let stand: some BMCs write identifiers with
/// blanks into links as they are.
fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::BaseUrl;

    #[test]
    fn addresses() {
        for (address, shown) in [
            ("https://bmc", Some("https://bmc")),
            (
                "https://BMC.example.org:443/",
                Some("https://bmc.example.org"),
            ),
            ("http://192.0.2.1:8000", Some("http://192.0.2.1:8000")),
            (
                "https://[2001:DB8::1]:8443/x?y",
                Some("https://[2001:db8::1]:8443"),
            ),
            ("https://user:secret@bmc", Some("https://bmc")),
            ("https://h:99999", None),
            ("https://https:", Some("https://https")),
            ("http+unix://x", None),
            ("bmc", None),
            ("", None),
        ] {
            let parsed = BaseUrl::parse(address).ok().map(|base| base.to_string());
            assert_eq!(parsed.as_deref(), shown, "{address}");
        }
    }

    #[test]
    fn links_stay_with_the_authority() {
        let base = BaseUrl::parse("https://bmc.example.org").unwrap();
        for (link, path) in [
            ("/redfish/v1/Systems/1", Some("/redfish/v1/Systems/1")),
            (
                "/redfish/v1/Systems?$skip=50",
                Some("/redfish/v1/Systems?$skip=50"),
            ),
            (
                "/redfish/v1/Chassis/1/Power#/PowerSupplies/0",
                Some("/redfish/v1/Chassis/1/Power"),
            ),
            ("/redfish/v1/Systems/a b", Some("/redfish/v1/Systems/a%20b")),
            (
                "/redfish/v1/Systems/a%20b",
                Some("/redfish/v1/Systems/a%20b"),
            ),
            ("https://bmc.example.org/x", Some("/x")),
            ("HTTPS://BMC.example.org:443/x", Some("/x")),
            ("https://bmc.example.org", Some("/")),
            ("https://bmc.example.org?x", Some("/?x")),
            ("http://bmc.example.org/x", None),
            ("https://bmc.example.org:8443/x", None),
            ("https://bmc.example.org@evil.example/x", None),
            ("https://evil.example/x", None),
            ("https://evil.example\\@bmc.example.org/x", None),
            ("//evil.example/x", None),
            ("/\\evil.example/x", None),
            ("redfish/v1", None),
            ("javascript:x", None),
            ("/x\r\nHost: evil", None),
            ("", None),
        ] {
            assert_eq!(base.resolve(link).ok().as_deref(), path, "{link}");
        }
    }

    proptest! {
        #[test]
        fn whatever_resolves_is_a_url_on_the_authority(link in "(https?://[a-z:@\\[\\]0-9.]{0,12}|/{1,2})?.{0,40}") {
            let base = BaseUrl::parse("https://[2001:db8::1]:8443").unwrap();
            if let Ok(path) = base.resolve(&link) {
                let url = base.url(&path).unwrap();
                prop_assert_eq!(url.authority().unwrap().as_str(), "[2001:db8::1]:8443");
                prop_assert_eq!(url.scheme_str(), Some("https"));
            }
        }

        #[test]
        fn no_address_panics(address in ".*") {
            let _ = BaseUrl::parse(&address);
        }
    }
}
