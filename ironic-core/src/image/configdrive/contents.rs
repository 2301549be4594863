use std::fmt;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{APPLICATION, ConfigDriveError, LABEL, MAX_SIZE, PUBLISHER, VERSIONS, encode, json};
use crate::image::iso9660::{Tree, WriteError, Writer};
use crate::runtime::Timestamp;
use crate::secret::MASK;

/// What a config drive says, before it is an image.
#[derive(Clone, PartialEq, Default)]
#[must_use = "a config drive does nothing until it is encoded"]
pub struct ConfigDrive {
    meta_data: Map<String, Value>,
    network_data: Option<Value>,
    user_data: Option<UserData>,
    vendor_data: Option<Value>,
}

/// What the user wants the machine to run or read at its first boot.
#[derive(Clone, PartialEq)]
pub enum UserData {
    /// Bytes as they are: a script, a cloud-config, a MIME message.
    Bytes(Vec<u8>),
    /// A value to be written as JSON, such as an ignition configuration.
    Json(Value),
}

impl ConfigDrive {
    /// A config drive without anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the form that an API caller gives and `instance_info["configdrive"]` keeps: an object with any of
    /// `meta_data`, `network_data`, `user_data` and `vendor_data`. Other members mean nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigDriveError::WrongType`] if the value or its `meta_data` is no object or its `user_data` is
    /// a number or `true`.
    pub fn from_value(value: &Value) -> Result<Self, ConfigDriveError> {
        let wrong = |field, expected| ConfigDriveError::WrongType { field, expected };
        let object = value
            .as_object()
            .ok_or_else(|| wrong("configdrive", "an object"))?;
        let meta_data = match object.get("meta_data") {
            None => Map::new(),
            Some(Value::Object(meta_data)) => meta_data.clone(),
            Some(_) => return Err(wrong("meta_data", "an object")),
        };
        let user_data = match object.get("user_data") {
            None => None,
            Some(value @ (Value::Object(_) | Value::Array(_))) => {
                Some(UserData::Json(value.clone()))
            }
            Some(value) if is_empty(value) => None,
            Some(Value::String(text)) => Some(UserData::Bytes(text.clone().into_bytes())),
            Some(_) => return Err(wrong("user_data", "an object, an array or a string")),
        };
        let document = |name| object.get(name).filter(|value| !is_empty(value)).cloned();
        Ok(Self {
            meta_data,
            network_data: document("network_data"),
            user_data,
            vendor_data: document("vendor_data"),
        })
    }

    /// Sets the instance's metadata.
    pub fn meta_data(mut self, meta_data: Map<String, Value>) -> Self {
        self.meta_data = meta_data;
        self
    }

    /// Sets the description of the instance's network, in the form of OpenStack's `network_data.json`.
    pub fn network_data(mut self, network_data: Value) -> Self {
        self.network_data = Some(network_data).filter(|value| !is_empty(value));
        self
    }

    /// Sets what the user wants the machine to run or read; an empty text is none.
    pub fn user_data(mut self, user_data: impl Into<UserData>) -> Self {
        self.user_data = Some(user_data.into())
            .filter(|data| !matches!(data, UserData::Bytes(bytes) if bytes.is_empty()));
        self
    }

    /// Sets what the operator of the cloud adds.
    pub fn vendor_data(mut self, vendor_data: Value) -> Self {
        self.vendor_data = Some(vendor_data).filter(|value| !is_empty(value));
        self
    }

    /// Fills in the node's uuid and, if it has one, its name where the metadata have no `uuid` and `name` of their own.
    pub fn for_node(mut self, uuid: Uuid, name: Option<&str>) -> Self {
        self.meta_data
            .entry("uuid")
            .or_insert_with(|| uuid.to_string().into());
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.meta_data.entry("name").or_insert_with(|| name.into());
        }
        self
    }

    /// The files of the drive.
    pub fn tree(&self) -> Tree {
        let meta_data = json::to_text(&Value::Object(self.meta_data.clone()));
        let mut files = vec![("meta_data.json", meta_data)];
        files.extend(
            self.network_data
                .as_ref()
                .map(|data| ("network_data.json", json::to_text(data))),
        );
        files.extend(
            self.user_data
                .as_ref()
                .map(|data| ("user_data", data.to_bytes())),
        );
        files.extend(
            self.vendor_data
                .as_ref()
                .map(|data| ("vendor_data2.json", json::to_text(data))),
        );
        let mut tree = Tree::new();
        for version in VERSIONS {
            for (name, content) in &files {
                // These names are valid and each occurs once.
                let _ = tree.insert(&format!("openstack/{version}/{name}"), content.clone());
            }
        }
        tree
    }

    /// The drive as an ISO 9660 image of at most [`MAX_SIZE`] bytes, the same bytes for the same contents and time.
    ///
    /// # Errors
    ///
    /// [`ConfigDriveError::TooLarge`], or [`ConfigDriveError::Write`] for a time outside the years 1900 to 2155.
    pub fn image(&self, time: Timestamp) -> Result<Vec<u8>, ConfigDriveError> {
        write(&self.tree(), PUBLISHER, time)
    }

    /// The drive as the text that `instance_info["configdrive"]` and the agent take: base64 of gzip of the image.
    ///
    /// # Errors
    ///
    /// Those of [`image`](Self::image).
    pub fn encode(&self, time: Timestamp) -> Result<String, ConfigDriveError> {
        self.image(time).map(|image| encode(&image))
    }
}

