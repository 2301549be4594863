//! Boot device and boot mode.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::System;
use super::boot_plan::{BootRequest, BootVendor, Sections, plan};
use crate::client::{Resource, Until};
use crate::error::RedfishError;
use crate::model::{Boot, BootSource, OverrideEnabled, OverrideMode};

/// The defaults of the original's `[redfish]post_boot_retry_attempts` and `_delay`.
const DURING_POST_ATTEMPTS: u32 = 6;
const DURING_POST_PAUSE: Duration = Duration::from_secs(5);

/// How a machine boots, with what its Settings resource adds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BootState {
    /// The members of `Boot`.
    pub boot: Boot,
    settings: Option<Resource<Value>>,
}

impl BootState {
    /// Where it boots from, and whether for good; `None` for what the BMC does not say.
    pub fn device(&self) -> (Option<BootSource>, Option<bool>) {
        let persistent = match self.boot.enabled {
            Some(OverrideEnabled::Continuous) => Some(true),
            Some(OverrideEnabled::Once) => Some(false),
            _ => None,
        };
        (self.boot.target.clone(), persistent)
    }

    fn settings_boot(&self) -> Option<&Map<String, Value>> {
        self.settings.as_ref()?.value.get("Boot")?.as_object()
    }
}

/// How long a boot device that was set stays set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Persistence {
    /// As long as was asked for.
    AsAsked,
    /// For the next boot only, the BMC having refused more: it is to be set again before every
    /// power on and reboot.
    OnceOnly,
}

/// What became of a change of boot mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModeChange {
    /// The BMC shows the mode that was asked for.
    InEffect,
    /// The BMC took it and shows the old one: a restart applies it (a BIOS job on Dell's).
    NeedsRestart,
    /// The BMC took it, and does not show modes at all.
    Unknown,
}

impl System {
    /// How the machine boots, read now.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get).
    pub async fn boot(&mut self) -> Result<BootState, RedfishError> {
        self.refresh().await?;
        self.boot_as_read().await
    }

    /// How the machine boots, by the resource as it was when last read.
    pub(crate) async fn boot_as_read(&self) -> Result<BootState, RedfishError> {
        let settings = match self
            .resource()
            .settings
            .as_ref()
            .and_then(|settings| settings.path())
        {
            Some(link) => match self.client.get::<Value>(link).await {
                Ok(settings) => Some(settings),
                Err(error) if error.refusal().is_some() => {
                    tracing::debug!(%error, "the system's settings cannot be read");
                    None
                }
                Err(error) => return Err(error),
            },
            None => None,
        };
        let own = self.resource().boot.clone().unwrap_or_default();
        let pending = settings
            .as_ref()
            .and_then(|settings| serde_json::from_value(settings.value.get("Boot")?.clone()).ok());
        Ok(BootState {
            boot: own.or(pending.unwrap_or_default()),
            settings,
        })
    }

    /// The targets that the BMC takes; all there are when it does not say.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get).
    pub async fn allowed_boot_sources(&mut self) -> Result<Vec<BootSource>, RedfishError> {
        let allowed = self.boot().await?.boot.allowable_targets();
        Ok(allowed.unwrap_or_else(|| BootSource::KNOWN.to_vec()))
    }

    /// Has the machine boot from `target`, once or from now on, in the way that `vendor` needs.
    ///
    /// A BMC that refuses to keep the target is asked for one boot instead; the result says so.
    /// One that refuses because the machine is in its power-on self-test (HPE iLO) is asked again,
    /// six times in all, 5 to 30 s apart.
    ///
    /// # Errors
    ///
    /// [`RedfishError::NotAllowed`] when the BMC names the targets it takes and this is none of
    /// them; [`RedfishError::MissingAttribute`] when `http_boot_uri` is given and the BMC has no
    /// such member; else as [`Client::patch`](crate::Client::patch).
    pub async fn set_boot_device(
        &mut self,
        target: BootSource,
        persistent: bool,
        http_boot_uri: Option<&str>,
        vendor: BootVendor,
    ) -> Result<Persistence, RedfishError> {
        let state = self.boot().await?;
        let enabled = if persistent {
            OverrideEnabled::Continuous
        } else {
            OverrideEnabled::Once
        };
        let uri = http_boot_uri.map(str::to_owned);
        let request = vendor
            .device_request(&state.boot, target.clone(), enabled)
            .http_boot_uri(uri.clone());
        let asked_to_keep = request.enabled == Some(OverrideEnabled::Continuous);
        let error = match self.write_after_post(&state, &request).await {
            Ok(()) => return Ok(Persistence::AsAsked),
            Err(error) => error,
        };
        // Continuous overrides have left the standard, and some BMCs, before there was anything
        // in their place.
        if !asked_to_keep || error.is_access_denied() || error.refusal().is_none() {
            return Err(error);
        }
        tracing::debug!(%error, "no persistent boot device, setting it for one boot");
        let once = BootRequest {
            enabled: Some(OverrideEnabled::Once),
            mode: None,
            ..request
        };
        self.refresh().await?;
        self.write_boot(&self.boot_as_read().await?, &once).await?;
        Ok(Persistence::OnceOnly)
    }

