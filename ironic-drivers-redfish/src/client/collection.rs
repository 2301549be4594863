//! Collections, page by page.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Client, Resource};
use crate::error::RedfishError;
use crate::model::Collection;

type JsonObject = Map<String, Value>;

/// More pages than this are a loop.
const MAX_PAGES: usize = 256;

impl Client {
    /// The paths of all members of a collection, in its order, each once.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`RedfishError::Collection`] when the pages do not end or there
    /// are too many members.
    pub async fn members(&self, link: &str) -> Result<Vec<String>, RedfishError> {
        let entries = self.entries(link).await?.into_iter();
        Ok(entries.map(|(path, _)| path).collect())
    }

    /// All members of a collection, in its order, each once: those that the BMC has expanded are
    /// taken as they are, the others are read.
    ///
    /// # Errors
    ///
    /// As [`members`](Self::members) and [`get`](Self::get).
    pub async fn resources(&self, link: &str) -> Result<Vec<Resource<Value>>, RedfishError> {
        let mut resources = Vec::new();
        for (path, entry) in self.entries(link).await? {
            // A mere link has no name.
            let resource = if entry.contains_key("Id") {
                let etag = entry.get("@odata.etag").and_then(Value::as_str);
                Resource {
                    path,
                    etag: etag.map(str::to_owned),
                    value: entry.into(),
                }
            } else {
                self.get(&path).await?
            };
            resources.push(resource);
        }
        Ok(resources)
    }

    async fn entries(&self, link: &str) -> Result<Vec<(String, JsonObject)>, RedfishError> {
        let first = self.connection.base.resolve(link)?;
        let broken = |reason| RedfishError::Collection {
            path: first.clone(),
            reason,
        };
        let mut visited = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        let mut next = Some(first.clone());
        while let Some(page) = next {
            if visited.len() == MAX_PAGES {
                return Err(broken("too many pages"));
            }
            if !visited.insert(page.clone()) {
                return Err(broken("its pages form a loop"));
            }
            let page = self.get::<Collection>(&page).await?.value;
            for member in page.members.unwrap_or_default() {
                let Some(link) = member.get("@odata.id").and_then(Value::as_str) else {
                    continue;
                };
                let path = self.connection.base.resolve(link)?;
                if seen.insert(path.clone()) {
                    entries.push((path, member));
                }
            }
            if entries.len() > self.options.member_limit {
                return Err(broken("too many members"));
            }
            next = page
                .next
                .or(page.bare_next)
                .map(|link| self.connection.base.resolve(&link))
                .transpose()?;
        }
        Ok(entries)
    }
}
