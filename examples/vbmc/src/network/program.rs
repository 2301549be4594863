use crate::machine::Firmware;

/// A boot program that this machine can play.
///
/// The machine runs no code: it knows a program by its file name, loads the file as firmware would, and then does what
/// the program would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Pxelinux,
    Grub,
    Ipxe,
}

impl Program {
    /// The program of that file name, where the firmware runs it: BIOS takes no EFI applications, UEFI nothing else.
    pub(crate) fn find(path: &str, firmware: Firmware) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        if name.ends_with(".efi") == (firmware == Firmware::Bios) || name.ends_with(".ipxe") {
            return None;
        }
        let starts = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
        if name.contains("pxelinux") || name.starts_with("syslinux") {
            Some(Self::Pxelinux)
        } else if starts(&["undionly", "ipxe", "snponly", "snp"]) {
            Some(Self::Ipxe)
        } else if starts(&["grub", "shim", "boot", "core"]) {
            Some(Self::Grub)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_go_by_name_and_firmware() {
        for (path, bios, uefi) in [
            ("pxelinux.0", Some(Program::Pxelinux), None),
            ("a/lpxelinux.0", Some(Program::Pxelinux), None),
            ("undionly.kpxe", Some(Program::Ipxe), None),
            ("ipxe.efi", None, Some(Program::Ipxe)),
            ("snponly.efi", None, Some(Program::Ipxe)),
            ("bootx64.efi", None, Some(Program::Grub)),
            ("EFI/grubaa64.EFI", None, Some(Program::Grub)),
            ("http://192.0.2.1/shimx64.efi", None, Some(Program::Grub)),
            ("boot.ipxe", None, None),
            ("windows.wim", None, None),
            ("", None, None),
        ] {
            assert_eq!(Program::find(path, Firmware::Bios), bios, "{path}");
            assert_eq!(Program::find(path, Firmware::Uefi), uefi, "{path}");
            assert_eq!(Program::find(path, Firmware::UefiHttp), uefi, "{path}");
        }
    }
}
