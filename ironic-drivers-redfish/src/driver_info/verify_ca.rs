//! `redfish_verify_ca`: a Boolean, a word for one, or a path.

use std::path::PathBuf;

use ironic_core::model::lenient::truth;
use serde_json::{Value, json};

use super::DriverInfoError;
use crate::http::TrustAnchor;

/// How far the BMC's certificate is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyCa {
    /// Verified against the default roots.
    Verify,
    /// Not verified.
    Off,
    /// Verified against the certificates in this file or folder.
    Path(String),
}

impl VerifyCa {
    /// The node's value, or the default where the node says nothing or `true`.
    pub(super) fn parse(
        value: Option<&Value>,
        default: Option<&str>,
        is_path: impl Fn(&str) -> bool,
    ) -> Result<Self, DriverInfoError> {
        let open = matches!(value, None | Some(Value::Null | Value::Bool(true)));
        let default = default
            .filter(|default| open && !default.is_empty())
            .map(Value::from);
        match default.as_ref().or(value).unwrap_or(&Value::Bool(true)) {
            Value::Bool(verify) => Ok(Self::of_flag(*verify)),
            Value::String(path) if is_path(path) => Ok(Self::Path(path.clone())),
            word @ Value::String(_) => truth(word)
                .map(Self::of_flag)
                .ok_or(invalid("neither a Boolean nor a path that exists")),
            _ => Err(invalid("neither a Boolean nor a path")),
        }
    }

    pub(super) fn trust(&self) -> TrustAnchor {
        match self {
            Self::Verify => TrustAnchor::Default,
            Self::Off => TrustAnchor::AcceptAny,
            Self::Path(path) => TrustAnchor::Path(PathBuf::from(path)),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Verify => json!(true),
            Self::Off => json!(false),
            Self::Path(path) => json!(path),
        }
    }

    const fn of_flag(verify: bool) -> Self {
        if verify { Self::Verify } else { Self::Off }
    }
}

const fn invalid(reason: &'static str) -> DriverInfoError {
    DriverInfoError::Invalid {
        property: "redfish_verify_ca",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::VerifyCa;

    #[test]
    fn node_before_default_before_roots() {
        let path = |path: &str| Some(VerifyCa::Path(path.to_owned()));
        for (value, default, expected) in [
            (None, None, Some(VerifyCa::Verify)),
            (None, Some("/ca.pem"), path("/ca.pem")),
            (Some(json!(true)), Some("/ca.pem"), path("/ca.pem")),
            (Some(json!(false)), Some("/ca.pem"), Some(VerifyCa::Off)),
            (Some(json!("/ca.pem")), Some("no"), path("/ca.pem")),
            (Some(json!("/gone.pem")), None, None),
            (Some(json!(null)), None, None),
            (Some(json!(null)), Some("/ca.pem"), path("/ca.pem")),
            (Some(json!("YES ")), None, Some(VerifyCa::Verify)),
            (Some(json!(1)), Some("/ca.pem"), None),
        ] {
            let parsed = VerifyCa::parse(value.as_ref(), default, |path| path == "/ca.pem").ok();
            assert_eq!(parsed, expected, "{value:?} {default:?}");
        }
    }
}
