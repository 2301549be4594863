//! Plans for booting a node's ramdisk, its instance, and for cleaning up after either.

use std::collections::BTreeMap;

use super::images::{agent_images, instance_images};
use super::node::text;
use super::options::pxe_options;
use super::paths::{
    folder, grub_link_paths, ip_link_path, join, mac_link_path, node_config_path, relative,
};
use super::plan::{BootDeviceChange, BootFile, BootPlan, BootRequest, NetworkBootDevice};
use super::switch::{BootEntry, fill_in_disk, switch_entry};
use super::templates::{ConfigFormat, render_config, render_initial_grub, render_ipxe_boot_script};
use super::{
    BootConfig, BootError, BootImage, BootOption, DhcpOption, IpVersion, PxeOptions, RamdiskParams,
    boot_mode, dhcp_options,
};

/// Returns the files that belong to no node and have to be there before any machine boots.
///
/// # Errors
///
/// When a template does not render.
pub fn common_files(config: &BootConfig) -> Result<BTreeMap<String, BootFile>, BootError> {
    let script = join(&config.http_root, &[&config.ipxe_boot_script]);
    let grub = BootFile::Text(render_initial_grub(config)?);
    Ok(BTreeMap::from([
        (script, BootFile::Text(render_ipxe_boot_script(config)?)),
        (join(&config.tftp_root, &["grub", "grub.cfg"]), grub.clone()),
        (join(&config.http_root, &["grub", "grub.cfg"]), grub),
    ]))
}

/// Plans the boot of a node's deploy or rescue ramdisk.
///
/// # Errors
///
/// When something that the boot needs is missing or malformed.
pub fn prepare_ramdisk(
    request: &BootRequest<'_>,
    params: &RamdiskParams,
) -> Result<BootPlan, BootError> {
    let (config, node) = (request.config, request.node);
    let mut plan = BootPlan {
        dhcp_options: Some(both_versions(request)?),
        ..BootPlan::default()
    };
    if request.interface.is_ipxe() {
        let path = join(&config.http_root, &[&config.ipxe_boot_script]);
        plan.files
            .insert(path, BootFile::Text(render_ipxe_boot_script(config)?));
    }
    plan.images = agent_images(request)?;
    if node.provision_state == "deploying" {
        let (images, updates) = instance_images(request, request.interface.config_root())?;
        plan.images.extend(images);
        plan.node_updates = updates;
    }
    let mut options = pxe_options(request, &plan.images, false, params)?;
    options.ipa_api_url = params.get("ipa-api-url").map(str::to_owned);
    write_config(&mut plan, request, &options, |text, _| text)?;
    plan.boot_device = Some(BootDeviceChange::network(request.interface, false));
    Ok(plan)
}

/// Plans the boot of a node's instance.
///
/// An instance that boots its own disk has its network configuration removed, or, where the
/// fallback is on, replaced by one that boots the disk.
///
/// # Errors
///
/// When something that the boot needs is missing or malformed, or the boot interface can not boot
/// this kind of instance.
pub fn prepare_instance(request: &BootRequest<'_>) -> Result<BootPlan, BootError> {
    let (config, node) = (request.config, request.node);
    let mode = boot_mode(config, node)?;
    let option = node.boot_option();
    let from_network = node.is_iscsi_boot() || option != BootOption::Local;
    let mut plan = if from_network {
        network_instance(request, option)?
    } else if config.enable_netboot_fallback {
        local_fallback(request)?
    } else {
        clean_up_config(request)?
    };
    let state = node.provision_state.as_str();
    // A machine in service is taken over as it is.
    if matches!(state, "active" | "adopting") {
        return Ok(plan);
    }
    // These machines restore their former boot order when one deployment changes it twice.
    let vendor = text(node.properties.get("vendor")).unwrap_or_default();
    let restores = vendor.eq_ignore_ascii_case("lenovo") && mode == "uefi" && state == "deploying";
    plan.boot_device = if from_network {
        Some(BootDeviceChange::network(request.interface, true))
    } else if restores {
        None
    } else {
        Some(BootDeviceChange {
            device: NetworkBootDevice::Disk,
            persistent: true,
        })
    };
    Ok(plan)
}

fn network_instance(request: &BootRequest<'_>, option: BootOption) -> Result<BootPlan, BootError> {
    let iscsi = request.node.is_iscsi_boot();
    if request.interface.is_http_boot() && !request.interface.is_ipxe() {
        return Err(BootError::Unsupported {
            interface: request.interface.name(),
            what: "an instance over the network",
        });
    }
    let mut plan = BootPlan {
        dhcp_options: Some(both_versions(request)?),
        ..BootPlan::default()
    };
    if option != BootOption::Local {
        let (images, updates) = instance_images(request, request.interface.config_root())?;
        (plan.images, plan.node_updates) = (images, updates);
    }
    let entry = match option {
        _ if iscsi => BootEntry::Iscsi,
        BootOption::Ramdisk => BootEntry::Ramdisk,
        BootOption::Kickstart => BootEntry::Anaconda,
        BootOption::Local => BootEntry::Partition,
    };
    let service = option != BootOption::Local;
    let switch = |text: String, format| switch_entry(&text, format, entry);
    match request.existing_config {
        Some(text) => rewrite_config(&mut plan, request, text, switch)?,
        None => {
            let images = plan.images.clone();
            let options = pxe_options(request, &images, service, &RamdiskParams::new())?;
            write_config(&mut plan, request, &options, switch)?;
        }
    }
    Ok(plan)
}

