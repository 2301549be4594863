//! What hosts, ports and URLs must look like wherever a field holds one.

use std::net::IpAddr;

use serde_json::Value;

use super::lenient::{integer, stripped};
use crate::Error;

/// A port: a number from 0 to 65535, or the text of one. `name` says in an error what it is.
///
/// # Errors
/// [`Error::InvalidParameter`] for anything else.
pub fn network_port(name: &str, value: &Value) -> Result<u16, Error> {
    integer(value)
        .and_then(|number| u16::try_from(number).ok())
        .ok_or_else(|| {
            let shown: String = value.to_string().chars().take(80).collect();
            Error::invalid(format!(
                "{name} must be a port from 0 to 65535, and is {shown}"
            ))
        })
}

/// Whether a host name or address is the machine itself.
pub fn is_loopback(host: &str) -> bool {
    // A zone (RFC 4007 §11) says no more than through which interface.
    let address = match host.split_once('%') {
        Some((address, zone)) if address.contains(':') && !zone.is_empty() => {
            if zone.contains('%') { host } else { address }
        }
        _ => host,
    };
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => matches!(host, "localhost" | "localhost.localdomain"),
    }
}

/// Whether a text is a URL to be fetched by HTTP, as far as its scheme tells.
pub fn is_http_url(url: &str) -> bool {
    let url = url.to_lowercase();
    url.starts_with("http://") || url.starts_with("https://")
}

/// Whether a text may be the list of hosts that are reached without a proxy (the `no_proxy` of
/// many programs): host names, addresses, and domains that begin with a dot, each perhaps with a
/// port, separated by commas.
pub fn is_valid_no_proxy(list: &str) -> bool {
    let label = |label: &str| {
        let label = label.strip_suffix('\n').unwrap_or(label);
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    list.split(',').all(|entry| {
        let entry = stripped(entry);
        let host = entry.split_once(':').map_or(entry, |(host, _)| host);
        // A domain is shorter by the dot and a label of one character at least.
        let (host, most) = match host.strip_prefix('.') {
            Some(domain) => (domain, 251),
            None if host.is_empty() => return true,
            None => (host, 253),
        };
        host.chars().count() <= most && host.split('.').all(label)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_http_url, is_loopback, is_valid_no_proxy, network_port};

    #[test]
    fn ports() {
        for (value, expected) in [
            (json!(0), Some(0)),
            (json!(" 6_23 "), Some(623)),
            (json!(65535.9), Some(65535)),
            (json!(65536), None),
            (json!(-1), None),
            (json!("0x1"), None),
            (json!(null), None),
        ] {
            assert_eq!(network_port("p", &value).ok(), expected, "{value}");
        }
        let error = network_port("ipmi_port", &json!("x"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("ipmi_port") && error.contains("\"x\""),
            "{error}"
        );
    }

    #[test]
    fn the_machine_itself() {
        for host in ["127.0.0.1", "127.255.0.9", "::1", "::1%lo", "localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "::2",
            "::1%",
            "::1%a%b",
            "127.0.0.1%lo",
            "127.1",
            "LOCALHOST",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
        // As the original has it: an IPv4 address in IPv6's clothes is another host.
        assert!(!is_loopback("::ffff:127.0.0.1"));
    }

    #[test]
    fn urls_and_hosts_without_a_proxy() {
        assert!(is_http_url("HTTPS://x") && is_http_url("http://") && !is_http_url(" http://x"));
        let long = "a".repeat(63);
        let name = |extra: &str| format!("{long}.{long}.{long}.{}{extra}", &long[..60]);
        for list in [
            "",
            ",",
            "a, .b.c:80 ,10.0.0.1",
            ":80",
            long.as_str(),
            name("a").as_str(),
        ] {
            assert!(is_valid_no_proxy(list), "{list}");
        }
        for list in [
            ".", "a..b", "-a", "a-", "*.x", "::1", "a_b", "a/8", "[::1]:80",
        ] {
            assert!(is_valid_no_proxy(list) == (list == "::1"), "{list}");
        }
        assert!(!is_valid_no_proxy(&name("aa")));
        assert!(!is_valid_no_proxy(&format!(".{}", &name("")[..252])));
        assert!(!is_valid_no_proxy(&format!("a{long}")));
    }
}
