//! What to write where to change how a machine boots. Pure.

use serde_json::{Map, Value, json};

use crate::error::RedfishError;
use crate::model::{Boot, BootSource, OverrideEnabled, OverrideMode};

/// What is to change about the next boot; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BootRequest {
    /// From where to boot.
    pub target: Option<BootSource>,
    /// For how long.
    pub enabled: Option<OverrideEnabled>,
    /// By which firmware interface.
    pub mode: Option<OverrideMode>,
    /// What [`BootSource::UefiHttp`] fetches; `None` leaves it to DHCP.
    pub http_boot_uri: Option<String>,
}

impl BootRequest {
    /// Boot from `target`.
    pub fn from_source(target: BootSource) -> Self {
        Self {
            target: Some(target),
            ..Self::default()
        }
    }

    /// Boot by `mode`.
    pub fn by_mode(mode: OverrideMode) -> Self {
        Self {
            mode: Some(mode),
            ..Self::default()
        }
    }

    /// Sets for how long.
    #[must_use]
    pub fn enabled(mut self, enabled: Option<OverrideEnabled>) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the firmware interface.
    #[must_use]
    pub fn mode(mut self, mode: Option<OverrideMode>) -> Self {
        self.mode = mode;
        self
    }

    /// Sets what UEFI HTTP boot fetches.
    #[must_use]
    pub fn http_boot_uri(mut self, uri: Option<String>) -> Self {
        self.http_boot_uri = uri;
        self
    }
}

/// What is particular about a vendor's boot override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BootVendor {
    /// Nothing: `BootSourceOverrideEnabled` is written only when it changes (some BMCs refuse it
    /// otherwise), the mode only when asked for.
    #[default]
    Usual,
    /// Supermicro: `BootSourceOverrideEnabled` is always written, and the mode falls back to BIOS
    /// when the device changes.
    Supermicro,
    /// AMI, ASRock Rack and kin: target, duration and mode are always written together.
    WholeRequest,
}

impl BootVendor {
    /// By the vendor's name, as in a node's `properties/vendor`.
    pub fn of(vendor: &str) -> Self {
        let vendor = vendor.to_lowercase();
        if [
            "american megatrends international",
            "ami",
            "asrockrack",
            "redfish_compatible",
        ]
        .iter()
        .any(|name| vendor.contains(name))
        {
            Self::WholeRequest
        } else if vendor == "supermicro" {
            Self::Supermicro
        } else {
            Self::Usual
        }
    }

    /// The request for booting from `target`, given how the machine boots now.
    pub(super) fn device_request(
        self,
        now: &Boot,
        target: BootSource,
        enabled: OverrideEnabled,
    ) -> BootRequest {
        let request = BootRequest::from_source(target);
        match self {
            Self::Supermicro => request.enabled(Some(enabled)),
            Self::WholeRequest => request
                .enabled(Some(enabled))
                .mode(Some(now.mode.clone().unwrap_or(OverrideMode::Uefi))),
            Self::Usual => {
                let unchanged = now.enabled.as_ref() == Some(&enabled);
                request.enabled((!unchanged).then_some(enabled))
            }
        }
    }

    /// The request for booting by `mode`, given how the machine boots now.
    pub(super) fn mode_request(self, now: &Boot, mode: OverrideMode) -> BootRequest {
        let mut request = BootRequest::by_mode(mode);
        if self == Self::WholeRequest {
            request.enabled = Some(now.enabled.clone().unwrap_or(OverrideEnabled::Once));
            request.target = Some(now.target.clone().unwrap_or(BootSource::Pxe));
        }
        request
    }
}

/// What is written to the system and what to its Settings resource.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct BootPatch {
    pub(super) system: Map<String, Value>,
    pub(super) settings: Map<String, Value>,
}

