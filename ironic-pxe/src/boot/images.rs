//! Which images a boot needs, and where they are kept.

use serde_json::Value;

use super::node::{text, truthy};
use super::paths::label_path;
use super::{BootError, BootOption, BootRequest, NodeUpdates, RamdiskMode, Root};

/// An image that has to be in place before a machine boots.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BootImage {
    /// What it is: `deploy_kernel`, `ramdisk`, `ks_cfg`, …
    pub label: &'static str,
    /// Image reference; empty for what is rendered rather than fetched.
    pub href: String,
    /// Where it is kept.
    pub path: String,
}

/// Returns the kernel and ramdisk of the agent, for the mode that the node is in.
///
/// Both come from one place: `driver_info`, else the configuration by architecture, else the
/// configuration. A node with a ramdisk deploy interface that is never cleaned needs neither.
///
/// # Errors
///
/// When one of the two is set nowhere.
pub fn agent_images(request: &BootRequest<'_>) -> Result<Vec<BootImage>, BootError> {
    agent_images_for(request, request.node.ramdisk_mode())
}

/// The same, for a mode that the node may yet get into.
pub(crate) fn agent_images_for(
    request: &BootRequest<'_>,
    mode: RamdiskMode,
) -> Result<Vec<BootImage>, BootError> {
    let (config, node) = (request.config, request.node);
    let cleaned = node.automated_clean.unwrap_or(config.automated_clean);
    if mode == RamdiskMode::Deploy && node.boot_option() == BootOption::Ramdisk && !cleaned {
        return Ok(Vec::new());
    }
    let (kernel, ramdisk) = agent_references(request, mode)?;
    let image = |label: &'static str, href: String| BootImage {
        label,
        href,
        path: label_path(config, request.interface.image_root(), &node.uuid, label),
    };
    Ok(vec![
        image(mode.kernel_label(), kernel),
        image(mode.ramdisk_label(), ramdisk),
    ])
}

fn agent_references(
    request: &BootRequest<'_>,
    mode: RamdiskMode,
) -> Result<(String, String), BootError> {
    let (defaults, node) = (&request.config.ramdisks, request.node);
    let labels = [mode.kernel_label(), mode.ramdisk_label()];
    let from_node = labels.map(|label| text(node.driver_info.get(label)));
    let by_arch = labels.map(|label| {
        let arch = node.cpu_arch()?;
        defaults
            .by_arch
            .get(label)?
            .get(arch)
            .filter(|href| !href.is_empty())
            .cloned()
    });
    for source in [from_node, by_arch] {
        match source {
            [Some(kernel), Some(ramdisk)] => return Ok((kernel, ramdisk)),
            [None, None] => {}
            _ if defaults.error_on_inconsistency => {
                return Err(BootError::missing(
                    labels.join(", "),
                    "one is set where the other is not",
                ));
            }
            _ => {
                tracing::warn!(node = %node.uuid, "kernel and ramdisk are not both set, using neither");
            }
        }
    }
    let (kernel, ramdisk) = match mode {
        RamdiskMode::Deploy => (&defaults.deploy_kernel, &defaults.deploy_ramdisk),
        RamdiskMode::Rescue => (&defaults.rescue_kernel, &defaults.rescue_ramdisk),
    };
    let set = |href: &Option<String>| href.clone().filter(|href| !href.is_empty());
    match (set(kernel), set(ramdisk)) {
        (Some(kernel), Some(ramdisk)) => Ok((kernel, ramdisk)),
        (kernel, ramdisk) => {
            let found = [kernel.is_some(), ramdisk.is_some()];
            let missing: Vec<_> = labels
                .into_iter()
                .zip(found)
                .filter_map(|(label, found)| (!found).then_some(label))
                .collect();
            Err(BootError::missing(
                missing.join(", "),
                "neither in driver_info nor configured",
            ))
        }
    }
}

