//! Which fields a resource has from which version on, and which of them an answer shows: the
//! one table and the one way for each resource.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::version::{Version, since};

/// What a field that is not set reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    Null,
    Object,
    List,
    False,
    True,
    Text,
}

impl Empty {
    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Object => Value::Object(Map::new()),
            Self::List => Value::Array(Vec::new()),
            Self::False => Value::Bool(false),
            Self::True => Value::Bool(true),
            Self::Text => Value::String(String::new()),
        }
    }
}

/// A field of a resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    since: u16,
    empty: Empty,
}

impl Field {
    pub(super) const fn new(name: &'static str, since: u16, empty: Empty) -> Self {
        Self { name, since, empty }
    }
}

/// The fields of a resource, without its links.
pub(super) struct Fields(pub(super) &'static [Field]);

impl Fields {
    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|field| field.name)
    }

    /// Refuses (406) fields that this version does not have; those that none has are left to
    /// whoever knows them.
    pub(super) fn check_version<'a>(
        &self,
        version: Version,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Fault> {
        names
            .into_iter()
            .filter_map(|name| self.0.iter().find(|field| field.name == name))
            .try_for_each(|field| version.need(field.since))
    }

    /// A resource with every field, the missing ones as they read when not set.
    pub(super) fn complete(&self, mut document: Map<String, Value>) -> Map<String, Value> {
        for field in self.0 {
            if !document.contains_key(field.name) {
                document.insert(field.name.to_owned(), field.empty.value());
            }
        }
        document
    }

    /// What of a resource is shown: the fields that this version has, of those asked for.
    pub(super) fn shown(
        &self,
        version: Version,
        asked: Option<&[String]>,
        mut document: Map<String, Value>,
    ) -> Map<String, Value> {
        document.retain(|name, _| {
            let wanted = asked.is_none_or(|asked| asked.iter().any(|field| field == name));
            let field = self.0.iter().find(|field| field.name == name);
            wanted && field.is_some_and(|field| version.has(field.since))
        });
        document
    }
}

/// The fields that a list shows: those asked for; all with `detail`; a few otherwise.
pub(super) fn requested(
    version: Version,
    asked: Option<Vec<String>>,
    detail: Option<bool>,
    few: &[&str],
) -> Result<Option<Vec<String>>, Fault> {
    if detail.is_some() && !version.has(since::DETAIL_QUERY) {
        return Err(Fault::bad(format!(
            "detail needs at least version 1.{} of the API",
            since::DETAIL_QUERY
        )));
    }
    match (asked, detail.unwrap_or(false)) {
        (Some(_), true) => Err(Fault::bad("fields and detail exclude each other")),
        (Some(asked), false) => Ok(Some(asked)),
        (None, true) => Ok(None),
        (None, false) => Ok(Some(few.iter().map(|name| (*name).to_owned()).collect())),
    }
}

/// Refuses (400) names that are no field.
pub(super) fn check_known<'a>(
    names: impl IntoIterator<Item = &'a String>,
    mut known: impl FnMut(&str) -> bool,
) -> Result<(), Fault> {
    match names.into_iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => {
            let shown: String = name.chars().take(80).collect();
            Err(Fault::bad(format!("there is no field {shown:?}")))
        }
    }
}
