//! The proxies through which the agent fetches images.

use serde_json::{Map, Value};

use crate::Error;
use crate::model::lenient::is_truthy;
use crate::model::{JsonMap, is_valid_no_proxy};

const PROXIES: [(&str, &str); 2] = [("http", "image_http_proxy"), ("https", "image_https_proxy")];

/// Checks what `driver_info` says of proxies.
///
/// # Errors
/// [`Error::InvalidParameter`] that names the member and what it should be.
pub(super) fn validate(driver_info: &JsonMap) -> Result<(), Error> {
    for (_, field) in PROXIES {
        let proxy = driver_info.get(field).filter(|value| is_truthy(value));
        // Not shown, since it may hold a password.
        if proxy.is_some_and(|proxy| !proxy.as_str().is_some_and(is_proxy)) {
            return Err(Error::invalid(format!(
                "driver_info/{field} must be an http or https URL, or a URL without a scheme"
            )));
        }
    }
    let excepted = driver_info
        .get("image_no_proxy")
        .filter(|value| !value.is_null());
    match excepted {
        Some(list) if !list.as_str().is_some_and(is_valid_no_proxy) => {
            let shown: String = list.to_string().chars().take(80).collect();
            Err(Error::invalid(format!(
                "driver_info/image_no_proxy must be host names, addresses and domains that begin \
                 with a dot, separated by commas, and is {shown}"
            )))
        }
        _ => Ok(()),
    }
}

/// Whether the scheme, where there is one (RFC 3986 §3.1), is that of a proxy for HTTP.
fn is_proxy(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once(':') else {
        return true;
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let is_scheme =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(fits);
    !is_scheme || scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Adds the proxies to what the agent is told of an image.
pub(super) fn add_to(info: &mut Map<String, Value>, driver_info: &JsonMap) {
    let proxies: Map<_, _> = PROXIES
        .into_iter()
        .filter_map(|(scheme, field)| {
            let proxy = driver_info.get(field).filter(|value| is_truthy(value))?;
            Some((scheme.to_owned(), proxy.clone()))
        })
        .collect();
    if proxies.is_empty() {
        return;
    }
    info.insert("proxies".to_owned(), Value::Object(proxies));
    if let Some(list) = driver_info.get("image_no_proxy").filter(|v| !v.is_null()) {
        info.insert("no_proxy".to_owned(), list.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{add_to, validate};

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_proxy_that_could_not_be_one_is_named() {
        for good in [
            json!({}),
            json!({"image_http_proxy": "", "image_no_proxy": null}),
            json!({"image_http_proxy": "HTTPS://p:3128", "image_https_proxy": "10.0.0.1:3128"}),
            json!({"image_http_proxy": "p", "image_no_proxy": ".example.org, h:80"}),
        ] {
            validate(&map(&good)).unwrap();
        }
        for (bad, named) in [
            (
                json!({"image_http_proxy": "socks5://u:pw@p"}),
                "image_http_proxy",
            ),
            (json!({"image_https_proxy": 3128}), "image_https_proxy"),
            (json!({"image_no_proxy": "*.example.org"}), "image_no_proxy"),
            (json!({"image_no_proxy": ["h"]}), "image_no_proxy"),
        ] {
            let error = validate(&map(&bad)).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn the_agent_is_told_of_those_that_there_are() {
        let told = |info: Value| {
            let mut told = Map::new();
            add_to(&mut told, &map(&info));
            Value::Object(told)
        };
        assert_eq!(told(json!({"image_no_proxy": "h"})), json!({}));
        assert_eq!(
            told(json!({"image_http_proxy": "p", "image_https_proxy": "", "image_no_proxy": "h"})),
            json!({"proxies": {"http": "p"}, "no_proxy": "h"})
        );
    }
}
