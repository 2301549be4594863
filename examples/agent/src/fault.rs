//! Command errors: the class names, codes and shape that the conductor reads.

use serde::Serialize;

/// Error classes of the agent's protocol, by the names they carry on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum FaultKind {
    /// Anything without a class of its own.
    #[serde(rename = "RESTError")]
    Rest,
    /// The command's name makes no sense.
    InvalidCommandError,
    /// The command's parameters make no sense.
    InvalidCommandParamsError,
    /// No command result or extension of that name.
    RequestedObjectNotFoundError,
    /// A command failed in a way without a class of its own.
    CommandExecutionError,
    /// Another command runs.
    AgentIsBusy,
    /// Nobody knows how to do what was asked, such as an unknown step.
    HardwareManagerMethodNotFound,
    /// The steps were planned against another agent.
    VersionMismatch,
    /// No disk to write to.
    DeviceNotFound,
    /// The image could not be fetched.
    ImageDownloadError,
    /// The image took longer than allowed.
    ImageDownloadTimeoutError,
    /// The image does not fit.
    ImageDownloadOutofSpaceError,
    /// The image server refused; asking again would not help.
    ImageDownloadFatalError,
    /// The image is not the one that was asked for.
    ImageChecksumError,
    /// The disk did not take the image.
    ImageWriteError,
    /// The image is of a kind that is not to be written.
    InvalidImage,
    /// Writing the instance failed after the image.
    DeploymentError,
    /// A clean step failed in a way without a class of its own.
    CleaningError,
    /// A service step failed in a way without a class of its own.
    ServicingError,
    /// A disk could not be erased.
    BlockDeviceEraseError,
    /// A disk holds a shared file system.
    ProtectedDeviceError,
    /// The machine did not shut down or reboot.
    SystemRebootError,
}

impl FaultKind {
    /// The class's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rest => "RESTError",
            Self::InvalidCommandError => "InvalidCommandError",
            Self::InvalidCommandParamsError => "InvalidCommandParamsError",
            Self::RequestedObjectNotFoundError => "RequestedObjectNotFoundError",
            Self::CommandExecutionError => "CommandExecutionError",
            Self::AgentIsBusy => "AgentIsBusy",
            Self::HardwareManagerMethodNotFound => "HardwareManagerMethodNotFound",
            Self::VersionMismatch => "VersionMismatch",
            Self::DeviceNotFound => "DeviceNotFound",
            Self::ImageDownloadError => "ImageDownloadError",
            Self::ImageDownloadTimeoutError => "ImageDownloadTimeoutError",
            Self::ImageDownloadOutofSpaceError => "ImageDownloadOutofSpaceError",
            Self::ImageDownloadFatalError => "ImageDownloadFatalError",
            Self::ImageChecksumError => "ImageChecksumError",
            Self::ImageWriteError => "ImageWriteError",
            Self::InvalidImage => "InvalidImage",
            Self::DeploymentError => "DeploymentError",
            Self::CleaningError => "CleaningError",
            Self::ServicingError => "ServicingError",
            Self::BlockDeviceEraseError => "BlockDeviceEraseError",
            Self::ProtectedDeviceError => "ProtectedDeviceError",
            Self::SystemRebootError => "SystemRebootError",
        }
    }

    /// The HTTP status that the class carries.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::InvalidCommandError | Self::InvalidCommandParamsError => 400,
            Self::RequestedObjectNotFoundError | Self::DeviceNotFound => 404,
            Self::ImageDownloadTimeoutError => 408,
            Self::AgentIsBusy | Self::VersionMismatch => 409,
            _ => 500,
        }
    }

    /// What the class says of itself; the conductor looks for `Agent is busy`.
    const fn message(self) -> &'static str {
        match self {
            Self::Rest => "An error occurred",
            Self::InvalidCommandError => "Invalid command",
            Self::InvalidCommandParamsError => "Invalid command parameters",
            Self::RequestedObjectNotFoundError => "Not found",
            Self::CommandExecutionError => "Command execution failed",
            Self::AgentIsBusy => "Agent is busy",
            Self::HardwareManagerMethodNotFound => "Unknown step",
            Self::VersionMismatch => "Hardware manager versions differ",
            Self::DeviceNotFound => "No disk to deploy to",
            Self::ImageDownloadError
            | Self::ImageDownloadFatalError
            | Self::ImageDownloadOutofSpaceError => "Error downloading image",
            Self::ImageDownloadTimeoutError => "Image download timeout",
            Self::ImageChecksumError => "Image checksum mismatch",
            Self::ImageWriteError => "Error writing image",
            Self::InvalidImage => "Image not usable",
            Self::DeploymentError => "Deploy step failed",
            Self::CleaningError => "Clean step failed",
            Self::ServicingError => "Service step failed",
            Self::BlockDeviceEraseError => "Error erasing block device",
            Self::ProtectedDeviceError => "Protected device, nothing erased",
            Self::SystemRebootError => "Error shutting down",
        }
    }
}

/// Why a command failed, in the shape of `command_error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}: {details}")]
#[non_exhaustive]
pub struct Fault {
    /// The class.
    #[serde(rename = "type")]
    pub kind: FaultKind,
    /// HTTP status of the class.
    pub code: u16,
    /// What the class says of itself.
    pub message: &'static str,
    /// What happened this time.
    pub details: String,
}

impl Fault {
    /// A fault of class `kind` with its `details`.
    #[must_use]
    pub fn new(kind: FaultKind, details: impl Into<String>) -> Self {
        Self {
            kind,
            code: kind.code(),
            message: kind.message(),
            details: details.into(),
        }
    }

    /// Whether the same download may succeed later.
    pub(crate) const fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::ImageDownloadError | FaultKind::ImageChecksumError
        )
    }
}

/// Error bodies of the command API.
#[derive(Debug, Serialize)]
pub(crate) struct FaultBody {
    faultcode: &'static str,
    faultstring: String,
}

impl FaultBody {
    pub(crate) fn new(code: u16, text: impl Into<String>) -> Self {
        Self {
            faultcode: if code >= 500 { "Server" } else { "Client" },
            faultstring: text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind};

    #[test]
    fn a_fault_is_written_as_the_conductor_reads_it() {
        let fault = Fault::new(FaultKind::VersionMismatch, "a, b");
        assert_eq!(
            serde_json::to_value(&fault).unwrap(),
            serde_json::json!({"type": "VersionMismatch", "code": 409,
                "message": "Hardware manager versions differ", "details": "a, b"})
        );
        for kind in [FaultKind::Rest, FaultKind::ImageDownloadOutofSpaceError] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