    /// Has the machine boot by `mode` from now on, in the way that `vendor` needs.
    ///
    /// # Errors
    ///
    /// As [`Client::patch`](crate::Client::patch). When the BMC refuses and has never shown a mode
    /// (HPE Gen9), [`RedfishError::MissingAttribute`]: it has no say in the mode.
    pub async fn set_boot_mode(
        &mut self,
        mode: OverrideMode,
        vendor: BootVendor,
    ) -> Result<ModeChange, RedfishError> {
        let state = self.boot().await?;
        // Looked at before the change, after which the member may be gone for a while.
        let shown = state.boot.mode.is_some();
        match self
            .write_boot(&state, &vendor.mode_request(&state.boot, mode.clone()))
            .await
        {
            Err(error) if !shown && error.refusal().is_some() => {
                tracing::debug!(%error, "the BMC has no say in the boot mode");
                return Err(self.missing("Boot/BootSourceOverrideMode"));
            }
            outcome => outcome?,
        }
        if !shown {
            return Ok(ModeChange::Unknown);
        }
        self.refresh().await?;
        let in_effect = self
            .resource()
            .boot
            .as_ref()
            .and_then(|boot| boot.mode.as_ref())
            == Some(&mode);
        Ok(if in_effect {
            ModeChange::InEffect
        } else {
            ModeChange::NeedsRestart
        })
    }

    /// Writes the members of `request`, each to the resource that has it.
    ///
    /// # Errors
    ///
    /// As [`set_boot_device`](Self::set_boot_device).
    pub async fn set_boot(&mut self, request: &BootRequest) -> Result<(), RedfishError> {
        let state = self.boot().await?;
        self.write_boot(&state, request).await
    }

    async fn write_after_post(
        &self,
        state: &BootState,
        request: &BootRequest,
    ) -> Result<(), RedfishError> {
        let mut pause = DURING_POST_PAUSE;
        for _ in 1..DURING_POST_ATTEMPTS {
            match self.write_boot(state, request).await {
                Err(error) if is_during_post(&error) => {
                    tracing::debug!(%error, pause_s = pause.as_secs(), "the machine is in its self-test");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(DURING_POST_PAUSE * 6);
                }
                outcome => return outcome,
            }
        }
        self.write_boot(state, request).await
    }

    async fn write_boot(
        &self,
        state: &BootState,
        request: &BootRequest,
    ) -> Result<(), RedfishError> {
        let own = self.raw.get("Boot").and_then(Value::as_object);
        let sections = Sections {
            system: own,
            settings: state.settings_boot(),
        };
        let allowed = state.boot.allowable_targets();
        let patch = plan(
            &sections,
            allowed.as_deref(),
            self.resource().manufacturer.as_deref(),
            request,
            self.path(),
        )?;
        if let (false, Some(settings)) = (patch.settings.is_empty(), &state.settings) {
            self.write(&settings.path, settings.etag.as_deref(), patch.settings)
                .await?;
        }
        if !patch.system.is_empty() {
            self.write(self.path(), self.etag(), patch.system).await?;
        }
        Ok(())
    }

    async fn write(
        &self,
        path: &str,
        etag: Option<&str>,
        boot: Map<String, Value>,
    ) -> Result<(), RedfishError> {
        let reply = self
            .client
            .patch(path, etag, &json!({"Boot": boot}))
            .await?;
        self.client.finish(reply, Until::Scheduled).await?;
        Ok(())
    }
}

fn is_during_post(error: &RedfishError) -> bool {
    error.refusal().is_some_and(|refusal| {
        refusal.status == StatusCode::BAD_REQUEST
            && refusal.extended.has_key("UnableToModifyDuringSystemPOST")
    })
}
