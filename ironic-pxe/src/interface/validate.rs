//! What a node and the configuration need for a network boot: checks without I/O.

use super::BootInterface;
use crate::boot::{
    BootConfig, BootError, BootNode, BootOption, boot_mode, check_capabilities,
    kernel_append_params,
};

/// Checks all that any boot over the network needs, except for images.
pub(super) fn common(
    config: &BootConfig,
    kind: BootInterface,
    node: &BootNode,
) -> Result<(), BootError> {
    if node.ports.is_empty() {
        return Err(BootError::missing("ports", "the node has none"));
    }
    if !config.add_all_ports && !node.ports.iter().any(|port| port.pxe_enabled) {
        return Err(BootError::missing(
            "pxe_enabled",
            "none of the node's ports has it set",
        ));
    }
    servers(config, kind)?;
    check_capabilities(node)?;
    boot_mode(config, node)?;
    kernel_append_params(
        node,
        Some(&config.kernel_append_params),
        config.disable_kernel_parameter_parsing,
    )?;
    let info = &node.instance_info;
    let is_set = |name: &str| info.get(name).is_some_and(|value| *value != "");
    if is_set("image_source") && is_set("boot_iso") {
        return Err(BootError::invalid(
            "instance_info/boot_iso",
            "not together with image_source",
        ));
    }
    Ok(())
}

/// Checks that the interface can boot what the node's deploy interface wants booted.
pub(super) fn instance(kind: BootInterface, node: &BootNode) -> Result<(), BootError> {
    let what = match node.boot_option() {
        BootOption::Kickstart => "an installer with a kickstart file",
        BootOption::Ramdisk if !kind.is_ipxe() && kind.is_http_boot() => {
            "an instance over the network"
        }
        BootOption::Ramdisk | BootOption::Local => return Ok(()),
    };
    Err(BootError::Unsupported {
        interface: kind.name(),
        what,
    })
}

fn servers(config: &BootConfig, kind: BootInterface) -> Result<(), BootError> {
    let http = kind.is_ipxe() || kind.is_http_boot();
    let needed = [
        ("http_url", http, &config.http_url),
        ("http_root", http, &config.http_root),
        ("tftp_server", !kind.is_http_boot(), &config.tftp_server),
    ];
    let missing: Vec<_> = needed
        .into_iter()
        .filter_map(|(name, needed, value)| (needed && value.is_empty()).then_some(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(BootError::missing(missing.join(", "), "not configured"))
}
