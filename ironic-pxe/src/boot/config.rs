use std::collections::BTreeMap;
use std::time::Duration;

use super::Templates;

/// Settings of network boot, as a host's configuration gives them.
///
/// The defaults are those of the Bare Metal service's `[pxe]` section, so a configuration that
/// works there keeps its meaning. `tftp_server` and `http_url` have no useful default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BootConfig {
    /// Folder that TFTP serves, as an absolute path; default `/tftpboot`.
    pub tftp_root: String,
    /// Folder that HTTP serves, as an absolute path; default `/httpboot`.
    pub http_root: String,
    /// Address of `http_root` for machines, without a trailing slash; default empty.
    pub http_url: String,
    /// Address or name of the TFTP server for machines; default empty.
    pub tftp_server: String,
    /// The conductor's IPv6 address, used in `tftp://` URLs for DHCPv6; default none.
    pub my_ipv6: Option<String>,
    /// Folder of the links by hardware address, below either root; default `pxelinux.cfg`.
    pub config_subdir: String,
    /// Boot mode of nodes that say nothing; default `uefi`.
    pub default_boot_mode: String,
    /// Kernel parameters of every ramdisk; default `nofb vga=normal`.
    pub kernel_append_params: String,
    /// Asks ramdisks to log at debug level; default off.
    pub debug: bool,
    /// Takes kernel parameters unparsed, line breaks and all; default off, and best left so.
    pub disable_kernel_parameter_parsing: bool,
    /// Links configurations for ports with `pxe_enabled` unset too; default off.
    pub add_all_ports: bool,
    /// Leaves a configuration that boots the local disk behind a deployed node; default off.
    pub enable_netboot_fallback: bool,
    /// Nodes are cleaned between tenants unless they say otherwise; default on.
    pub automated_clean: bool,
    /// Boot loader for BIOS machines; default `pxelinux.0`.
    pub pxe_bootfile_name: String,
    /// Boot loader for UEFI machines; default `bootx64.efi`.
    pub uefi_pxe_bootfile_name: String,
    /// iPXE for BIOS machines; default `undionly.kpxe`.
    pub ipxe_bootfile_name: String,
    /// iPXE for UEFI machines; default `snponly.efi`.
    pub uefi_ipxe_bootfile_name: String,
    /// Boot loaders by `arch-mode` (`x86_64-uefi`) or by `arch`; the former wins.
    pub pxe_bootfile_name_by_arch: BTreeMap<String, String>,
    /// iPXE by `arch-mode` or by `arch`; the former wins.
    pub ipxe_bootfile_name_by_arch: BTreeMap<String, String>,
    /// File name of the script that iPXE loads first; default `boot.ipxe`.
    pub ipxe_boot_script: String,
    /// Script that iPXE runs when no configuration fits the machine; default none.
    pub ipxe_fallback_script: Option<String>,
    /// Time that iPXE gives a download, in whole seconds; zero, the default, sets no limit.
    pub ipxe_timeout: Duration,
    /// IP version of DHCP options when a call names none; default 4.
    pub ip_version: IpVersion,
    /// Who serves DHCP, which decides how options for iPXE are told apart; default Neutron.
    pub dhcp_provider: DhcpProvider,
    /// Kernels and ramdisks for nodes whose `driver_info` names none.
    pub ramdisks: DefaultRamdisks,
    /// Kickstart template of nodes that bring none, as an image reference.
    pub default_ks_template: String,
    /// Texts of the configuration files.
    pub templates: Templates,
}

impl Default for BootConfig {
    fn default() -> Self {
        Self {
            tftp_root: "/tftpboot".into(),
            http_root: "/httpboot".into(),
            http_url: String::new(),
            tftp_server: String::new(),
            my_ipv6: None,
            config_subdir: "pxelinux.cfg".into(),
            default_boot_mode: "uefi".into(),
            kernel_append_params: "nofb vga=normal".into(),
            debug: false,
            disable_kernel_parameter_parsing: false,
            add_all_ports: false,
            enable_netboot_fallback: false,
            automated_clean: true,
            pxe_bootfile_name: "pxelinux.0".into(),
            uefi_pxe_bootfile_name: "bootx64.efi".into(),
            ipxe_bootfile_name: "undionly.kpxe".into(),
            uefi_ipxe_bootfile_name: "snponly.efi".into(),
            pxe_bootfile_name_by_arch: BTreeMap::new(),
            ipxe_bootfile_name_by_arch: BTreeMap::new(),
            ipxe_boot_script: "boot.ipxe".into(),
            ipxe_fallback_script: None,
            ipxe_timeout: Duration::ZERO,
            ip_version: IpVersion::V4,
            dhcp_provider: DhcpProvider::Neutron,
            ramdisks: DefaultRamdisks::default(),
            default_ks_template: String::new(),
            templates: Templates::default(),
        }
    }
}

/// Version of the Internet Protocol that a set of DHCP options is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpVersion {
    /// DHCPv4.
    V4,
    /// DHCPv6.
    V6,
}

impl IpVersion {
    /// Returns 4 or 6.
    pub fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }
}

/// Who answers DHCP requests of machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DhcpProvider {
    /// OpenStack's network service.
    Neutron,
    /// A dnsmasq that reads files written for it.
    Dnsmasq,
    /// Nobody that we could tell anything.
    None,
    /// Something else, by name.
    Other(String),
}

impl DhcpProvider {
    /// Reads a provider's configured name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "neutron" => Self::Neutron,
            "dnsmasq" => Self::Dnsmasq,
            "none" => Self::None,
            other => Self::Other(other.into()),
        }
    }

    /// Tells whether the provider tags requests that come from iPXE.
    pub fn supports_ipxe_tag(&self) -> bool {
        matches!(self, Self::Neutron | Self::Dnsmasq)
    }
}

/// Kernels and ramdisks of nodes whose `driver_info` names none, as image references.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DefaultRamdisks {
    /// Kernel that deploys.
    pub deploy_kernel: Option<String>,
    /// Initial ramdisk that deploys.
    pub deploy_ramdisk: Option<String>,
    /// Kernel that rescues.
    pub rescue_kernel: Option<String>,
    /// Initial ramdisk that rescues.
    pub rescue_ramdisk: Option<String>,
    /// Any of the four by label, then by `cpu_arch`; wins over the plain ones.
    pub by_arch: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// Makes a kernel without its ramdisk, or the reverse, an error instead of nothing.
    pub error_on_inconsistency: bool,
}
