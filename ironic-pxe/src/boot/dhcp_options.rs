//! DHCP options that a host's DHCP service is told for a node.

use std::net::Ipv6Addr;

use serde::Serialize;

use super::{BootConfig, BootError, BootInterface, BootNode, IpVersion, boot_file};

/// One DHCP option, as DHCP providers take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DhcpOption {
    /// Option code, perhaps behind a condition: `67`, `tag:ipxe,67`, `!175,67`.
    pub opt_name: String,
    /// The value, as text.
    pub opt_value: String,
    /// 4 or 6.
    pub ip_version: u8,
}

// Option codes of RFC 2132 §9, RFC 5970 §3.1, RFC 5859 §3, and dnsmasq's own for `siaddr`.
const VENDOR_CLASS: &str = "60";
const TFTP_SERVER_NAME: &str = "66";
const BOOT_FILE: &str = "67";
const TFTP_SERVER_ADDRESS: &str = "150";
const IPXE_ENCAPSULATED: &str = "175";
const SERVER_IP_ADDRESS: &str = "255";
const V6_BOOT_FILE_URL: &str = "59";

// Longer values do not fit into the network service's database.
const LONGEST_VALUE: usize = 64;

/// Returns the options that make a node's firmware load the boot loader, and iPXE its script.
///
/// # Errors
///
/// When the node's boot mode can not be told, or a value is longer than providers take.
pub fn dhcp_options(
    config: &BootConfig,
    node: &BootNode,
    interface: BootInterface,
    ip_version: Option<IpVersion>,
) -> Result<Vec<DhcpOption>, BootError> {
    let version = ip_version.unwrap_or(config.ip_version);
    let code = match version {
        IpVersion::V4 => BOOT_FILE,
        IpVersion::V6 => V6_BOOT_FILE_URL,
    };
    let http = interface.is_http_boot();
    let as_url = version == IpVersion::V6 || http;
    let file = file_or_url(config, node, interface, version, as_url)?;

    let mut options: Vec<(String, String)> = Vec::new();
    if interface.is_ipxe() {
        let script = format!("{}/{}", config.http_url, config.ipxe_boot_script);
        let (firmware, ipxe) = ipxe_conditions(config, version, code);
        options.push((firmware, file));
        options.push((ipxe, script));
    } else {
        options.push((code.into(), file));
    }
    if http && version == IpVersion::V4 {
        // UEFI HTTP boot ignores offers without it (UEFI 2.10 §24.7.3.1).
        options.push((VENDOR_CLASS.into(), "HTTPClient".into()));
    }
    if !as_url {
        for code in [TFTP_SERVER_NAME, TFTP_SERVER_ADDRESS, SERVER_IP_ADDRESS] {
            options.push((code.into(), config.tftp_server.clone()));
        }
    }
    let ip_version = version.number();
    Ok(options
        .into_iter()
        .map(|(opt_name, opt_value)| DhcpOption {
            opt_name,
            opt_value,
            ip_version,
        })
        .collect())
}

// How an option is told for plain firmware only, and for iPXE only.
fn ipxe_conditions(config: &BootConfig, version: IpVersion, code: &str) -> (String, String) {
    if config.dhcp_provider.supports_ipxe_tag() {
        let tag = match version {
            IpVersion::V4 => "ipxe",
            IpVersion::V6 => "ipxe6",
        };
        (format!("tag:!{tag},{code}"), format!("tag:{tag},{code}"))
    } else {
        (format!("!{IPXE_ENCAPSULATED},{code}"), code.to_owned())
    }
}

fn file_or_url(
    config: &BootConfig,
    node: &BootNode,
    interface: BootInterface,
    version: IpVersion,
    as_url: bool,
) -> Result<String, BootError> {
    let file = boot_file(config, node, interface.is_ipxe())?;
    let value = if !as_url {
        file
    } else if interface.is_http_boot() {
        format!("{}/{file}", config.http_url)
    } else {
        let own = config
            .my_ipv6
            .as_deref()
            .filter(|_| version == IpVersion::V6);
        format!(
            "tftp://{}/{file}",
            bracketed(own.unwrap_or(&config.tftp_server))
        )
    };
    if value.chars().count() > LONGEST_VALUE {
        return Err(BootError::invalid(
            "boot file",
            format!("its name or address has more than {LONGEST_VALUE} characters"),
        ));
    }
    Ok(value)
}

fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}
