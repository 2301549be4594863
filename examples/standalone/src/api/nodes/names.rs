//! Which names nodes may have.

use super::super::args;
use super::super::fault::Fault;
use super::super::version::{Version, since};

/// What paths have where a node's name would be.
const RESERVED: &[&str] = &[
    "maintenance",
    "management",
    "states",
    "vendor_passthru",
    "detail",
    "validate",
];

/// Whether a node may have this name, in this version of the API: before 1.10 a host name,
/// since then any logical name; never a uuid.
pub fn is_valid(name: &str, version: Version) -> bool {
    if args::parse_uuid(name).is_some() {
        false
    } else if version.has(since::UNRESTRICTED_NODE_NAME) {
        args::is_logical_name(name)
    } else {
        args::is_host_name(name)
    }
}

/// Whether the name means something else in a path.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Refuses names that a node may not have.
pub(super) fn check(name: &str, version: Version) -> Result<(), Fault> {
    version.need(since::NODE_NAME)?;
    if is_valid(name, version) && !is_reserved(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(Fault::bad(format!(
        "a node cannot be named {shown:?}: letters, digits and -._~ make a name, and {} are taken",
        RESERVED.join(", ")
    )))
}
