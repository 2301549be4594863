/// Kind of machine that a client says it is (option 93, RFC 4578 §2.1 and the numbers that IANA
/// keeps for it and RFC 5970).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientArch(pub u16);

impl ClientArch {
    /// x86 with a BIOS.
    pub const BIOS: Self = Self(0);
    /// 32-bit x86 with UEFI.
    pub const UEFI_X86: Self = Self(6);
    /// 64-bit x86 with UEFI, as RFC 4578's errata number it and firmware sends it.
    pub const UEFI_X64: Self = Self(7);
    /// 64-bit x86 with UEFI, as RFC 4578's text numbers it.
    pub const UEFI_X64_TEXT: Self = Self(9);
    /// 32-bit ARM with UEFI.
    pub const UEFI_ARM32: Self = Self(10);
    /// 64-bit ARM with UEFI.
    pub const UEFI_ARM64: Self = Self(11);
    /// 64-bit x86 with UEFI, booting over HTTP.
    pub const HTTP_X64: Self = Self(16);
    /// 64-bit ARM with UEFI, booting over HTTP.
    pub const HTTP_ARM64: Self = Self(19);

    /// Returns the one number that stands for all that run the same boot loaders.
    #[must_use]
    pub fn canonical(self) -> Self {
        match self {
            Self::UEFI_X64_TEXT | Self::HTTP_X64 => Self::UEFI_X64,
            Self::HTTP_ARM64 => Self::UEFI_ARM64,
            // 15 and 18: 32-bit x86 and ARM over HTTP.
            Self(15) => Self::UEFI_X86,
            Self(18) => Self::UEFI_ARM32,
            other => other,
        }
    }

    /// Tells whether the machine runs UEFI.
    pub fn is_uefi(self) -> bool {
        matches!(
            self.canonical(),
            Self::UEFI_X86 | Self::UEFI_X64 | Self::UEFI_ARM32 | Self::UEFI_ARM64
        )
    }

    /// Tells whether the machine loads its boot loader over HTTP.
    pub fn is_http(self) -> bool {
        matches!(
            self,
            Self(15) | Self::HTTP_X64 | Self(18) | Self::HTTP_ARM64
        )
    }
}
