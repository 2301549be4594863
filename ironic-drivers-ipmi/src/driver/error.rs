use std::time::Duration;

use ironic_core::Error;

use super::DriverInfoError;
use crate::console::IpmiError;

impl From<DriverInfoError> for Error {
    fn from(error: DriverInfoError) -> Self {
        match error {
            DriverInfoError::Missing { .. } => Self::missing(error.to_string()),
            DriverInfoError::Invalid { .. } => Self::invalid(error.to_string()),
        }
    }
}

/// What an IPMI failure is to the engine.
pub(super) fn engine_error(bmc: &str, error: &IpmiError) -> Error {
    match error {
        IpmiError::Unreachable { .. } | IpmiError::Timeout { .. } | IpmiError::Busy { .. } => {
            Error::Unreachable {
                what: format!("BMC {bmc}"),
                message: error.to_string(),
            }
        }
        IpmiError::TooLong { .. } => Error::invalid(error.to_string()),
        other => Error::driver("ipmitool", format!("BMC {bmc}: {other}")),
    }
}

/// A command that took longer than it may.
pub(super) fn out_of_time(bmc: &str, after: Duration) -> Error {
    Error::Timeout {
        what: format!("an answer of BMC {bmc}"),
        after,
    }
}
