//! The links in answers.

use serde_json::{Value, json};

/// Where clients reach this service: scheme, host and port, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint(String);

impl Endpoint {
    pub(super) fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').to_owned())
    }

    /// The address of a resource.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.0)
    }

    /// The links of a resource to itself: in this version, and in any.
    pub(super) fn both(&self, path: &str) -> Value {
        json!([
            {"href": self.url(path), "rel": "self"},
            {"href": format!("{}/{path}", self.0), "rel": "bookmark"},
        ])
    }

    /// The link of a version to itself.
    pub(super) fn to_version(&self) -> Value {
        json!({"href": format!("{}/v1/", self.0), "rel": "self"})
    }
}
