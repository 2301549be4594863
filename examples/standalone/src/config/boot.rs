//! `[boot]`, `[tftp]` and `[http_boot]`: what machines boot, and who serves it to them.

use std::net::SocketAddr;

use ironic_core::Error;
use ironic_pxe::boot::BootConfig;

use super::ConfigError;
use super::sections::section;
use super::value::{Names, Pairs, Seconds};

section! {
    /// `[boot]`: what machines boot over the network. Keys of the original's `[pxe]`, `[deploy]`
    /// and `[conductor]` have the same names and, unless said here, the same defaults.
    pub struct BootSection("BOOT") {
        /// The folder that TFTP serves; made when it is not there. Default `/tftpboot`.
        tftp_root: String,
        /// The folder that HTTP serves; made when it is not there. Default `/httpboot`.
        http_root: String,
        /// Where machines find `http_root`. Default the address of `[http_boot] listen`.
        http_url: String,
        /// Where machines find `tftp_root`. Default the address of `[tftp] listen`.
        tftp_server: String,
        /// The kernel that deploys, for nodes that name none.
        deploy_kernel: String,
        /// The ramdisk that deploys, for nodes that name none.
        deploy_ramdisk: String,
        /// The kernel that rescues, for nodes that name none.
        rescue_kernel: String,
        /// The ramdisk that rescues, for nodes that name none.
        rescue_ramdisk: String,
        /// Kernels that deploy, by `cpu_arch`; they win over the one for all.
        deploy_kernel_by_arch: Pairs,
        /// Ramdisks that deploy, by `cpu_arch`.
        deploy_ramdisk_by_arch: Pairs,
        /// Kernels that rescue, by `cpu_arch`.
        rescue_kernel_by_arch: Pairs,
        /// Ramdisks that rescue, by `cpu_arch`.
        rescue_ramdisk_by_arch: Pairs,
        /// Kernel parameters of every ramdisk. Default `nofb vga=normal`.
        kernel_append_params: String,
        /// How nodes boot that say nothing: `uefi` or `bios`. Default `uefi`.
        default_boot_mode: String,
        /// The boot loader for BIOS machines. Default `pxelinux.0`.
        pxe_bootfile_name: String,
        /// The boot loader for UEFI machines. Default `bootx64.efi`.
        uefi_pxe_bootfile_name: String,
        /// iPXE for BIOS machines. Default `undionly.kpxe`.
        ipxe_bootfile_name: String,
        /// iPXE for UEFI machines. Default `snponly.efi`.
        uefi_ipxe_bootfile_name: String,
        /// Boot loaders by `cpu_arch`, or by `cpu_arch` and mode as in `aarch64-uefi`.
        pxe_bootfile_name_by_arch: Pairs,
        /// iPXE by `cpu_arch`, or by `cpu_arch` and mode.
        ipxe_bootfile_name_by_arch: Pairs,
        /// Files that are copied into both roots at every start, by the name that they get there:
        /// boot loaders, from where the system's packages have them.
        loader_file_paths: Pairs,
        /// What iPXE runs on machines that nothing is prepared for: the name of a script below
        /// `http_root`.
        ipxe_fallback_script: String,
        /// How long iPXE gives a download; 0 for ever. Default 0.
        ipxe_timeout: Seconds,
        /// Whether ports boot that have `pxe_enabled` unset. Default false.
        add_all_ports: bool,
        /// Whether deployed nodes that boot over the network are led to their disks. Default false.
        enable_netboot_fallback: bool,
        /// Folders whose files nodes may name as kernels and ramdisks by `file://`. Default
        /// `/var/lib/ironic`, if it is there.
        file_url_allowed_paths: Names,
        /// How large a kernel or ramdisk may be that is fetched, in MiB. Default 4096.
        image_limit_mib: u32,
        /// How long fetching one may take. Default 1800.
        image_timeout: Seconds,
    }
}

section! {
    /// `[tftp]`: the TFTP server.
    pub struct TftpSection("TFTP") {
        /// Where it listens; without this there is none. Firmware asks at port 69.
        listen: SocketAddr,
    }
}

