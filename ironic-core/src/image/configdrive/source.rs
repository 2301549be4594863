use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::{ConfigDrive, ConfigDriveError};
use crate::runtime::Timestamp;
use crate::secret::MASK;

/// A config drive in any of the forms in which a caller may give it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// An `http` or `https` URL under which the agent finds the encoded drive.
    Url(String),
    /// The encoded drive itself.
    Encoded(String),
    /// What is to be on the drive.
    Contents(ConfigDrive),
}

impl Source {
    /// Reads `instance_info["configdrive"]`; null is none.
    ///
    /// # Errors
    ///
    /// [`ConfigDriveError::WrongType`] if it is neither text nor an object, or an object that is no config drive.
    pub fn from_value(value: &Value) -> Result<Option<Self>, ConfigDriveError> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) if text.starts_with("http") => Ok(Some(Self::Url(text.clone()))),
            Value::String(text) => Ok(Some(Self::Encoded(text.clone()))),
            Value::Object(_) => {
                ConfigDrive::from_value(value).map(|drive| Some(Self::Contents(drive)))
            }
            _ => Err(ConfigDriveError::WrongType {
                field: "configdrive",
                expected: "an object or a string",
            }),
        }
    }

    /// What the agent is given: a URL and an encoded drive as they are, contents encoded for the node.
    ///
    /// # Errors
    ///
    /// Those of [`ConfigDrive::encode`].
    pub fn into_text(
        self,
        node: Uuid,
        name: Option<&str>,
        time: Timestamp,
    ) -> Result<String, ConfigDriveError> {
        match self {
            Self::Url(text) | Self::Encoded(text) => Ok(text),
            Self::Contents(drive) => drive.for_node(node, name).encode(time),
        }
    }
}

/// Which form it has; a URL may hold a signature, a drive passwords.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_) => write!(f, "Url({MASK})"),
            Self::Encoded(_) => write!(f, "Encoded({MASK})"),
            Self::Contents(drive) => f.debug_tuple("Contents").field(drive).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms() {
        let read = |value| Source::from_value(&value);
        assert_eq!(read(json!(null)), Ok(None));
        assert_eq!(
            read(json!("https://host/drive")),
            Ok(Some(Source::Url("https://host/drive".to_owned())))
        );
        assert_eq!(
            read(json!("H4sI")),
            Ok(Some(Source::Encoded("H4sI".to_owned())))
        );
        assert_eq!(
            read(json!({})),
            Ok(Some(Source::Contents(ConfigDrive::new())))
        );
        for value in [json!(1), json!(true), json!([])] {
            assert!(matches!(
                read(value),
                Err(ConfigDriveError::WrongType { .. })
            ));
        }
    }

    #[test]
    fn nothing_secret_prints() {
        for value in [
            json!("https://host/?signature=hunter2"),
            json!("hunter2"),
            json!({"user_data": "hunter2"}),
        ] {
            let printed = format!("{:?}", Source::from_value(&value));
            assert!(!printed.contains("hunter2"), "{printed}");
        }
    }
}
