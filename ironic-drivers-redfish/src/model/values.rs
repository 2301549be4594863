//! Enumerations of the schema, open to values that are not in it.

/// Declares an enumeration with its wire names and a place for names unknown to it.
macro_rules! open_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $wire:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vmeta])* $variant,)+
            /// A value that this table does not know.
            Other(String),
        }

        impl $name {
            /// Every value of the table, in its order.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                match name {
                    $($wire => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as ::serde::Deserialize>::deserialize(deserializer).map(|name| Self::from(name.as_str()))
            }
        }
    };
}

open_enum! {
    /// `PowerState` (DSP0268 Resource.PowerState).
    pub enum PowerState {
        /// Powered on.
        On = "On",
        /// Powered off, but for auxiliary power.
        Off = "Off",
        /// Between off and on.
        PoweringOn = "PoweringOn",
        /// Between on and off.
        PoweringOff = "PoweringOff",
        /// On, and held.
        Paused = "Paused",
    }
}

impl PowerState {
    /// On or off, a transition counting as its end; `None` for what is neither.
    pub const fn is_on(&self) -> Option<bool> {
        match self {
            Self::On | Self::PoweringOn => Some(true),
            Self::Off | Self::PoweringOff => Some(false),
            Self::Paused | Self::Other(_) => None,
        }
    }
}

open_enum! {
    /// `ResetType` (DSP0268 Resource.ResetType).
    pub enum ResetType {
        /// Power on.
        On = "On",
        /// Power off at once.
        ForceOff = "ForceOff",
        /// Ask the operating system to shut down.
        GracefulShutdown = "GracefulShutdown",
        /// Ask the operating system to restart.
        GracefulRestart = "GracefulRestart",
        /// Restart at once.
        ForceRestart = "ForceRestart",
        /// Diagnostic interrupt.
        Nmi = "Nmi",
        /// Power on at once.
        ForceOn = "ForceOn",
        /// Press the power button.
        PushPowerButton = "PushPowerButton",
        /// Take the power away and give it back.
        PowerCycle = "PowerCycle",
        /// Suspend to disk.
        Suspend = "Suspend",
        /// Hold without losing power.
        Pause = "Pause",
        /// Go on after `Pause`.
        Resume = "Resume",
    }
}

impl ResetType {
    /// Whether doing it twice ends where doing it once does.
    pub const fn is_repeatable(&self) -> bool {
        matches!(
            self,
            Self::On | Self::ForceOn | Self::ForceOff | Self::GracefulShutdown
        )
    }

    /// What has the same effect on a service that does not offer this one.
    pub const fn substitute(&self) -> Option<Self> {
        match self {
            Self::On => Some(Self::ForceOn),
            Self::ForceRestart => Some(Self::PowerCycle),
            _ => None,
        }
    }
}

open_enum! {
    /// `BootSourceOverrideTarget` (DSP0268 ComputerSystem.BootSource).
    pub enum BootSource {
        /// The normal boot device.
        None = "None",
        /// The network, by PXE.
        Pxe = "Pxe",
        /// The floppy drive.
        Floppy = "Floppy",
        /// The CD or DVD drive.
        Cd = "Cd",
        /// A USB device that the BIOS picks.
        Usb = "Usb",
        /// A hard disk.
        Hdd = "Hdd",
        /// The BIOS' setup program.
        BiosSetup = "BiosSetup",
        /// The manufacturer's utilities.
        Utilities = "Utilities",
        /// The manufacturer's diagnostics.
        Diags = "Diags",
        /// The UEFI shell.
        UefiShell = "UefiShell",
        /// The device named in `UefiTargetBootSourceOverride`.
        UefiTarget = "UefiTarget",
        /// An SD card.
        SdCard = "SDCard",
        /// The network, by UEFI HTTP boot.
        UefiHttp = "UefiHttp",
        /// A remote drive, iSCSI for instance.
        RemoteDrive = "RemoteDrive",
        /// The device named in `BootNext`.
        UefiBootNext = "UefiBootNext",
        /// Supermicro's own: virtual media, which is a USB CD drive there.
        UsbCd = "UsbCd",
    }
}

open_enum! {
    /// `BootSourceOverrideEnabled` (DSP0268 ComputerSystem).
    pub enum OverrideEnabled {
        /// The override is not in effect.
        Disabled = "Disabled",
        /// For the next boot.
        Once = "Once",
        /// Until it is taken back.
        Continuous = "Continuous",
    }
}

open_enum! {
    /// `BootSourceOverrideMode` (DSP0268 ComputerSystem).
    pub enum OverrideMode {
        /// UEFI.
        Uefi = "UEFI",
        /// BIOS.
        Legacy = "Legacy",
    }
}

open_enum! {
    /// `IndicatorLED` (DSP0268 Resource.IndicatorLED).
    pub enum IndicatorLed {
        /// Lit.
        Lit = "Lit",
        /// Blinking.
        Blinking = "Blinking",
        /// Off.
        Off = "Off",
        /// Cannot be told.
        Unknown = "Unknown",
    }
}