/// `Boot` as the system has it, and as its Settings resource has it, where there is one.
pub(super) struct Sections<'a> {
    pub(super) system: Option<&'a Map<String, Value>>,
    pub(super) settings: Option<&'a Map<String, Value>>,
}

impl Sections<'_> {
    /// The map to write `name` to, and its present value: the Settings resource when that knows
    /// the member, else the system; `None` when neither knows it.
    fn home<'p>(
        &self,
        patch: &'p mut BootPatch,
        name: &str,
    ) -> Option<(&'p mut Map<String, Value>, Value)> {
        if let Some(value) = self.settings.and_then(|section| section.get(name)) {
            return Some((&mut patch.settings, value.clone()));
        }
        let value = self.system.and_then(|section| section.get(name))?;
        Some((&mut patch.system, value.clone()))
    }

    /// Writes a member of the standard, known to the BMC or not.
    fn write(&self, patch: &mut BootPatch, name: &str, value: &str) {
        match self.home(patch, name) {
            Some((section, _)) => section.insert(name.to_owned(), json!(value)),
            None => patch.system.insert(name.to_owned(), json!(value)),
        };
    }

    /// Takes back a URI that was set before; BMCs without the member are not told of it.
    fn clear_http_boot_uri(&self, patch: &mut BootPatch) {
        if let Some((section, present)) = self.home(patch, "HttpBootUri")
            && !present.is_null()
        {
            section.insert("HttpBootUri".to_owned(), Value::Null);
        }
    }
}

/// Works out the PATCHes for `request`. `allowed` are the targets that the BMC takes, where it says
/// so.
pub(super) fn plan(
    sections: &Sections<'_>,
    allowed: Option<&[BootSource]>,
    manufacturer: Option<&str>,
    request: &BootRequest,
    path: &str,
) -> Result<BootPatch, RedfishError> {
    let mut patch = BootPatch::default();
    if let Some(target) = &request.target {
        check(target, allowed)?;
        sections.write(
            &mut patch,
            "BootSourceOverrideTarget",
            effective(target, allowed, manufacturer).as_str(),
        );
        match &request.http_boot_uri {
            Some(uri) if *target == BootSource::UefiHttp => {
                match sections.home(&mut patch, "HttpBootUri") {
                    Some((section, _)) => section.insert("HttpBootUri".to_owned(), json!(uri)),
                    None => {
                        return Err(RedfishError::MissingAttribute {
                            path: path.to_owned(),
                            attribute: "Boot/HttpBootUri",
                        });
                    }
                }
            }
            _ => {
                sections.clear_http_boot_uri(&mut patch);
                None
            }
        };
    }
    if let Some(enabled) = &request.enabled {
        sections.write(&mut patch, "BootSourceOverrideEnabled", enabled.as_str());
    }
    if let Some(mode) = &request.mode {
        sections.write(&mut patch, "BootSourceOverrideMode", mode.as_str());
    }
    Ok(patch)
}

fn check(target: &BootSource, allowed: Option<&[BootSource]>) -> Result<(), RedfishError> {
    match allowed {
        Some(allowed) if !allowed.contains(target) => Err(RedfishError::NotAllowed {
            parameter: "BootSourceOverrideTarget",
            value: target.to_string(),
            allowed: allowed.iter().map(ToString::to_string).collect(),
        }),
        _ => Ok(()),
    }
}

/// On Supermicro X11 and X12 virtual media is a USB CD drive; `Cd` is listed and boots nothing.
fn effective<'t>(
    target: &'t BootSource,
    allowed: Option<&[BootSource]>,
    manufacturer: Option<&str>,
) -> &'t BootSource {
    let supermicro = manufacturer.is_some_and(|name| name.eq_ignore_ascii_case("supermicro"));
    let has_usb_cd = allowed.is_some_and(|allowed| allowed.contains(&BootSource::UsbCd));
    if *target == BootSource::Cd && supermicro && has_usb_cd {
        &BootSource::UsbCd
    } else {
        target
    }
}