fn local_fallback(request: &BootRequest<'_>) -> Result<BootPlan, BootError> {
    let node = request.node;
    let mut plan = BootPlan::default();
    let disk = text(node.driver_internal_info.get("root_uuid_or_disk_id"));
    let switch = |text: String, format| {
        let text = match &disk {
            Some(disk) => fill_in_disk(&text, disk, true),
            None => text,
        };
        switch_entry(&text, format, BootEntry::WholeDisk)
    };
    match request.existing_config {
        Some(text) => rewrite_config(&mut plan, request, text, switch)?,
        None => {
            let state = node.provision_state.as_str();
            if !["active", "unrescuing", "deploying", "adopting", "servicing"].contains(&state) {
                return Err(BootError::missing(
                    "boot configuration",
                    "none was written before, and the node's state does not call for one",
                ));
            }
            let options = pxe_options(request, &[], true, &RamdiskParams::new())?;
            write_config(&mut plan, request, &options, switch)?;
        }
    }
    Ok(plan)
}

/// Plans the removal of a node's configuration, its links and its folder.
///
/// # Errors
///
/// When the node's boot mode can not be told.
pub fn clean_up_config(request: &BootRequest<'_>) -> Result<BootPlan, BootError> {
    let (config, node) = (request.config, request.node);
    let root = request.interface.config_root();
    let mut plan = BootPlan::default();
    if ConfigFormat::of(config, node, request.interface)? == ConfigFormat::Grub {
        plan.removed.extend(
            request
                .ip_addresses
                .iter()
                .map(|ip| ip_link_path(config, ip)),
        );
    }
    for port in &node.ports {
        plan.removed.push(mac_link_path(config, root, port));
        plan.removed.extend(grub_link_paths(config, root, port));
    }
    plan.removed_folders
        .push(join(config.root(root), &[&node.uuid]));
    Ok(plan)
}

/// Plans the removal of what [`prepare_ramdisk`] put in place.
///
/// # Errors
///
/// When the node's boot mode can not be told.
pub fn clean_up_ramdisk(request: &BootRequest<'_>) -> Result<BootPlan, BootError> {
    // A node that lost its ramdisk's reference since still has its configuration removed.
    let images = agent_images(request).unwrap_or_default();
    clean_up(request, &images)
}

/// Plans the removal of what [`prepare_instance`] put in place.
///
/// # Errors
///
/// When the node's boot mode can not be told.
pub fn clean_up_instance(request: &BootRequest<'_>) -> Result<BootPlan, BootError> {
    let root = request.interface.image_root();
    let images = instance_images(request, root)
        .map(|(images, _)| images)
        .unwrap_or_default();
    clean_up(request, &images)
}

fn clean_up(request: &BootRequest<'_>, images: &[BootImage]) -> Result<BootPlan, BootError> {
    let mut plan = clean_up_config(request)?;
    plan.removed
        .extend(images.iter().map(|image| image.path.clone()));
    let config = request.config;
    let image_folder = join(
        config.root(request.interface.image_root()),
        &[&request.node.uuid],
    );
    if !plan.removed_folders.contains(&image_folder) {
        plan.removed_folders.push(image_folder);
    }
    Ok(plan)
}

fn both_versions(request: &BootRequest<'_>) -> Result<Vec<DhcpOption>, BootError> {
    let mut options = Vec::new();
    for version in [IpVersion::V4, IpVersion::V6] {
        options.extend(dhcp_options(
            request.config,
            request.node,
            request.interface,
            Some(version),
        )?);
    }
    Ok(options)
}

fn config_path(request: &BootRequest<'_>) -> String {
    node_config_path(
        request.config,
        request.interface.config_root(),
        &request.node.uuid,
    )
}

fn rewrite_config(
    plan: &mut BootPlan,
    request: &BootRequest<'_>,
    text: &str,
    switch: impl Fn(String, ConfigFormat) -> String,
) -> Result<(), BootError> {
    let format = ConfigFormat::of(request.config, request.node, request.interface)?;
    plan.files.insert(
        config_path(request),
        BootFile::Text(switch(text.to_owned(), format)),
    );
    Ok(())
}

fn write_config(
    plan: &mut BootPlan,
    request: &BootRequest<'_>,
    options: &PxeOptions,
    switch: impl Fn(String, ConfigFormat) -> String,
) -> Result<(), BootError> {
    let (config, node) = (request.config, request.node);
    let format = ConfigFormat::of(config, node, request.interface)?;
    let rendered = render_config(config, node, format, options)?;
    let target = config_path(request);
    plan.files
        .insert(target.clone(), BootFile::Text(switch(rendered, format)));

    let root = request.interface.config_root();
    let mut links = Vec::new();
    for port in &node.ports {
        if config.add_all_ports || port.pxe_enabled {
            links.push(mac_link_path(config, root, port));
            links.extend(grub_link_paths(config, root, port));
        }
    }
    if format == ConfigFormat::Grub {
        links.extend(
            request
                .ip_addresses
                .iter()
                .map(|ip| ip_link_path(config, ip)),
        );
    }
    for link in links {
        let points_to = relative(&target, folder(&link));
        plan.files.insert(link, BootFile::Symlink(points_to));
    }
    Ok(())
}
