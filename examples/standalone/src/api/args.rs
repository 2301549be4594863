//! The arguments of requests: what a value must be, by the rules of the original's API.
//!
//! Each function takes a JSON value under its name; null is an argument that was not given.

use std::collections::BTreeSet;

use ironic_core::model::{MacAddress, lenient};
use serde_json::Value;
use uuid::Uuid;

use super::fault::Fault;

fn wrong(name: &str, what: &str, value: &Value) -> Fault {
    let shown: String = value.to_string().chars().take(80).collect();
    Fault::bad(format!("{name} must be {what}, and is {shown}"))
}

/// A string.
///
/// # Errors
/// 400 for anything else.
pub fn text<'a>(name: &str, value: &'a Value) -> Result<Option<&'a str>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(wrong(name, "a string", value)),
    }
}

/// A truth value: a boolean, or a word or number that means one.
///
/// # Errors
/// 400 for anything else.
pub fn boolean(name: &str, value: &Value) -> Result<Option<bool>, Fault> {
    match value {
        Value::Null => Ok(None),
        _ => lenient::truth(value)
            .map(Some)
            .ok_or_else(|| wrong(name, "true or false", value)),
    }
}

/// The uuid that a text is, in any of the forms in which uuids are written: hyphens anywhere or
/// nowhere, in braces, as a URN.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let bare = bare.trim_matches(['{', '}']).replace('-', "");
    let right = bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    right.then(|| Uuid::parse_str(&bare).ok()).flatten()
}

/// Whether a text counts as a uuid: read as one and written again it is the same text but for
/// case, hyphens, braces and the URN prefix.
pub fn is_uuid_like(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| parse_uuid(text).is_some())
}

/// A uuid.
///
/// # Errors
/// 400 for anything else.
pub fn uuid(name: &str, value: &Value) -> Result<Option<Uuid>, Fault> {
    if value.is_null() {
        return Ok(None);
    }
    value
        .as_str()
        .and_then(parse_uuid)
        .map(Some)
        .ok_or_else(|| wrong(name, "a uuid", value))
}

/// Whether a text is a logical name: unreserved characters of a URL (RFC 3986 §2.3), 255 at
/// most. As in the original, one line feed at the end passes here.
pub fn is_logical_name(text: &str) -> bool {
    let name = text.strip_suffix('\n').unwrap_or(text);
    text.chars().count() <= 255
        && !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// Whether a text is a host name as the API before 1.10 wanted node names to be: lower case; the
/// first label of letters, digits and inner hyphens, the others also with underscores.
pub fn is_host_name(text: &str) -> bool {
    if text.len() > 255 {
        return false;
    }
    let name = text.strip_suffix('\n').unwrap_or(text);
    let name = name.strip_suffix('.').unwrap_or(name);
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut labels = name.split('.').map(str::as_bytes);
    let first = labels.next().is_some_and(|label| match label {
        [only] => word(*only),
        [head, inner @ .., tail] => {
            word(*head)
                && word(*tail)
                && inner.len() <= 61
                && inner.iter().all(|b| word(*b) || *b == b'-')
        }
        [] => false,
    });
    first
        && labels.all(|label| match label {
            [inner @ .., tail] => {
                word(*tail)
                    && inner.len() <= 62
                    && inner.iter().all(|b| word(*b) || b"-_".contains(b))
            }
            [] => false,
        })
}

/// A logical name.
///
/// # Errors
/// 400 for anything else.
pub fn name<'a>(argument: &str, value: &'a Value) -> Result<Option<&'a str>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if is_logical_name(text) => Ok(Some(text)),
        _ => Err(wrong(argument, "a name of letters, digits and -._~", value)),
    }
}

/// A uuid or a logical name.
///
/// # Errors
/// 400 for anything else.
pub fn uuid_or_name<'a>(argument: &str, value: &'a Value) -> Result<Option<&'a str>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if is_logical_name(text) || parse_uuid(text).is_some() => {
            Ok(Some(text))
        }
        _ => Err(wrong(argument, "a uuid or a name", value)),
    }
}

