use std::error::Error as _;

use ironic_core::Error;

use crate::boot::BootError;
use crate::files::FileError;

impl From<BootError> for Error {
    fn from(error: BootError) -> Self {
        match error {
            BootError::MissingParameter { .. } => Self::missing(error.to_string()),
            BootError::InvalidParameter { .. } | BootError::Template { .. } => {
                Self::invalid(error.to_string())
            }
            BootError::Unsupported { interface, what } => Self::Unsupported {
                driver: interface.to_owned(),
                extension: format!("booting {what}"),
            },
        }
    }
}

/// A failure to read or write a file, of which `what` says which it is.
pub(super) fn file_error(interface: &str, what: &str, error: &FileError) -> Error {
    let cause = error.source().map(|cause| format!(": {cause}"));
    Error::driver(
        interface,
        format!("{what}: {error}{}", cause.unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use ironic_core::ErrorKind;

    use super::*;

    #[test]
    fn kinds_are_kept_and_what_is_wrong_is_named() {
        for (error, kind, named) in [
            (
                BootError::missing("deploy_kernel", "set nowhere"),
                ErrorKind::MissingParameter,
                "deploy_kernel",
            ),
            (
                BootError::invalid("boot_mode", "no text"),
                ErrorKind::InvalidParameter,
                "boot_mode",
            ),
            (
                BootError::Template {
                    template: "boot.ipxe".into(),
                    reason: "line 1".into(),
                },
                ErrorKind::InvalidParameter,
                "boot.ipxe",
            ),
            (
                BootError::Unsupported {
                    interface: "http",
                    what: "an ISO image",
                },
                ErrorKind::Unsupported,
                "an ISO image",
            ),
        ] {
            let error = Error::from(error);
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(named), "{error}");
        }
        let full = FileError::Io(io::ErrorKind::StorageFull.into());
        let text = file_error("pxe", "boot files", &full).to_string();
        assert!(
            text.contains("boot files") && text.contains("no storage space"),
            "{text}"
        );
    }
}
