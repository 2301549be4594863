//! The crate's errors as the engine's.

use ironic_core::Error;

use super::NAME;
use crate::driver_info::DriverInfoError;
use crate::error::RedfishError;

impl From<DriverInfoError> for Error {
    fn from(error: DriverInfoError) -> Self {
        match error {
            DriverInfoError::Missing { .. } => Self::missing(error.to_string()),
            DriverInfoError::Invalid { .. } => Self::invalid(error.to_string()),
        }
    }
}

/// The engine's error for one of the BMC at `bmc`, by what can be done about it.
pub(super) fn convert(error: RedfishError, bmc: &str) -> Error {
    let silent = || Error::Unreachable {
        what: format!("BMC {bmc}"),
        message: error.to_string(),
    };
    let failed = |message: String| Error::driver(NAME, format!("BMC {bmc}: {message}"));
    match &error {
        RedfishError::Transport { source, .. } if source.is_retryable() => silent(),
        RedfishError::Status(_) if error.is_access_denied() => failed(format!(
            "access denied; check redfish_username and redfish_password ({error})"
        )),
        RedfishError::Status(_) if error.is_not_found() => failed(format!(
            "{error}; redfish_system_id and the path of redfish_address have to be the BMC's"
        )),
        RedfishError::Status(refusal)
            if refusal.status.is_server_error() && error.is_retryable() =>
        {
            silent()
        }
        RedfishError::TaskTimeout { path, after } => Error::Timeout {
            what: format!("task {path} of BMC {bmc} to end"),
            after: *after,
        },
        RedfishError::AmbiguousSystem { .. } => Error::invalid(format!(
            "BMC {bmc}: {error} in redfish_system_id of driver_info"
        )),
        RedfishError::NotAllowed { .. } | RedfishError::InvalidSettings { .. } => {
            Error::invalid(format!("BMC {bmc}: {error}"))
        }
        _ => failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{Method, StatusCode};
    use ironic_core::ErrorKind;

    use super::convert;
    use crate::error::{RedfishError, StatusError};
    use crate::http::HttpError;

    fn status(status: StatusCode) -> RedfishError {
        StatusError::new(Method::GET, "/redfish/v1/", status, b"").into()
    }

    fn transport(source: HttpError) -> RedfishError {
        RedfishError::Transport {
            method: Method::GET,
            path: "/redfish/v1/".to_owned(),
            source,
        }
    }

    #[test]
    fn an_error_says_what_can_be_done_about_it() {
        let refused = HttpError::Connect {
            reason: "refused".to_owned(),
            source: None,
        };
        let untrusted = HttpError::Tls {
            reason: "unknown issuer".to_owned(),
            source: None,
        };
        let not_allowed = RedfishError::NotAllowed {
            parameter: "ResetType",
            value: "Nmi".to_owned(),
            allowed: vec!["On".to_owned()],
        };
        let late = RedfishError::TaskTimeout {
            path: "/t/1".to_owned(),
            after: Duration::from_secs(300),
        };
        let cases = [
            (
                transport(refused),
                ErrorKind::Unreachable,
                "BMC https://b cannot be reached: GET /redfish/v1/: no connection: refused",
            ),
            (
                transport(HttpError::Timeout),
                ErrorKind::Unreachable,
                "no response in time",
            ),
            (transport(untrusted), ErrorKind::Driver, "unknown issuer"),
            (
                status(StatusCode::UNAUTHORIZED),
                ErrorKind::Driver,
                "check redfish_username and redfish_password",
            ),
            (
                status(StatusCode::NOT_FOUND),
                ErrorKind::Driver,
                "redfish_system_id",
            ),
            (status(StatusCode::BAD_REQUEST), ErrorKind::Driver, "400"),
            (
                status(StatusCode::SERVICE_UNAVAILABLE),
                ErrorKind::Unreachable,
                "503",
            ),
            (
                status(StatusCode::NOT_IMPLEMENTED),
                ErrorKind::Driver,
                "501",
            ),
            (
                RedfishError::AmbiguousSystem { count: 2 },
                ErrorKind::InvalidParameter,
                "2 systems; name one in redfish_system_id",
            ),
            (
                not_allowed,
                ErrorKind::InvalidParameter,
                "Nmi is not allowed for ResetType, only On",
            ),
            (late, ErrorKind::Timeout, "timed out after 300s"),
        ];
        for (error, kind, said) in cases {
            let converted = convert(error, "https://b");
            assert_eq!(converted.kind(), kind, "{converted}");
            assert!(converted.to_string().contains(said), "{converted}");
            assert!(converted.to_string().contains("https://b"), "{converted}");
        }
    }
}
