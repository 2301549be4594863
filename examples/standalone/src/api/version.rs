//! Microversions: which one a request asks for, and from which on something exists.

use std::fmt;

use http::HeaderMap;

use super::fault::Fault;

/// The header that a request names its version in, and an answer the version that it is in.
pub(super) const HEADER: &str = "x-openstack-ironic-api-version";
/// The header that says which version is the oldest.
pub(super) const MINIMUM_HEADER: &str = "x-openstack-ironic-api-minimum-version";
/// The header that says which version is the newest.
pub(super) const MAXIMUM_HEADER: &str = "x-openstack-ironic-api-maximum-version";
/// The header that OpenStack's services share; it wins over [`HEADER`].
const SHARED_HEADER: &str = "openstack-api-version";
/// The name of this service in [`SHARED_HEADER`].
const SERVICE: &str = "baremetal";

/// A version of the API: the minor number of 1.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u16);

/// From which version on something exists.
pub mod since {
    #![allow(
        missing_docs,
        reason = "each name says what it is the first version of"
    )]

    pub const AVAILABLE_STATE: u16 = 2;
    pub const MANAGEABLE_STATE: u16 = 4;
    pub const NODE_NAME: u16 = 5;
    pub const INSPECT_STATE: u16 = 6;
    pub const FIELDS_QUERY: u16 = 8;
    pub const PROVISION_STATE_FILTER: u16 = 9;
    pub const UNRESTRICTED_NODE_NAME: u16 = 10;
    pub const ENROLL_STATE: u16 = 11;
    pub const RAID_CONFIG: u16 = 12;
    pub const ABORT_VERB: u16 = 13;
    pub const STATES_LINKS: u16 = 14;
    pub const MANUAL_CLEAN: u16 = 15;
    pub const DRIVER_FILTER: u16 = 16;
    pub const ADOPT_VERB: u16 = 17;
    pub const RESOURCE_CLASS: u16 = 21;
    pub const RAMDISK: u16 = 22;
    pub const PORTGROUPS: u16 = 23;
    pub const PORTGROUP_LINKS: u16 = 24;
    pub const CHASSIS_REMOVAL: u16 = 25;
    pub const PORTGROUP_MODE: u16 = 26;
    pub const SOFT_POWER: u16 = 27;
    pub const VIFS: u16 = 28;
    pub const INJECT_NMI: u16 = 29;
    pub const DYNAMIC_DRIVERS: u16 = 30;
    pub const VOLUME: u16 = 32;
    pub const REBUILD_CONFIGDRIVE: u16 = 35;
    pub const AGENT_VERSION: u16 = 36;
    pub const RESCUE: u16 = 38;
    pub const TRAITS: u16 = 37;
    pub const INSPECT_WAIT_STATE: u16 = 39;
    pub const BIOS: u16 = 40;
    pub const INSPECT_ABORT: u16 = 41;
    pub const FAULT: u16 = 42;
    pub const DETAIL_QUERY: u16 = 43;
    pub const RESET_INTERFACES: u16 = 45;
    pub const CONDUCTOR_GROUP: u16 = 46;
    pub const CONDUCTORS: u16 = 49;
    pub const OWNER: u16 = 50;
    pub const ALLOCATIONS: u16 = 52;
    pub const EVENTS: u16 = 54;
    pub const DEPLOY_TEMPLATES: u16 = 55;
    pub const BUILT_CONFIGDRIVE: u16 = 56;
    pub const ALLOCATION_UPDATE: u16 = 57;
    pub const ALLOCATION_OF_A_NODE: u16 = 58;
    pub const CONFIGDRIVE_VENDOR_DATA: u16 = 59;
    pub const ALLOCATION_OWNER: u16 = 60;
    pub const AGENT_TOKEN: u16 = 62;
    pub const LINK_NETWORK_TYPE: u16 = 64;
    pub const LESSEE: u16 = 65;
    pub const VIF_ON_A_PORT: u16 = 67;
    pub const AGENT_CERTIFICATE: u16 = 68;
    pub const DEPLOY_STEPS: u16 = 69;
    pub const CLEAN_WITHOUT_RAMDISK: u16 = 70;
    pub const AGENT_STATUS: u16 = 72;
    pub const DEPLOY_VERB: u16 = 73;
    pub const BIOS_REGISTRY: u16 = 74;
    pub const BOOT_MODE: u16 = 75;
    pub const CHANGE_BOOT_MODE: u16 = 76;
    pub const DRIVER_FIELDS: u16 = 77;
    pub const HISTORY: u16 = 78;
    pub const INVENTORY: u16 = 81;
    pub const SHARDS: u16 = 82;
    pub const CHILD_NODES: u16 = 83;
    pub const CONTINUE_INSPECTION: u16 = 84;
    pub const UNHOLD_VERB: u16 = 85;
    pub const FIRMWARE: u16 = 86;
    pub const SERVICE_VERB: u16 = 87;
    pub const VIRTUAL_MEDIA: u16 = 89;
    pub const VTEP_LINKS: u16 = 90;
    pub const NO_VTEP_LINKS: u16 = 105;
    pub const NO_JSON_SUFFIX: u16 = 91;
    pub const RUNBOOKS: u16 = 92;
    pub const SHOW_VIRTUAL_MEDIA: u16 = 93;
    pub const PORT_BY_NODE_IDENT: u16 = 94;
    pub const INSPECTION_RULES: u16 = 96;
    pub const ESCAPED_PATCH_PATHS: u16 = 98;
    pub const INSTANCE_NAME: u16 = 104;
    pub const PORTGROUP_SHARD: u16 = 106;
    pub const SERVICE_WITHOUT_RAMDISK: u16 = 108;
    pub const DEPLOY_ABORT: u16 = 110;
    pub const RUNBOOK_TRAITS: u16 = 112;
    pub const HISTORY_PROJECT: u16 = 113;
    pub const FIRMWARE_IDENTITY: u16 = 114;
    pub const HISTORY_STATES: u16 = 115;
}

