//! `redfish_address`, read by the grammar of RFC 3986 as the original's library does.

use std::net::Ipv6Addr;

use serde_json::Value;

use super::DriverInfoError;

/// `scheme://authority` and the path, where there is one; `https` where no scheme is given.
pub(super) fn parse(value: &Value) -> Result<(String, Option<String>), DriverInfoError> {
    let address = value.as_str().ok_or_else(|| invalid("not text"))?;
    let address = if is_ipv6(address) {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    let split = Parts::of(&address);
    if split.scheme.is_some() && !split.authority.is_empty() {
        return split.check();
    }
    let address = format!("https://{address}");
    Parts::of(&address).check()
}

const fn invalid(reason: &'static str) -> DriverInfoError {
    DriverInfoError::Invalid {
        property: "redfish_address",
        reason,
    }
}

/// An IPv6 address without brackets, perhaps with a zone of 1 to 15 characters.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = match text.rsplit_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    address.parse::<Ipv6Addr>().is_ok()
        && zone.is_none_or(|zone| (1..=15).contains(&zone.chars().count()))
}

/// A reference taken apart (RFC 3986 appendix B).
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['\\', '/', '?', '#']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (rest, fragment) = cut(rest, '#');
        let (path, query) = cut(rest, '?');
        Self {
            scheme,
            authority,
            path,
            query,
            fragment,
        }
    }

    fn check(&self) -> Result<(String, Option<String>), DriverInfoError> {
        let scheme = self
            .scheme
            .filter(|_| !self.authority.is_empty())
            .ok_or_else(|| invalid("no host"))?;
        if !is_authority(self.authority) {
            return Err(invalid("not a host with an optional port"));
        }
        // A path after a backslash, which ends the authority here, is no absolute one; the
        // original's library lets it stand.
        let path = Some(self.path).filter(|path| !path.is_empty()).map(encoded);
        if path
            .as_deref()
            .is_some_and(|path| !is_made_of(path, b":@/"))
        {
            return Err(invalid("not a path"));
        }
        if ![self.query, self.fragment]
            .into_iter()
            .flatten()
            .all(|part| is_made_of(&encoded(part), b":@/?"))
        {
            return Err(invalid("not a query or fragment"));
        }
        Ok((format!("{scheme}://{}", self.authority), path))
    }
}

/// Percent-encodes what is neither reserved nor unreserved (§2.2, §2.3), and percent signs unless
/// each of them begins an encoded octet.
fn encoded(part: &str) -> String {
    let is_encoded = part.split('%').skip(1).all(|after| {
        let mut digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.next().is_some() && digits.next().is_some()
    });
    part.bytes()
        .map(|byte| match byte {
            b'%' if is_encoded => "%".to_owned(),
            b if b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&b) => {
                char::from(b).to_string()
            }
            b => format!("%{b:02X}"),
        })
        .collect()
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
}

/// §3.2: user information, host and port. A port of up to five digits may follow its colon.
fn is_authority(text: &str) -> bool {
    let host_and_port = match text.split_once('@') {
        Some((user, rest)) if !user.is_empty() && is_made_of(user, b":") => rest,
        Some(_) => return false,
        None => text,
    };
    let (host, port) = match host_and_port.strip_prefix('[') {
        Some(rest) => {
            let Some((literal, port)) = rest.split_once(']') else {
                return false;
            };
            return is_ip_literal(literal) && is_port(port);
        }
        None => host_and_port.split_at(host_and_port.find(':').unwrap_or(host_and_port.len())),
    };
    is_port(port) && is_made_of(host, b"") && !is_wrong_ipv4(host)
}

/// Nothing, a colon, digits, or a colon and digits: after an IP literal the colon may be missing.
fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':').unwrap_or(text);
    digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// §3.2.2, with a zone after `%25` (RFC 6874).
fn is_ip_literal(text: &str) -> bool {
    if let Some(future) = text.strip_prefix('v') {
        let (version, address) = cut(future, '.');
        let is_hex = !version.is_empty() && version.bytes().all(|b| b.is_ascii_hexdigit());
        return is_hex
            && address.is_some_and(|address| {
                !address.is_empty() && !address.contains('%') && is_made_of(address, b":")
            });
    }
    let (address, zone) = match text.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    address.parse::<Ipv6Addr>().is_ok()
        && zone.is_none_or(|zone| !zone.is_empty() && is_unreserved_or_encoded(zone))
}

/// Four numbers of one to three digits that are not four octets.
fn is_wrong_ipv4(host: &str) -> bool {
    let numbers: Vec<_> = host.split('.').collect();
    numbers.len() == 4
        && numbers.iter().all(|number| {
            (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
        })
        && numbers.iter().any(|number| number.parse::<u8>().is_err())
}

/// Unreserved characters, sub-delimiters (§2.2, §2.3), `extra`, and percent-encoded octets.
fn is_made_of(text: &str, extra: &[u8]) -> bool {
    is_encoded(text, |byte| {
        b"!$&'()*+,;=".contains(&byte) || extra.contains(&byte)
    })
}

fn is_unreserved_or_encoded(text: &str) -> bool {
    is_encoded(text, |_| false)
}

fn is_encoded(text: &str, extra: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = if byte == b'%' {
            let mut hex = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
            hex() && hex()
        } else {
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || extra(byte)
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::parse;

    #[test]
    fn addresses_beyond_the_vectors() {
        for (address, expected) in [
            ("bmc:8443", Some("https://bmc:8443")),
            ("bmc:", Some("https://bmc:")),
            (":80", Some("https://:80")),
            ("h:123456", None),
            ("999.1.1.1", None),
            ("1.2.3.4.5", Some("https://1.2.3.4.5")),
            ("[::1]:8443", Some("https://[::1]:8443")),
            ("[::1]8443", Some("https://[::1]8443")),
            ("[::1", None),
            ("[v1.x:y]", Some("https://[v1.x:y]")),
            ("fe80::1%25eth0", Some("https://[fe80::1%25eth0]")),
            ("fe80::1%eth0", None),
            ("@h", None),
            ("u@@h", None),
            ("h\\x", Some("https://h")),
            ("h/[", None),
            ("h?[", None),
            ("h?a|b", Some("https://h")),
            ("h#ok", Some("https://h")),
            ("#", None),
        ] {
            let parsed = parse(&json!(address)).ok().map(|(address, _)| address);
            assert_eq!(parsed.as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn paths_are_encoded_once() {
        for (address, path) in [
            ("h/a b%2Fc", "/a%20b%2Fc"),
            ("h/a%2Fb", "/a%2Fb"),
            ("h/a%2Fb%", "/a%252Fb%25"),
            ("h/\u{e9}", "/%C3%A9"),
            ("h\\x", "%5Cx"),
        ] {
            assert_eq!(
                parse(&json!(address)).unwrap().1.as_deref(),
                Some(path),
                "{address}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_address_panics(address in "([a-z]{1,5}:)?(//)?.{0,40}") {
            let _ = parse(&json!(address));
        }
    }
}
