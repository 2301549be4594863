use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ironic_core::Secret;
use serde_json::{Map, Value};

use super::checksum::{Algorithm, is_url};
use crate::fault::{Fault, FaultKind};

/// What is known of an image's hash before the download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    /// Named algorithm; else the value's length tells.
    pub(crate) algorithm: Option<Algorithm>,
    /// Hexadecimal value, or the URL of a file that has it.
    pub(crate) value: String,
}

/// An image as `prepare_image` takes it, checked.
#[derive(Debug, Clone)]
pub(crate) struct ImageInfo {
    pub(crate) id: String,
    pub(crate) urls: Vec<String>,
    pub(crate) checksum: Checksum,
    /// Value of the `Authorization` header for the image server.
    pub(crate) authorization: Option<Secret<String>>,
    /// Config drive that came inside the image's description.
    pub(crate) configdrive: Option<String>,
}

fn invalid(details: impl Into<String>) -> Fault {
    Fault::new(FaultKind::InvalidCommandParamsError, details)
}

/// A member that is absent, null or a text that says something.
fn text(info: &Map<String, Value>, key: &str) -> Result<Option<String>, Fault> {
    match info.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(invalid(format!("image '{key}' must be a non-empty string"))),
    }
}

impl ImageInfo {
    /// Checks what the caller gave; anything the caller could have known better is his error.
    ///
    /// # Errors
    /// `InvalidCommandParamsError`.
    pub(crate) fn parse(info: &Map<String, Value>, md5_enabled: bool) -> Result<Self, Fault> {
        let id = text(info, "id")?.ok_or_else(|| invalid("image has no 'id'"))?;
        let urls = urls(info)?;
        if info
            .get("proxies")
            .and_then(Value::as_object)
            .is_some_and(|p| !p.is_empty())
        {
            return Err(invalid("image 'proxies' are not supported"));
        }
        Ok(Self {
            checksum: checksum(info, md5_enabled)?,
            authorization: authorization(info)?,
            configdrive: match info.get("configdrive") {
                Some(Value::String(empty)) if empty.is_empty() => None,
                _ => text(info, "configdrive")?,
            },
            id,
            urls,
        })
    }

    /// Refuses what this agent does not write, before anything is overwritten.
    ///
    /// # Errors
    /// `InvalidImage`.
    pub(crate) fn check_kind(info: &Map<String, Value>) -> Result<(), Fault> {
        let refuse = |what: String| Err(Fault::new(FaultKind::InvalidImage, what));
        if info.get("image_type").and_then(Value::as_str) == Some("partition") {
            return refuse("partition images are not supported, only whole-disk ones".to_owned());
        }
        match info.get("disk_format").and_then(Value::as_str) {
            Some("raw") => Ok(()),
            other => refuse(format!(
                "images of format {:?} are not supported, only raw ones",
                other
                    .unwrap_or("unknown")
                    .chars()
                    .take(32)
                    .collect::<String>()
            )),
        }
    }
}

fn urls(info: &Map<String, Value>) -> Result<Vec<String>, Fault> {
    let list = info.get("urls").and_then(Value::as_array);
    let urls: Vec<String> = list
        .into_iter()
        .flatten()
        .filter_map(|url| url.as_str().map(str::to_owned))
        .collect();
    if urls.is_empty() || list.is_some_and(|list| list.len() != urls.len()) {
        return Err(invalid("image 'urls' must be a list with at least one URL"));
    }
    Ok(urls)
}

fn checksum(info: &Map<String, Value>, md5_enabled: bool) -> Result<Checksum, Fault> {
    let plain = text(info, "checksum")?;
    let allowed = |algorithm| algorithm != Algorithm::Md5 || md5_enabled;
    let no_md5 = || invalid("the image's checksum is MD5, which is disabled");
    match (text(info, "os_hash_algo")?, text(info, "os_hash_value")?) {
        (Some(name), Some(value)) => match Algorithm::by_name(&name) {
            Some(algorithm) if allowed(algorithm) => {
                return Ok(Checksum {
                    algorithm: Some(algorithm),
                    value,
                });
            }
            Some(_) => return Err(no_md5()),
            // The older field may still say something that is understood.
            None if plain.is_none() => {
                return Err(invalid("the image's 'os_hash_algo' is not known"));
            }
            None => {}
        },
        (None, None) => {}
        _ => {
            return Err(invalid(
                "image 'os_hash_algo' and 'os_hash_value' go together",
            ));
        }
    }
    let value = plain.ok_or_else(|| invalid("the image has no checksum"))?;
    if is_url(&value) {
        return Ok(Checksum {
            algorithm: None,
            value,
        });
    }
    match Algorithm::by_length(value.len()) {
        Some(algorithm) if allowed(algorithm) => Ok(Checksum {
            algorithm: Some(algorithm),
            value,
        }),
        Some(_) => Err(no_md5()),
        None => Err(invalid("the image's checksum is of no known length")),
    }
}

