//! What the agent is told about the image that it is to write.

use serde_json::{Map, Value};

use super::image_proxies;
use crate::image::configdrive::Source;
use crate::image::{ChecksumPolicy, ExpectedChecksum, ImageError};
use crate::model::Node;
use crate::runtime::Timestamp;
use crate::{Config, Error};

/// A string of the node's `instance_info`.
fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.instance_info
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Checks what can be known of an image without fetching anything.
pub(super) fn validate(node: &Node, config: &Config) -> Result<(), Error> {
    let source = text(node, "image_source")
        .ok_or_else(|| Error::missing("instance_info/image_source is required"))?;
    if !(source.starts_with("http://") || source.starts_with("https://")) {
        return Err(Error::invalid(format!(
            "instance_info/image_source must be an http or https URL, not {source:?}"
        )));
    }
    let hash = (
        text(node, "image_os_hash_algo"),
        text(node, "image_os_hash_value"),
    );
    match (text(node, "image_checksum"), hash) {
        (None, (None, None)) => {
            return Err(Error::missing(
                "instance_info/image_checksum (or image_os_hash_algo and image_os_hash_value) is required",
            ));
        }
        (_, (Some(_), None) | (None, Some(_))) => {
            return Err(Error::missing(
                "image_os_hash_algo and image_os_hash_value go together",
            ));
        }
        _ => {}
    }
    check_allowed(node, source, config)?;
    let wrong = match text(node, "image_disk_format") {
        None | Some("raw") => None,
        Some(other) => Some(format!(
            "instance_info/image_disk_format {other:?} is not supported: only raw is"
        )),
    };
    if let Some(wrong) = wrong {
        return Err(Error::invalid(wrong));
    }
    let partition = ["kernel", "ramdisk"]
        .iter()
        .find(|key| text(node, key).is_some());
    if let Some(key) = partition {
        return Err(Error::invalid(format!(
            "instance_info/{key} makes the image a partition image; only whole-disk images are supported"
        )));
    }
    image_proxies::validate(&node.driver_info)?;
    configdrive_source(node).map(|_| ())
}

/// A checksum has to be of a sort that the operator accepts; whether it is one, the agent judges.
fn check_allowed(node: &Node, source: &str, config: &Config) -> Result<(), Error> {
    let Ok(image) = source.parse() else {
        return Ok(());
    };
    let policy = ChecksumPolicy::default()
        .with_md5(config.agent_allow_md5_checksum)
        .with_urls(!config.disable_support_for_checksum_files);
    match ExpectedChecksum::from_instance_info(&node.instance_info, &image, policy) {
        Err(error @ (ImageError::Md5NotAllowed | ImageError::ChecksumUrlNotAllowed)) => {
            Err(Error::invalid(error.to_string()))
        }
        _ => Ok(()),
    }
}

fn configdrive_source(node: &Node) -> Result<Option<Source>, Error> {
    let value = node
        .instance_info
        .get("configdrive")
        .unwrap_or(&Value::Null);
    Source::from_value(value)
        .map_err(|error| Error::invalid(format!("the config drive is not valid: {error}")))
}

/// The arguments of the agent's `write_image` step.
pub(super) fn write_image_args(
    node: &Node,
    config: &Config,
    now: Timestamp,
) -> Result<Map<String, Value>, Error> {
    validate(node, config)?;
    let source = text(node, "image_source").unwrap_or_default();
    let mut info = Map::new();
    let mut set = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            info.insert(key.to_owned(), Value::from(value));
        }
    };
    set("id", source.rsplit('/').next());
    set(
        "disk_format",
        Some(text(node, "image_disk_format").unwrap_or("raw")),
    );
    set("container_format", text(node, "image_container_format"));
    set("checksum", text(node, "image_checksum"));
    set("os_hash_algo", text(node, "image_os_hash_algo"));
    set("os_hash_value", text(node, "image_os_hash_value"));
    set("node_uuid", Some(&node.uuid.to_string()));
    info.insert(
        "urls".to_owned(),
        Value::from(vec![text(node, "image_url").unwrap_or(source)]),
    );
    image_proxies::add_to(&mut info, &node.driver_info);
    info.insert("stream_raw_images".to_owned(), Value::Bool(true));
    let configdrive = match configdrive_source(node)? {
        None => Value::Null,
        Some(source) => Value::from(
            source
                .into_text(node.uuid, node.name.as_deref(), now)
                .map_err(|error| {
                    Error::invalid(format!("the config drive cannot be made: {error}"))
                })?,
        ),
    };
    if !configdrive.is_null() {
        info.insert("configdrive".to_owned(), configdrive.clone());
    }
    let mut args = Map::new();
    args.insert("image_info".to_owned(), Value::Object(info));
    args.insert("configdrive".to_owned(), configdrive);
    Ok(args)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{validate, write_image_args};
    use crate::Config;
    use crate::model::Node;
    use crate::runtime::Timestamp;

    fn node(info: serde_json::Value) -> Node {
        let mut node = Node::new(uuid::Uuid::nil(), "ipmi");
        node.instance_info = info.as_object().unwrap().clone();
        node
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (info, named) in [
            (json!({}), "image_source"),
            (json!({"image_source": "/etc/passwd"}), "image_source"),
            (json!({"image_source": "http://a/b"}), "image_checksum"),
            (
                json!({"image_source": "http://a/b", "image_os_hash_algo": "sha256"}),
                "image_os_hash_value",
            ),
            (
                json!({"image_source": "http://a/b", "image_checksum": "0", "image_disk_format": "vmdk"}),
                "vmdk",
            ),
            (
                json!({"image_source": "http://a/b", "image_checksum": "0", "kernel": "k"}),
                "kernel",
            ),
            (
                json!({"image_source": "http://a/b", "image_checksum": "0", "configdrive": 7}),
                "config drive",
            ),
        ] {
            let error = validate(&node(info), &Config::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_agent_gets_image_and_config_drive() {
        let node = node(
            json!({"image_source": "http://a/disk.raw", "image_os_hash_algo": "sha512",
            "image_os_hash_value": "ab", "configdrive": {"meta_data": {"hostname": "h"}}}),
        );
        let args = write_image_args(&node, &Config::default(), Timestamp::EPOCH).unwrap();
        let info = &args["image_info"];
        assert_eq!(info["id"], "disk.raw");
        assert_eq!(info["urls"], json!(["http://a/disk.raw"]));
        assert_eq!(
            (&info["os_hash_algo"], &info["os_hash_value"]),
            (&json!("sha512"), &json!("ab"))
        );
        assert!(args["configdrive"].as_str().unwrap().len() > 100);
        assert_eq!(
            write_image_args(&node, &Config::default(), Timestamp::EPOCH).unwrap(),
            args,
            "made anew it is the same"
        );
    }
}
