//! What a machine can be asked for and can be seen to do: power, boot, interfaces.

string_enum! {
    /// Whether the machine has power.
    #[non_exhaustive]
    pub enum PowerState("power state") {
        /// It has.
        On = "power on",
        /// It has not.
        Off = "power off",
        /// The BMC could not say, or says that something is broken.
        Error = "error",
    }
}

string_enum! {
    /// How well a machine's hardware is, as its BMC says.
    #[non_exhaustive]
    pub enum Health("health") {
        /// Nothing is wrong with it.
        Ok = "OK",
        /// Something needs to be looked at.
        Warning = "Warning",
        /// Something needs to be seen to at once.
        Critical = "Critical",
    }
}

string_enum! {
    /// What can be asked of a machine's power.
    #[non_exhaustive]
    pub enum PowerTarget("power target") {
        /// Switch on.
        On = "power on",
        /// Switch off at once.
        Off = "power off",
        /// Switch off and on at once.
        Reboot = "rebooting",
        /// Ask the operating system to reboot.
        SoftReboot = "soft rebooting",
        /// Ask the operating system to shut down.
        SoftOff = "soft power off",
    }
}

impl PowerTarget {
    /// The state that the machine has once this is done.
    pub const fn result(self) -> PowerState {
        match self {
            Self::On | Self::Reboot | Self::SoftReboot => PowerState::On,
            Self::Off | Self::SoftOff => PowerState::Off,
        }
    }
}

string_enum! {
    /// What the firmware tries to boot from.
    #[non_exhaustive]
    pub enum BootDevice("boot device") {
        /// The network, by PXE.
        Pxe = "pxe",
        /// The local disk.
        Disk = "disk",
        /// An optical drive or its image.
        Cdrom = "cdrom",
        /// The firmware's setup.
        Bios = "bios",
        /// Safe mode.
        Safe = "safe",
        /// A writable removable disk or its image.
        Floppy = "floppy",
        /// The network, by a list of the firmware's own.
        Wanboot = "wanboot",
        /// A URI that the firmware fetches over HTTP.
        UefiHttp = "uefihttp",
        /// An image attached over iSCSI.
        Iscsiboot = "iscsiboot",
    }
}

string_enum! {
    /// How the firmware boots.
    #[non_exhaustive]
    pub enum BootMode("boot mode") {
        /// By the boot sector.
        Bios = "bios",
        /// By an EFI program.
        Uefi = "uefi",
    }
}

string_enum! {
    /// One of the thirteen parts that a driver is made of.
    #[non_exhaustive]
    pub enum InterfaceKind("interface") {
        /// Firmware settings.
        Bios = "bios",
        /// What the machine boots, and how it gets it.
        Boot = "boot",
        /// Serial and graphical consoles.
        Console = "console",
        /// How an instance gets onto the machine.
        Deploy = "deploy",
        /// Firmware versions and updates.
        Firmware = "firmware",
        /// Finding out what the machine is made of.
        Inspect = "inspect",
        /// Boot device, boot mode, sensors, indicators.
        Management = "management",
        /// Which networks the machine is connected to.
        Network = "network",
        /// Switching power.
        Power = "power",
        /// Volumes of disk controllers and of software.
        Raid = "raid",
        /// The rescue ramdisk.
        Rescue = "rescue",
        /// Volumes outside the machine.
        Storage = "storage",
        /// What only this vendor offers.
        Vendor = "vendor",
    }
}

string_enum! {
    /// What is going on with a node: each kind has its own file in the engine.
    #[non_exhaustive]
    pub enum FlowKind("flow") {
        /// Checking that the BMC can be reached.
        Verify = "verify",
        /// Finding out what the machine is made of.
        Inspect = "inspect",
        /// Cleaning, automated or with given steps.
        Clean = "clean",
        /// Putting an instance on the machine.
        Deploy = "deploy",
        /// Removing the instance.
        TearDown = "tear down",
        /// Running steps on a machine with an instance.
        Service = "service",
        /// Booting the rescue ramdisk.
        Rescue = "rescue",
        /// Booting the instance again.
        Unrescue = "unrescue",
        /// Taking in a machine that already runs an instance.
        Adopt = "adopt",
        /// Switching power.
        Power = "power",
    }
}

string_enum! {
    /// What a machine is connected to a network for.
    #[non_exhaustive]
    pub enum NetworkRole("network role") {
        /// Deploying.
        Provisioning = "provisioning",
        /// Cleaning.
        Cleaning = "cleaning",
        /// Rescuing.
        Rescuing = "rescuing",
        /// Inspecting.
        Inspection = "inspection",
        /// Servicing.
        Servicing = "servicing",
        /// Running an instance.
        Tenant = "tenant",
    }
}