fn authorization(info: &Map<String, Value>) -> Result<Option<Secret<String>>, Fault> {
    if let Some(encoded) = text(info, "image_request_authorization")? {
        let header = BASE64_STANDARD
            .decode(encoded)
            .ok()
            .and_then(|raw| String::from_utf8(raw).ok())
            .ok_or_else(|| invalid("image 'image_request_authorization' is not base64"))?;
        return Ok(Some(Secret::new(header)));
    }
    match text(info, "image_server_auth_strategy")?.as_deref() {
        None | Some("noauth") => Ok(None),
        Some("http_basic") => {
            let missing = || invalid("the image server's user or password is missing");
            let user = text(info, "image_server_user")?.ok_or_else(missing)?;
            let password = text(info, "image_server_password")?.ok_or_else(missing)?;
            let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
            Ok(Some(Secret::new(format!("Basic {pair}"))))
        }
        Some(_) => Err(invalid("image 'image_server_auth_strategy' is not known")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Algorithm, ImageInfo};

    fn parse(value: Value, md5: bool) -> Result<ImageInfo, String> {
        ImageInfo::parse(value.as_object().unwrap(), md5).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_checksum_is_named_or_told_by_its_length() {
        let base = json!({"id": "i", "urls": ["http://x/i"]});
        let with = |extra: Value, md5| {
            let mut info = base.clone();
            info.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            parse(info, md5).map(|info| info.checksum.algorithm)
        };
        let (md5, sha256) = ("a".repeat(32), "a".repeat(64));
        let named = json!({"os_hash_algo": "sha512", "os_hash_value": "ab"});
        assert_eq!(with(named, false), Ok(Some(Algorithm::Sha512)));
        let known = Ok(Some(Algorithm::Sha256));
        assert_eq!(with(json!({"checksum": sha256}), false), known);
        let old = json!({"os_hash_algo": "whirlpool", "os_hash_value": "1", "checksum": sha256});
        assert_eq!(with(old, false), known);
        assert_eq!(with(json!({"checksum": "http://x/SUMS"}), false), Ok(None));
        assert_eq!(
            with(json!({"checksum": md5}), true),
            Ok(Some(Algorithm::Md5))
        );
        for refused in [
            json!({}),
            json!({"checksum": md5}),
            json!({"checksum": ""}),
            json!({"checksum": 5}),
            json!({"checksum": "abc"}),
            json!({"os_hash_algo": "md5", "os_hash_value": md5}),
            json!({"os_hash_algo": "sha256"}),
            json!({"os_hash_algo": "whirlpool", "os_hash_value": "1"}),
        ] {
            assert!(with(refused.clone(), false).is_err(), "{refused}");
        }
    }

    #[test]
    fn passwords_never_print() {
        let info = json!({"id": "i", "urls": ["http://x/i"], "checksum": "a".repeat(64),
            "image_server_auth_strategy": "http_basic", "image_server_user": "u",
            "image_server_password": "pa55"});
        let parsed = parse(info, false).unwrap();
        // "u:pa55" in base64.
        assert_eq!(
            parsed.authorization.as_ref().unwrap().expose(),
            "Basic dTpwYTU1"
        );
        assert!(!format!("{parsed:?}").contains("dTpwYTU1"));
    }

    #[test]
    fn only_raw_whole_disk_images_are_written() {
        let kind = |value: Value| ImageInfo::check_kind(value.as_object().unwrap()).is_ok();
        assert!(kind(
            json!({"disk_format": "raw", "image_type": "whole-disk"})
        ));
        assert!(!kind(
            json!({"disk_format": "raw", "image_type": "partition"})
        ));
        assert!(!kind(json!({"disk_format": "qcow2"})));
        assert!(!kind(json!({})));
    }
}
