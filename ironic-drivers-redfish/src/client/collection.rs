//! Collections, page by page.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Client;
use crate::error::RedfishError;
use crate::model::Collection;

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
        let first = self.connection.base.resolve(link)?;
        let broken = |reason| RedfishError::Collection {
            path: first.clone(),
            reason,
        };
        let mut visited = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut paths = Vec::new();
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
                    paths.push(path);
                }
            }
            if paths.len() > self.options.member_limit {
                return Err(broken("too many members"));
            }
            next = page
                .next
                .or(page.bare_next)
                .map(|link| self.connection.base.resolve(&link))
                .transpose()?;
        }
        Ok(paths)
    }
}
