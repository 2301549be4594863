//! What the interfaces read from `driver_info`.

use ironic_core::driver::Properties;

const PROPERTIES: [(&str, &str); 9] = [
    (
        "redfish_address",
        "URL of the BMC, such as https://bmc.example.org:8443; https when no scheme is given. \
         A path in it is where the service root is. Required.",
    ),
    (
        "redfish_system_id",
        "Path of the machine's ComputerSystem, such as /redfish/v1/Systems/1. Required where the \
         BMC has more than one, else the only one is used.",
    ),
    (
        "redfish_username",
        "User of the BMC who may operate and configure the machine. Optional.",
    ),
    ("redfish_password", "That user's password. Optional."),
    (
        "redfish_verify_ca",
        "Whether the BMC's certificate is verified (true, the default, or false), or the path of \
         a file or folder of certificates to verify it against. Optional.",
    ),
    (
        "redfish_auth_type",
        "How the user is authenticated: basic, session or auto. The default is the driver's \
         setting. Optional.",
    ),
    (
        "firmware_update_unresponsive_bmc_wait",
        "Seconds during which the BMC may not answer while its firmware is updated. The default \
         is the driver's setting. Optional.",
    ),
    (
        "redfish_tls_minimum_version",
        "The oldest version of TLS that is spoken with the BMC: 1.1, 1.2 or 1.3. The default is \
         the driver's setting. Optional.",
    ),
    (
        "redfish_tls_ciphers",
        "The ciphers that may be used with the BMC, as an OpenSSL cipher list. The default is \
         the driver's setting. Optional.",
    ),
];

pub(super) fn properties() -> Properties {
    PROPERTIES
        .into_iter()
        .map(|(key, meaning)| (key.to_owned(), meaning.to_owned()))
        .collect()
}
