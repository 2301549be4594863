use std::collections::BTreeMap;

use super::{BootConfig, BootError, BootNode, boot_mode};

/// Returns the name of the boot loader that a node's firmware is sent.
///
/// # Errors
///
/// When the node's boot mode can not be told.
pub fn boot_file(config: &BootConfig, node: &BootNode, ipxe: bool) -> Result<String, BootError> {
    let mode = boot_mode(config, node)?;
    let (by_arch, uefi, other) = if ipxe {
        (
            &config.ipxe_bootfile_name_by_arch,
            &config.uefi_ipxe_bootfile_name,
            &config.ipxe_bootfile_name,
        )
    } else {
        (
            &config.pxe_bootfile_name_by_arch,
            &config.uefi_pxe_bootfile_name,
            &config.pxe_bootfile_name,
        )
    };
    let fallback = if mode == "uefi" { uefi } else { other };
    Ok(for_arch(by_arch, node.cpu_arch(), &mode)
        .unwrap_or(fallback)
        .to_owned())
}

fn for_arch<'a>(
    by_arch: &'a BTreeMap<String, String>,
    arch: Option<&str>,
    mode: &str,
) -> Option<&'a str> {
    let arch = arch?;
    by_arch
        .get(&format!("{arch}-{mode}"))
        .or_else(|| by_arch.get(arch))
        .map(String::as_str)
}
