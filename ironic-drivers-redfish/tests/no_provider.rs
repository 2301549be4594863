//! A host that has installed no TLS provider hears of it, and does not crash.
#![allow(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected is to stop there"
)]

use ironic_drivers_redfish::{ReqwestTransport, TlsSettings};

#[test]
fn a_missing_provider_is_an_error() {
    let error = ReqwestTransport::new(&TlsSettings::new()).unwrap_err();
    assert!(
        error.to_string().contains("no rustls crypto provider"),
        "{error}"
    );
}
