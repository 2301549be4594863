use std::fmt;

/// The kind of firmware that a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Firmware {
    /// A BIOS: boots pxelinux and iPXE for BIOS, and disks with a master boot record.
    Bios,
    /// UEFI that boots by PXE: EFI applications over TFTP, and disks with an EFI system partition.
    #[default]
    Uefi,
    /// UEFI that boots EFI applications over HTTP (UEFI 2.10 §24.7).
    UefiHttp,
}

impl Firmware {
    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bios => "BIOS",
            Self::Uefi | Self::UefiHttp => "UEFI",
        }
    }
}

/// What a machine can boot from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootSource {
    /// The network, through each card in turn.
    Network,
    /// The disks in turn.
    Disk,
}

impl fmt::Display for BootSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Disk => "disk",
        })
    }
}
