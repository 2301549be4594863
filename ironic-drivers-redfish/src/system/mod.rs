//! Typed operations on one machine.

mod boot;
mod boot_plan;
mod firmware;
mod indicator;
mod inventory;
mod light;
mod media;
mod part;
mod power;
mod secure_boot;
mod sensors;

use std::sync::Arc;

use serde_json::Value;

use crate::client::{Client, Resource};
use crate::error::RedfishError;
use crate::model::ComputerSystem;

pub use boot::{BootState, ModeChange, Persistence};
pub use boot_plan::{BootRequest, BootVendor};
pub use firmware::FirmwareVersion;
pub use inventory::AssetInfo;
pub use light::Light;
pub use media::VirtualMedia;
pub use secure_boot::SecureBootChange;

/// One machine behind a BMC, with its resource as it was when last read.
#[derive(Debug, Clone)]
pub struct System {
    client: Arc<Client>,
    path: String,
    etag: Option<String>,
    raw: Value,
    resource: ComputerSystem,
}

impl System {
    /// The system that `id` names (a path, or the last part of one); without `id`, the only
    /// system of the service.
    ///
    /// # Errors
    ///
    /// [`RedfishError::AmbiguousSystem`] when none is named and there is not exactly one; else as
    /// [`Client::get`].
    pub async fn find(client: &Arc<Client>, id: Option<&str>) -> Result<Self, RedfishError> {
        let path = match id.filter(|id| !id.is_empty()) {
            Some(id) if id.starts_with('/') || id.contains("://") => id.to_owned(),
            Some(id) => named(client.systems().await?, id)?,
            None => only(client.systems().await?)?,
        };
        let read = client.get(&path).await?;
        let mut system = Self {
            client: client.clone(),
            path: String::new(),
            etag: None,
            raw: Value::Null,
            resource: ComputerSystem::default(),
        };
        system.take(read)?;
        Ok(system)
    }

    /// Reads the resource again.
    ///
    /// # Errors
    ///
    /// As [`Client::get`].
    pub async fn refresh(&mut self) -> Result<(), RedfishError> {
        let read = self.client.get(&self.path).await?;
        self.take(read)
    }

    fn take(&mut self, read: Resource<Value>) -> Result<(), RedfishError> {
        self.resource = serde_json::from_value(read.value.clone()).map_err(|error| {
            RedfishError::Malformed {
                path: read.path.clone(),
                reason: error.to_string(),
            }
        })?;
        (self.path, self.etag, self.raw) = (read.path, read.etag, read.value);
        Ok(())
    }

    /// The BMC's client.
    pub const fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The resource's path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The resource's ETag as it was when last read.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The resource as it was when last read.
    pub const fn resource(&self) -> &ComputerSystem {
        &self.resource
    }

    fn missing(&self, attribute: &'static str) -> RedfishError {
        RedfishError::MissingAttribute {
            path: self.path.clone(),
            attribute,
        }
    }
}

fn only(paths: Vec<String>) -> Result<String, RedfishError> {
    let count = paths.len();
    match paths.into_iter().next() {
        Some(path) if count == 1 => Ok(path),
        _ => Err(RedfishError::AmbiguousSystem { count }),
    }
}

fn named(paths: Vec<String>, id: &str) -> Result<String, RedfishError> {
    let count = paths.len();
    let found = paths
        .into_iter()
        .find(|path| path.trim_end_matches('/').rsplit('/').next() == Some(id));
    found.ok_or(RedfishError::AmbiguousSystem { count })
}