impl Version {
    /// The oldest: what a request without a version gets.
    pub const MINIMUM: Self = Self(1);
    /// The newest.
    pub const MAXIMUM: Self = Self(115);

    /// The version 1.`minor`, if there is one.
    pub fn new(minor: u16) -> Option<Self> {
        Some(Self(minor)).filter(|version| (Self::MINIMUM..=Self::MAXIMUM).contains(version))
    }

    /// The minor number of the newest.
    pub(super) const fn newest() -> u16 {
        Self::MAXIMUM.0
    }

    /// How the version 1.`minor` is written.
    pub(super) fn told(minor: u16) -> String {
        Self(minor).to_string()
    }

    /// Whether this is 1.`minor` or newer.
    pub fn has(self, minor: u16) -> bool {
        self.0 >= minor
    }

    /// Refuses (406) what exists from 1.`minor` on only.
    pub(super) fn need(self, minor: u16) -> Result<(), Fault> {
        if self.has(minor) {
            return Ok(());
        }
        Err(Fault::not_acceptable(format!(
            "the request needs at least version 1.{minor} of the API, and was made in {self}"
        )))
    }

    /// The version that a request's headers ask for.
    pub(super) fn negotiate(headers: &HeaderMap) -> Result<Self, Unacceptable> {
        match asked(headers) {
            None => Ok(Self::MINIMUM),
            Some(text) if text.eq_ignore_ascii_case("latest") => Ok(Self::MAXIMUM),
            Some(text) => {
                let (major, minor) = parse(&text).ok_or(Unacceptable::Malformed)?;
                let minor = u16::try_from(minor).ok().filter(|_| major == 1);
                minor
                    .and_then(Self::new)
                    .ok_or(Unacceptable::OutOfRange { asked: text })
            }
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// Why a version is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unacceptable {
    /// It is no version.
    Malformed,
    /// There is no such version.
    OutOfRange {
        /// What was asked for.
        asked: String,
    },
}

impl Unacceptable {
    /// Whether the answer says which versions there are.
    pub(super) fn tells_range(&self) -> bool {
        matches!(self, Self::OutOfRange { .. })
    }
}

impl fmt::Display for Unacceptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "the version header must read like {}", Version::MAXIMUM),
            Self::OutOfRange { asked } => write!(
                f,
                "version {asked} of the API was requested; the versions {} to {} are served",
                Version::MINIMUM,
                Version::MAXIMUM
            ),
        }
    }
}

/// The version text of the headers: of the shared header, else of the older one; an empty text
/// is none.
fn asked(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let asked = text(SHARED_HEADER).and_then(for_this_service);
    let asked = asked.or_else(|| text(HEADER))?.trim();
    (!asked.is_empty()).then(|| asked.to_owned())
}

/// What the shared header, a list of services with versions, says for this one: its last entry
/// wins. An entry that names no service is no version either, and stands for the whole.
fn for_this_service(list: &str) -> Option<&str> {
    for entry in list.rsplit(',').map(str::trim) {
        match entry.split_once(' ') {
            Some((SERVICE, version)) => return Some(version),
            Some(_) => {}
            None if entry == SERVICE || entry.is_empty() => {}
            None => return Some(entry),
        }
    }
    None
}

fn parse(text: &str) -> Option<(i64, i64)> {
    let (major, minor) = text.split_once('.')?;
    Some((number(major)?, number(minor)?))
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Unacceptable, Version};

    fn negotiate(pairs: &[(&'static str, &'static str)]) -> Result<Version, Unacceptable> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        Version::negotiate(&headers)
    }

    #[test]
    fn the_shared_header_wins_over_the_older_one() {
        let both = [
            ("openstack-api-version", "compute 2.1, baremetal 1.50"),
            ("x-openstack-ironic-api-version", "1.9"),
        ];
        assert_eq!(negotiate(&both).unwrap().to_string(), "1.50");
        let other = [
            ("openstack-api-version", "compute 2.1"),
            ("x-openstack-ironic-api-version", "1.9"),
        ];
        assert_eq!(negotiate(&other).unwrap().to_string(), "1.9");
        assert_eq!(negotiate(&[]).unwrap(), Version::MINIMUM);
        assert_eq!(
            negotiate(&[("openstack-api-version", "baremetal latest")]).unwrap(),
            Version::MAXIMUM
        );
    }

    #[test]
    fn nonsense_and_what_is_out_of_range_are_told_apart() {
        for text in ["abc", "1", "1.1.1", "1.x", "1,5"] {
            let answer = negotiate(&[("x-openstack-ironic-api-version", text)]);
            assert_eq!(answer, Err(Unacceptable::Malformed), "{text}");
        }
        for text in ["1.0", "1.116", "2.1", "-1.5", "1.999999"] {
            let answer = negotiate(&[("x-openstack-ironic-api-version", text)]);
            assert!(answer.unwrap_err().tells_range(), "{text}");
        }
    }
}
