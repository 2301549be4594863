//! Boot configurations as pure functions: from a node's record to files, links, DHCP options and
//! the boot device.

mod boot_file;
mod capabilities;
mod config;
mod dhcp_options;
mod error;
mod images;
mod kernel_command_line;
mod kernel_parameters;
mod kickstart;
mod node;
mod options;
mod paths;
mod plan;
mod prepare;
mod switch;
mod templates;
mod volume;

pub use boot_file::boot_file;
pub(crate) use capabilities::check_capabilities;
pub use capabilities::{
    boot_mode, instance_capabilities, is_secure_boot_requested, node_capability,
    requested_boot_mode,
};
pub use config::{BootConfig, DefaultRamdisks, DhcpProvider, IpVersion};
pub use dhcp_options::{DhcpOption, dhcp_options};
pub use error::BootError;
pub use images::{BootImage, agent_images, instance_images};
pub(crate) use images::{agent_images_for, is_image_service_reference};
pub use kernel_command_line::{KernelCommandLine, KernelParameter, sanitize_kernel_command_line};
pub use kernel_parameters::{RamdiskParams, kernel_append_params};
pub use kickstart::{KickstartOptions, render_kickstart, validate_kickstart_template};
pub use node::{BootNode, BootOption, BootPort, RamdiskMode, VolumeConnector, VolumeTarget};
pub use options::{PxeOptions, pxe_options};
pub use paths::{
    Root, grub_link_paths, ip_link_path, label_path, label_url, mac_link_path, node_config_path,
};
pub use plan::{BootDeviceChange, BootFile, BootPlan, BootRequest, NetworkBootDevice, NodeUpdates};
pub use prepare::{
    clean_up_config, clean_up_instance, clean_up_ramdisk, common_files, prepare_instance,
    prepare_ramdisk,
};
pub use switch::{BootEntry, fill_in_disk, switch_entry};
pub use templates::{
    ConfigFormat, Templates, render_config, render_initial_grub, render_ipxe_boot_script,
};
pub use volume::{ExtraVolume, VolumeOptions, iscsi_url, volume_options};

use crate::interface::BootInterface;