/// A host, with or without a port.
///
/// # Errors
/// 400 for anything else.
pub fn host_port<'a>(name: &str, value: &'a Value) -> Result<Option<&'a str>, Fault> {
    let fault = || wrong(name, "a host, or a host and a port", value);
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.as_str(),
        _ => return Err(fault()),
    };
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(fault)?;
        if rest.contains(']') {
            return Err(fault());
        }
        // As in the original, what stands before and after the port is passed over.
        (host, rest.split(':').nth(1))
    } else if text.matches(':').count() == 1 {
        let (host, port) = text.split_once(':').ok_or_else(fault)?;
        (host, Some(port))
    } else {
        // No colon is a bare host, several are a bare IPv6 address.
        (text, None)
    };
    let right =
        !host.is_empty() && port.is_none_or(|port| lenient::integer(&port.into()).is_some());
    right.then_some(Some(text)).ok_or_else(fault)
}

/// A list of strings: an array, or a text with commas, of which each different word counts once,
/// in lower case.
///
/// # Errors
/// 400 for anything else.
pub fn string_list(name: &str, value: &Value) -> Result<Option<Vec<String>>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::Array(items) => items
            .iter()
            .map(|item| Ok(text(name, item)?.unwrap_or_default().to_owned()))
            .collect::<Result<_, _>>()
            .map(Some),
        Value::String(text) => {
            let mut seen = BTreeSet::new();
            let words = text
                .split(',')
                .map(|word| lenient::stripped(word).to_lowercase());
            let words = words.filter(|word| !word.is_empty() && seen.insert(word.clone()));
            Ok(Some(words.collect()))
        }
        _ => Err(wrong(name, "a list with commas", value)),
    }
}

/// A whole number, of any size; a fraction is cut off.
///
/// # Errors
/// 400 for anything else.
pub fn integer(name: &str, value: &Value) -> Result<Option<i128>, Fault> {
    match value {
        Value::Null => Ok(None),
        _ => lenient::integer(value)
            .map(Some)
            .ok_or_else(|| wrong(name, "a whole number", value)),
    }
}

/// An Ethernet hardware address, six octets with colons, in lower case.
///
/// # Errors
/// 400 for anything else.
pub fn mac_address(name: &str, value: &Value) -> Result<Option<String>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => normal_mac(text)
            .map(Some)
            .ok_or_else(|| wrong(name, "a MAC address", value)),
        _ => Err(wrong(name, "a MAC address", value)),
    }
}

/// A hardware address in lower case, if it is one. As in the original, one line feed at the end
/// passes here; [`MacAddress`] refuses it.
pub fn normal_mac(text: &str) -> Option<String> {
    let bare = text.strip_suffix('\n').unwrap_or(text);
    let address: MacAddress = bare.parse().ok()?;
    let right = bare.len() == 17 && !bare.contains('-');
    right.then(|| text.replace(bare, address.as_str()))
}

/// A datapath id of `OpenFlow` (1.3 §7.3.1) in lower case, if it is one: sixteen hexadecimal digits.
pub fn normal_datapath_id(text: &str) -> Option<String> {
    let bare = text.strip_suffix('\n').unwrap_or(text);
    let right = bare.len() == 16 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    right.then(|| text.to_ascii_lowercase())
}

/// How many items an answer may have: as many as asked for, `most` at most.
///
/// # Errors
/// 400 for zero and less.
pub fn limit(asked: Option<i128>, most: u32) -> Result<u32, Fault> {
    match asked {
        None => Ok(most),
        Some(limit) if limit <= 0 => Err(Fault::bad("limit must be positive")),
        Some(limit) => Ok(u32::try_from(limit).unwrap_or(most).min(most)),
    }
}

/// Whether a sort direction is the descending one.
///
/// # Errors
/// 400 for anything but `asc` and `desc`.
pub fn descending(direction: &str) -> Result<bool, Fault> {
    match direction {
        "asc" => Ok(false),
        "desc" => Ok(true),
        other => Err(Fault::bad(format!(
            "sort_dir must be asc or desc, and is {other:?}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{host_port, string_list};

    #[test]
    fn hosts_with_and_without_a_port() {
        for good in ["h", "h:80", "h: 8_0", "fd00::1", "[fd00::1]", "[h]x:80:y"] {
            assert_eq!(host_port("x", &json!(good)).unwrap(), Some(good));
        }
        for bad in ["", ":80", "h:", "h:x", "[h", "[h]:", "[h]]:80", "[]:80"] {
            assert!(host_port("x", &json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_of_a_list_are_stripped_of_every_blank() {
        let list = string_list("x", &json!("A,\u{1f}b ,,a")).unwrap();
        assert_eq!(list.unwrap(), ["a", "b"]);
    }
}
