//! Parts of the machine that are resources of their own: its chassis, its storage.

use serde_json::Value;

use super::System;
use crate::client::Resource;
use crate::error::RedfishError;

/// A part that the BMC has no resource for, or does not give just now, as some do while the machine
/// starts; what is left when the BMC cannot be spoken to at all is the error.
pub(super) fn optional<T>(read: Result<T, RedfishError>) -> Result<Option<T>, RedfishError> {
    match read {
        Ok(part) => Ok(Some(part)),
        Err(error) if error.is_access_denied() => Err(error),
        Err(
            error @ (RedfishError::Status(_)
            | RedfishError::MissingAttribute { .. }
            | RedfishError::Malformed { .. }
            | RedfishError::ForeignLink { .. }
            | RedfishError::Collection { .. }),
        ) => {
            tracing::debug!(%error, "a part of the machine is not told of");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A text among a resource's members; none if it is empty.
pub(super) fn text<'a>(resource: &'a Value, member: &str) -> Option<&'a str> {
    let text = resource.get(member).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// Where a member leads.
pub(super) fn link<'a>(resource: &'a Value, member: &str) -> Option<&'a str> {
    resource
        .get(member)
        .and_then(|link| text(link, "@odata.id"))
}

/// Where the elements of a member lead.
pub(super) fn links<'a>(resource: &'a Value, member: &str) -> Vec<&'a str> {
    let elements = resource.get(member).and_then(Value::as_array);
    let elements = elements.into_iter().flatten();
    elements
        .filter_map(|element| text(element, "@odata.id"))
        .collect()
}

impl System {
    /// The chassis that the machine is in; those that cannot be read are left out.
    pub(super) async fn chassis(&self) -> Result<Vec<Resource<Value>>, RedfishError> {
        let links = self.resource().links.as_ref();
        let chassis = links.and_then(|links| links.chassis.as_ref());
        let mut read = Vec::new();
        for link in chassis.into_iter().flatten() {
            if let Some(path) = &link.id {
                read.extend(optional(self.client.get(path).await)?);
            }
        }
        Ok(read)
    }

    /// The members of one of the machine's own collections; none where it has no such collection.
    pub(super) async fn own(
        &self,
        collection: &str,
    ) -> Result<Option<Vec<Resource<Value>>>, RedfishError> {
        match link(&self.raw, collection) {
            Some(link) => optional(self.client.resources(link).await),
            None => Ok(None),
        }
    }

    /// The drives of one of the machine's storages; those that cannot be read are left out.
    pub(super) async fn drives(
        &self,
        storage: &Resource<Value>,
    ) -> Result<Vec<Resource<Value>>, RedfishError> {
        let mut drives = Vec::new();
        for path in links(&storage.value, "Drives") {
            drives.extend(optional(self.client.get(path).await)?);
        }
        Ok(drives)
    }
}
