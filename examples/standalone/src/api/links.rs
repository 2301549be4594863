//! The links in answers.

use std::fmt::Display;

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
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
        // Texts alone, of which nothing cannot be written.
        serde_json::to_value(self.links(&path)).unwrap_or_default()
    }

    /// The same, to be written where they belong.
    pub(super) fn links<'a>(&'a self, path: &'a dyn Display) -> Links<'a> {
        Links {
            endpoint: self,
            path,
        }
    }

    /// The link of a version to itself.
    pub(super) fn to_version(&self) -> Value {
        json!({"href": format!("{}/v1/", self.0), "rel": "self"})
    }
}

/// The links of a resource to itself.
pub(super) struct Links<'a> {
    endpoint: &'a Endpoint,
    path: &'a dyn Display,
}

impl Serialize for Links<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut both = serializer.serialize_seq(Some(2))?;
        for (version, rel) in [("/v1", "self"), ("", "bookmark")] {
            both.serialize_element(&Link {
                links: self,
                version,
                rel,
            })?;
        }
        both.end()
    }
}

struct Link<'a> {
    links: &'a Links<'a>,
    version: &'a str,
    rel: &'a str,
}

impl Serialize for Link<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Links { endpoint, path } = self.links;
        let href = format_args!("{}{}/{path}", endpoint.0, self.version);
        let mut link = serializer.serialize_map(Some(2))?;
        link.serialize_entry("href", &href)?;
        link.serialize_entry("rel", self.rel)?;
        link.end()
    }
}