/// Writes the image of a config drive.
pub(super) fn write(
    tree: &Tree,
    publisher: &str,
    time: Timestamp,
) -> Result<Vec<u8>, ConfigDriveError> {
    let writer = Writer::new(LABEL, time)
        .publisher(publisher)
        .application(APPLICATION)
        .max_size(MAX_SIZE);
    writer.write(tree).map_err(|error| match error {
        WriteError::TooLarge { .. } => ConfigDriveError::TooLarge { limit: MAX_SIZE },
        error => ConfigDriveError::Write(error),
    })
}

/// Whether the original takes a value for none: null, false, zero, and what has nothing in it.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

impl UserData {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Json(value) => json::to_text(value),
        }
    }
}

impl From<&str> for UserData {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<String> for UserData {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl From<Vec<u8>> for UserData {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Value> for UserData {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// Which parts there are; passwords may be in any of them.
impl fmt::Debug for ConfigDrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = |present: bool| present.then_some(MASK);
        f.debug_struct("ConfigDrive")
            .field("meta_data", &self.meta_data.keys().collect::<Vec<_>>())
            .field("network_data", &mask(self.network_data.is_some()))
            .field("user_data", &mask(self.user_data.is_some()))
            .field("vendor_data", &mask(self.vendor_data.is_some()))
            .finish()
    }
}

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn setters_and_the_form_of_the_api_agree() {
        let value = json!({
            "meta_data": {"hostname": "h"},
            "network_data": {"links": []},
            "user_data": "text",
            "vendor_data": {"v": 1},
        });
        let by_setters = ConfigDrive::new()
            .meta_data(Map::from_iter([("hostname".to_owned(), json!("h"))]))
            .network_data(json!({"links": []}))
            .user_data("text")
            .vendor_data(json!({"v": 1}));
        assert_eq!(ConfigDrive::from_value(&value), Ok(by_setters));
        let empty = ConfigDrive::new()
            .network_data(json!({}))
            .user_data("")
            .vendor_data(json!(null));
        assert_eq!(empty, ConfigDrive::new());
    }

    #[test]
    fn same_contents_same_text_whatever_the_order_of_members() {
        let a: Value = serde_json::from_str(r#"{"meta_data": {"b": 1, "a": 2}}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"meta_data": {"a": 2, "b": 1}}"#).unwrap();
        let text = |value| {
            ConfigDrive::from_value(value)
                .unwrap()
                .encode(Timestamp::EPOCH)
                .unwrap()
        };
        assert_eq!(text(&a), text(&b));
    }

    #[test]
    fn the_limit_is_that_of_the_image() {
        let drive = |size: usize| {
            ConfigDrive::new()
                .user_data(vec![b'x'; size])
                .image(Timestamp::EPOCH)
        };
        let overhead = drive(2048).unwrap().len() - 2048;
        let limit = usize::try_from(MAX_SIZE).unwrap();
        assert_eq!(drive(limit - overhead).map(|image| image.len()), Ok(limit));
        assert_eq!(
            drive(limit - overhead + 1),
            Err(ConfigDriveError::TooLarge { limit: MAX_SIZE })
        );
    }

    #[test]
    fn nothing_secret_prints() {
        let drive = ConfigDrive::from_value(
            &json!({"meta_data": {"admin_pass": "hunter2"}, "user_data": "hunter2"}),
        );
        let printed = format!("{drive:?} {:?}", UserData::from("hunter2"));
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("admin_pass"), "{printed}");
    }
}
