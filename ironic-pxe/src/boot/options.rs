use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::kernel_parameters::{masked, ramdisk_kernel_line};
use super::node::{text, truthy};
use super::paths::{label_url, relative};
use super::{
    BootError, BootImage, BootRequest, RamdiskParams, VolumeOptions, sanitize_kernel_command_line,
    volume_options,
};

/// What templates of boot configurations are rendered with, as `pxe_options`.
///
/// The members' names are those that operators' templates use.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct PxeOptions {
    /// Kernel of the ramdisk: a path below the TFTP root, or a URL for iPXE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_aki_path: Option<String>,
    /// Initial ramdisk, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_ari_path: Option<String>,
    /// Name under which iPXE hands the initial ramdisk to the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initrd_filename: Option<String>,
    /// Volumes to attach.
    #[serde(flatten)]
    pub volume: Option<VolumeOptions>,
    /// Kernel of the instance; `no_kernel` where it has none of its own.
    pub aki_path: String,
    /// Initial ramdisk of the instance; `no_ramdisk` where it has none of its own.
    pub ari_path: String,
    /// Where an installer finds its second stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage2_url: Option<String>,
    /// Where the kickstart template is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ks_template_path: Option<String>,
    /// Where an installer finds its kickstart file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ks_cfg_url: Option<String>,
    /// Where an installer finds packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_url: Option<String>,
    /// Further kernel parameters of the instance's ramdisk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramdisk_opts: Option<String>,
    /// Where iPXE finds the ISO image to boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_iso_url: Option<String>,
    /// Kernel parameters of every ramdisk.
    pub pxe_append_params: String,
    /// Address of the TFTP server.
    pub tftp_server: String,
    /// Time that iPXE gives a download, in milliseconds; 0 sets no limit.
    pub ipxe_timeout: u64,
    /// GRUB's command that loads a kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linux_cmd: Option<&'static str>,
    /// GRUB's command that loads an initial ramdisk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initrd_cmd: Option<&'static str>,
    /// Address of the API, for templates of old.
    #[serde(rename = "ipa-api-url", skip_serializing_if = "Option::is_none")]
    pub ipa_api_url: Option<String>,
}

impl fmt::Debug for PxeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PxeOptions")
            .field("deployment_aki_path", &self.deployment_aki_path)
            .field("deployment_ari_path", &self.deployment_ari_path)
            .field("volume", &self.volume)
            .field("aki_path", &self.aki_path)
            .field("ari_path", &self.ari_path)
            .field("pxe_append_params", &masked(&self.pxe_append_params))
            .finish_non_exhaustive()
    }
}

/// Builds what a node's configuration file is rendered with.
///
/// With `service` set, the file is for the instance alone and names no deploy or rescue ramdisk.
///
/// # Errors
///
/// When an image, a volume's property or a credential is missing, or kernel parameters are
/// malformed.
pub fn pxe_options(
    request: &BootRequest<'_>,
    images: &[BootImage],
    service: bool,
    params: &RamdiskParams,
) -> Result<PxeOptions, BootError> {
    let (config, node) = (request.config, request.node);
    let line = ramdisk_kernel_line(config, node, params, request.global_request_id)?;
    let mut options = PxeOptions {
        deployment_aki_path: None,
        deployment_ari_path: None,
        initrd_filename: None,
        volume: None,
        aki_path: "no_kernel".into(),
        ari_path: "no_ramdisk".into(),
        stage2_url: None,
        ks_template_path: None,
        ks_cfg_url: None,
        repo_url: None,
        ramdisk_opts: None,
        boot_iso_url: None,
        pxe_append_params: line,
        tftp_server: config.tftp_server.clone(),
        ipxe_timeout: config.ipxe_timeout.as_secs().saturating_mul(1000),
        linux_cmd: None,
        initrd_cmd: None,
        ipa_api_url: None,
    };
    let from_volume = truthy(node.driver_internal_info.get("boot_from_volume"));
    if !service {
        if from_volume && request.interface.is_ipxe() {
            options.volume = volume_options(node)?;
        } else {
            set_ramdisk(&mut options, request, images)?;
        }
    }
    set_instance(&mut options, request, images);
    Ok(options)
}

fn set_ramdisk(
    options: &mut PxeOptions,
    request: &BootRequest<'_>,
    images: &[BootImage],
) -> Result<(), BootError> {
    let mode = request.node.ramdisk_mode();
    let place = |label: &'static str| {
        images
            .iter()
            .find(|image| image.label == label)
            .map(|image| image_place(request, image))
            .ok_or_else(|| BootError::missing(label, "the node has no agent ramdisk to boot"))
    };
    options.deployment_aki_path = Some(place(mode.kernel_label())?);
    options.deployment_ari_path = Some(place(mode.ramdisk_label())?);
    if request.interface.is_ipxe() {
        options.initrd_filename = Some(mode.ramdisk_label().into());
    }
    Ok(())
}

fn image_place(request: &BootRequest<'_>, image: &BootImage) -> String {
    if request.interface.is_ipxe() {
        label_url(&request.config.http_url, &request.node.uuid, image.label)
    } else {
        relative(&image.path, &request.config.tftp_root)
    }
}

fn set_instance(options: &mut PxeOptions, request: &BootRequest<'_>, images: &[BootImage]) {
    let (config, node) = (request.config, request.node);
    let url = |label: &str| label_url(&config.http_url, &node.uuid, label);
    for image in images {
        match image.label {
            "kernel" => options.aki_path = image_place(request, image),
            "ramdisk" => options.ari_path = image_place(request, image),
            "stage2" => options.stage2_url = Some(url(image.label)),
            "ks_template" => options.ks_template_path = Some(url(image.label)),
            "ks_cfg" => options.ks_cfg_url = Some(url(image.label)),
            _ => {}
        }
    }
    if node.is_source_a_path() && options.stage2_url.is_none() {
        options.repo_url = text(node.instance_info.get("image_source"));
    }
    options.ramdisk_opts = node
        .instance_info
        .get("ramdisk_kernel_arguments")
        .and_then(Value::as_str)
        .map(sanitize_kernel_command_line);
    if truthy(node.instance_info.get("boot_iso")) {
        options.boot_iso_url = Some(url("boot_iso"));
    }
}