/// Returns the images that the instance itself boots from over the network, and what choosing
/// them leaves to be remembered in the node.
///
/// There are none for a whole-disk image or for an instance that boots its own disk. Missing
/// references are taken from the request's image properties.
///
/// # Errors
///
/// When a reference is found nowhere, or the instance names both an image and an ISO.
pub fn instance_images(
    request: &BootRequest<'_>,
    root: Root,
) -> Result<(Vec<BootImage>, NodeUpdates), BootError> {
    let (config, node) = (request.config, request.node);
    let mut updates = NodeUpdates::default();
    if node.is_whole_disk_image() || node.boot_option() == BootOption::Local {
        return Ok((Vec::new(), updates));
    }
    let info = &node.instance_info;
    let image = |label: &'static str, href: String| BootImage {
        label,
        href,
        path: label_path(config, root, &node.uuid, label),
    };
    if let Some(iso) = text(info.get("boot_iso")) {
        return Ok((vec![image("boot_iso", iso)], updates));
    }
    check_instance_source(request)?;

    let properties = request
        .image_properties
        .filter(|properties| !properties.is_empty());
    let properties = properties.filter(|_| !node.is_source_a_path());
    let property = |name: &str| text(properties.and_then(|properties| properties.get(name)));

    let (mut kernel, mut ramdisk) = (text(info.get("kernel")), text(info.get("ramdisk")));
    if (kernel.is_none() || ramdisk.is_none()) && properties.is_some() {
        let required = |name: &'static str| {
            property(name).ok_or_else(|| BootError::missing(name, "the image has no such property"))
        };
        let (found_kernel, found_ramdisk) = (required("kernel_id")?, required("ramdisk_id")?);
        updates
            .instance_info
            .insert("kernel".into(), found_kernel.clone().into());
        updates
            .instance_info
            .insert("ramdisk".into(), found_ramdisk.clone().into());
        (kernel, ramdisk) = (Some(found_kernel), Some(found_ramdisk));
    }
    let mut images = vec![
        image("kernel", kernel.unwrap_or_default()),
        image("ramdisk", ramdisk.unwrap_or_default()),
    ];
    if node.boot_option() == BootOption::Kickstart {
        let chosen = |label: &str| text(node.driver_internal_info.get(label));
        if !node.is_source_a_path() {
            let stage2 = chosen("stage2")
                .or_else(|| text(info.get("stage2")))
                .or_else(|| property("stage2_id"))
                .ok_or_else(|| {
                    BootError::missing("stage2", "neither in instance_info nor with the image")
                })?;
            updates
                .driver_internal_info
                .insert("stage2".into(), stage2.clone().into());
            images.push(image("stage2", text(info.get("stage2")).unwrap_or(stage2)));
        }
        let template = text(info.get("ks_template"))
            .or_else(|| property("ks_template"))
            .unwrap_or_else(|| config.default_ks_template.clone());
        updates
            .driver_internal_info
            .insert("ks_template".into(), template.clone().into());
        images.push(image("ks_template", template));
        images.push(image("ks_cfg", String::new()));
    }
    Ok((images, updates))
}

fn check_instance_source(request: &BootRequest<'_>) -> Result<(), BootError> {
    let node = request.node;
    let info = &node.instance_info;
    let set = |name: &str| truthy(info.get(name));
    let missing: Vec<&str> = match node.boot_option() {
        BootOption::Ramdisk if !set("kernel") && !set("ramdisk") && set("image_source") => vec![],
        BootOption::Ramdisk => ["kernel", "ramdisk"]
            .into_iter()
            .filter(|name| !set(name))
            .collect(),
        _ => {
            let source = info
                .get("image_source")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let mut needed = vec!["image_source"];
            if !is_image_service_reference(source) {
                needed.extend(["kernel", "ramdisk"]);
            }
            needed.into_iter().filter(|name| !set(name)).collect()
        }
    };
    if missing.is_empty() {
        return Ok(());
    }
    Err(BootError::missing(
        missing.join(", "),
        "not in the node's instance_info",
    ))
}

// A reference into an image service is a bare uuid or `glance://…`; everything else is a URL.
pub(crate) fn is_image_service_reference(href: &str) -> bool {
    let hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_uuid = href.len() == 36
        && href.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && href.split('-').all(hexadecimal);
    is_uuid || href.starts_with("glance://")
}