section! {
    /// `[http_boot]`: the HTTP server of boot files.
    pub struct HttpBootSection("HTTP_BOOT") {
        /// Where it listens; without this there is none.
        listen: SocketAddr,
    }
}

impl BootSection {
    /// What boot files are made by; where machines find them is yet to be said.
    pub(crate) fn boot_config(&self) -> BootConfig {
        let mut config = BootConfig::default();
        let texts = [
            (&mut config.tftp_root, &self.tftp_root),
            (&mut config.http_root, &self.http_root),
            (&mut config.tftp_server, &self.tftp_server),
            (&mut config.kernel_append_params, &self.kernel_append_params),
            (&mut config.default_boot_mode, &self.default_boot_mode),
            (&mut config.pxe_bootfile_name, &self.pxe_bootfile_name),
            (
                &mut config.uefi_pxe_bootfile_name,
                &self.uefi_pxe_bootfile_name,
            ),
            (&mut config.ipxe_bootfile_name, &self.ipxe_bootfile_name),
            (
                &mut config.uefi_ipxe_bootfile_name,
                &self.uefi_ipxe_bootfile_name,
            ),
        ];
        for (setting, value) in texts {
            if let Some(value) = value {
                setting.clone_from(value);
            }
        }
        if let Some(url) = &self.http_url {
            url.trim_end_matches('/').clone_into(&mut config.http_url);
        }
        config
            .ipxe_fallback_script
            .clone_from(&self.ipxe_fallback_script);
        config.add_all_ports = self.add_all_ports.unwrap_or(config.add_all_ports);
        config.enable_netboot_fallback = self
            .enable_netboot_fallback
            .unwrap_or(config.enable_netboot_fallback);
        config.ipxe_timeout = self.ipxe_timeout.map_or(config.ipxe_timeout, |time| time.0);
        let by_arch = |pairs: &Option<Pairs>| {
            let pairs = pairs.as_deref().into_iter().flatten();
            pairs
                .map(|(arch, file)| (arch.clone(), file.clone()))
                .collect()
        };
        config.pxe_bootfile_name_by_arch = by_arch(&self.pxe_bootfile_name_by_arch);
        config.ipxe_bootfile_name_by_arch = by_arch(&self.ipxe_bootfile_name_by_arch);
        let ramdisks = &mut config.ramdisks;
        ramdisks.deploy_kernel.clone_from(&self.deploy_kernel);
        ramdisks.deploy_ramdisk.clone_from(&self.deploy_ramdisk);
        ramdisks.rescue_kernel.clone_from(&self.rescue_kernel);
        ramdisks.rescue_ramdisk.clone_from(&self.rescue_ramdisk);
        ramdisks.by_arch = [
            ("deploy_kernel", &self.deploy_kernel_by_arch),
            ("deploy_ramdisk", &self.deploy_ramdisk_by_arch),
            ("rescue_kernel", &self.rescue_kernel_by_arch),
            ("rescue_ramdisk", &self.rescue_ramdisk_by_arch),
        ]
        .map(|(label, pairs)| (label, by_arch(pairs)))
        .into();
        config
    }

    /// Refuses what no machine could boot by.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |text: String| Err(Error::invalid(text).into());
        for (key, root) in [
            ("tftp_root", &self.tftp_root),
            ("http_root", &self.http_root),
        ] {
            let plain = |root: &String| {
                root.starts_with('/')
                    && !root.trim_matches('/').is_empty()
                    && !root.contains("/../")
            };
            if root.as_ref().is_some_and(|root| !plain(root)) {
                return wrong(format!(
                    "{key} in [boot] must be an absolute path of a folder"
                ));
            }
        }
        let is_mode = |mode: &str| matches!(mode, "uefi" | "bios");
        if self
            .default_boot_mode
            .as_deref()
            .is_some_and(|mode| !is_mode(mode))
        {
            return wrong("default_boot_mode in [boot] must be uefi or bios".to_owned());
        }
        let is_url = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        if self.http_url.as_deref().is_some_and(|url| !is_url(url)) {
            return wrong("http_url in [boot] must begin with http:// or https://".to_owned());
        }
        if self.image_limit_mib == Some(0) {
            return wrong("image_limit_mib in [boot] must be at least 1".to_owned());
        }
        Ok(())
    }
}
