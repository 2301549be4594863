//! Virtual media: images that the BMC shows to the machine as drives.

use serde_json::{Value, json};

use super::System;
use crate::client::Until;
use crate::error::RedfishError;

/// A slot for virtual media (DSP0268 VirtualMedia), as it was when read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VirtualMedia {
    /// Its path.
    pub path: String,
    /// Its name among its neighbours.
    pub id: Option<String>,
    /// What it can look like: `CD`, `DVD`, `Floppy`, `USBStick`.
    pub media_types: Vec<String>,
    /// Whether something is in it; `None` when the BMC does not say.
    pub inserted: Option<bool>,
    /// Where the image in it comes from.
    pub image: Option<String>,
    /// The name of the image in it.
    pub image_name: Option<String>,
    etag: Option<String>,
    insert: Option<String>,
    eject: Option<String>,
}

impl VirtualMedia {
    fn of(path: String, etag: Option<String>, raw: &Value) -> Self {
        let text = |member: &str| raw.get(member).and_then(Value::as_str).map(str::to_owned);
        let action = |name: &str| {
            let target = raw.pointer(&format!("/Actions/#VirtualMedia.{name}/target"));
            target.and_then(Value::as_str).map(str::to_owned)
        };
        let types = raw.get("MediaTypes").and_then(Value::as_array);
        let types = types.into_iter().flatten().filter_map(Value::as_str);
        Self {
            id: text("Id"),
            media_types: types.map(str::to_owned).collect(),
            inserted: raw.get("Inserted").and_then(Value::as_bool),
            image: text("Image").filter(|image| !image.is_empty()),
            image_name: text("ImageName").filter(|name| !name.is_empty()),
            insert: action("InsertMedia"),
            eject: action("EjectMedia"),
            path,
            etag,
        }
    }

    /// Whether something is in it, by its own word or by the image that it names.
    pub fn is_full(&self) -> bool {
        self.inserted.unwrap_or(self.image.is_some())
    }

    fn takes(&self, media_type: &str) -> bool {
        self.media_types.iter().any(|known| known == media_type)
    }
}

impl System {
    /// The slots of the machine, or of the BMCs that manage it where the machine itself shows
    /// none, in their order.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get), and [`RedfishError::MissingAttribute`] when there
    /// is no `VirtualMedia` anywhere.
    pub async fn virtual_media(&self) -> Result<Vec<VirtualMedia>, RedfishError> {
        let mut collections: Vec<_> = link(&self.raw).into_iter().collect();
        if collections.is_empty() {
            let links = self.resource().links.as_ref();
            let managers = links.and_then(|links| links.managed_by.as_ref());
            for manager in managers.into_iter().flatten() {
                let Some(path) = &manager.id else { continue };
                let manager = self.client.get::<Value>(path).await?;
                collections.extend(link(&manager.value));
            }
        }
        if collections.is_empty() {
            return Err(self.missing("VirtualMedia"));
        }
        let mut slots = Vec::new();
        for collection in collections {
            for path in self.client.members(&collection).await? {
                let read = self.client.get::<Value>(&path).await?;
                slots.push(VirtualMedia::of(read.path, read.etag, &read.value));
            }
        }
        Ok(slots)
    }

    /// Puts the image at `url` into the first slot of one of these types, the first type that
    /// there is a slot of; what is in slots of that type is taken out before.
    ///
    /// # Errors
    ///
    /// As [`Client::post`](crate::Client::post); [`RedfishError::NotAllowed`] when there is no
    /// slot of any of these types.
    pub async fn insert_media(&self, media_types: &[&str], url: &str) -> Result<(), RedfishError> {
        let slots = self.virtual_media().await?;
        let found = media_types.iter().find_map(|media_type| {
            let slot = slots.iter().find(|slot| slot.takes(media_type));
            slot.map(|slot| (slot, *media_type))
        });
        let Some((slot, media_type)) = found else {
            let types = slots.iter().flat_map(|slot| slot.media_types.clone());
            return Err(RedfishError::NotAllowed {
                parameter: "MediaTypes",
                value: media_types.join(" or "),
                allowed: types.collect(),
            });
        };
        for full in slots.iter().filter(|slot| slot.is_full()) {
            if full.takes(media_type) {
                self.eject(full).await?;
            }
        }
        let body = json!({"Image": url, "Inserted": true, "WriteProtected": true});
        let reply = match &slot.insert {
            Some(target) => self.client.post(target, &body, false).await?,
            None => {
                // The tag was of the slot with the old image in it.
                let etag = slot.etag.as_deref().filter(|_| !slot.is_full());
                self.client.patch(&slot.path, etag, &body).await?
            }
        };
        self.client.finish(reply, Until::Done).await?;
        Ok(())
    }

    /// Empties the slots of these types; without any, all.
    ///
    /// # Errors
    ///
    /// As [`Client::post`](crate::Client::post).
    pub async fn eject_media(&self, media_types: &[&str]) -> Result<(), RedfishError> {
        let slots = self.virtual_media().await?;
        for slot in slots.iter().filter(|slot| slot.is_full()) {
            if media_types.is_empty() || media_types.iter().any(|kind| slot.takes(kind)) {
                self.eject(slot).await?;
            }
        }
        Ok(())
    }

    async fn eject(&self, slot: &VirtualMedia) -> Result<(), RedfishError> {
        let reply = match &slot.eject {
            Some(target) => self.client.post(target, &json!({}), true).await?,
            None => {
                let body = json!({"Image": null, "Inserted": false});
                let etag = slot.etag.as_deref();
                self.client.patch(&slot.path, etag, &body).await?
            }
        };
        self.client.finish(reply, Until::Done).await?;
        Ok(())
    }
}

/// Where a resource says that its slots are.
fn link(resource: &Value) -> Option<String> {
    let id = resource.pointer("/VirtualMedia/@odata.id")?;
    id.as_str().map(str::to_owned)
}
