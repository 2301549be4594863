use crate::boot::Root;

/// A boot interface: how a machine finds its boot loader, and which loader that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootInterface {
    /// pxelinux or GRUB, over TFTP.
    Pxe,
    /// iPXE, loaded over TFTP; everything after it over HTTP.
    Ipxe,
    /// GRUB, over UEFI HTTP boot.
    Http,
    /// iPXE, over UEFI HTTP boot.
    HttpIpxe,
}

impl BootInterface {
    /// Every interface, in the order in which they are preferred.
    pub const ALL: [Self; 4] = [Self::Ipxe, Self::Pxe, Self::HttpIpxe, Self::Http];

    /// Finds an interface by its registered name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|interface| interface.name() == name)
    }

    /// Returns the registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pxe => "pxe",
            Self::Ipxe => "ipxe",
            Self::Http => "http",
            Self::HttpIpxe => "http-ipxe",
        }
    }

    /// Returns what else the interface can do, by the field's names.
    pub fn capabilities(self) -> &'static [&'static str] {
        if self.is_ipxe() {
            &["iscsi_volume_boot", "ramdisk_boot", "ipxe_boot", "pxe_boot"]
        } else {
            &["ramdisk_boot", "pxe_boot"]
        }
    }

    /// Tells whether machines run iPXE.
    pub fn is_ipxe(self) -> bool {
        matches!(self, Self::Ipxe | Self::HttpIpxe)
    }

    /// Tells whether firmware loads the boot loader over HTTP.
    pub fn is_http_boot(self) -> bool {
        matches!(self, Self::Http | Self::HttpIpxe)
    }

    /// Returns the root below which configurations are written.
    pub fn config_root(self) -> Root {
        if self.is_ipxe() {
            Root::Http
        } else {
            Root::Tftp
        }
    }

    /// Returns the root below which kernels and ramdisks are kept.
    pub fn image_root(self) -> Root {
        if self.is_ipxe() || self.is_http_boot() {
            Root::Http
        } else {
            Root::Tftp
        }
    }
}
