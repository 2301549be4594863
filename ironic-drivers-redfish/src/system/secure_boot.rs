//! UEFI secure boot.

use http::StatusCode;
use serde_json::json;

use super::System;
use crate::client::{Resource, Until};
use crate::error::RedfishError;
use crate::model::{OverrideMode, SecureBoot};

/// What became of a change of secure boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecureBootChange {
    /// It was as asked for before; nothing was sent.
    Already,
    /// The BMC shows what was asked for.
    InEffect,
    /// The BMC took it and does not show it yet: a restart applies it (a BIOS job on Dell's).
    NeedsRestart,
}

impl System {
    /// Whether the next boot is a secure one. `None` when the BMC does not tell, Supermicro's
    /// without the licence for it among them.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get), and [`RedfishError::MissingAttribute`] when the
    /// machine has no `SecureBoot`.
    pub async fn secure_boot(&self) -> Result<Option<bool>, RedfishError> {
        match self.secure_boot_resource().await {
            Ok(resource) => Ok(resource.value.enabled),
            Err(error) if lacks_licence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Turns secure boot on or off for the next boot.
    ///
    /// # Errors
    ///
    /// As [`Client::patch`](crate::Client::patch); [`RedfishError::MissingAttribute`] when the
    /// machine has no `SecureBoot`; [`RedfishError::InvalidState`] when it boots by BIOS.
    pub async fn set_secure_boot(
        &mut self,
        enabled: bool,
    ) -> Result<SecureBootChange, RedfishError> {
        let resource = self.secure_boot_resource().await?;
        if resource.value.enabled == Some(enabled) {
            return Ok(SecureBootChange::Already);
        }
        if self.boot().await?.boot.mode == Some(OverrideMode::Legacy) {
            return Err(RedfishError::InvalidState {
                reason: "secure boot needs UEFI boot mode",
            });
        }
        let settings = resource
            .value
            .settings
            .as_ref()
            .and_then(|settings| settings.path());
        let (path, etag) = match settings {
            Some(path) => (path, None),
            None => (resource.path.as_str(), resource.etag.as_deref()),
        };
        let reply = self
            .client
            .patch(path, etag, &json!({"SecureBootEnable": enabled}))
            .await?;
        self.client.finish(reply, Until::Scheduled).await?;
        // A BMC that is at work on the change may not answer; it did take it.
        let shown = match self.secure_boot_resource().await {
            Ok(resource) => resource.value.enabled,
            Err(error) if error.is_retryable() => None,
            Err(error) => return Err(error),
        };
        Ok(if shown == Some(enabled) {
            SecureBootChange::InEffect
        } else {
            SecureBootChange::NeedsRestart
        })
    }

    async fn secure_boot_resource(&self) -> Result<Resource<SecureBoot>, RedfishError> {
        let link = self
            .resource()
            .secure_boot
            .as_ref()
            .and_then(|link| link.id.as_deref());
        self.client
            .get(link.ok_or_else(|| self.missing("SecureBoot"))?)
            .await
    }
}

fn lacks_licence(error: &RedfishError) -> bool {
    error.refusal().is_some_and(|refusal| {
        matches!(
            refusal.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) && refusal.extended.has_key("OemLicenseNotPassed")
    })
}
