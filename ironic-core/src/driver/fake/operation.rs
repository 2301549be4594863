use crate::states::InterfaceKind;

string_enum! {
    /// Something that a fake machine can be asked for: what scripts and the call log speak of.
    #[non_exhaustive]
    pub enum FakeOperation("fake operation") {
        /// Checking the node.
        ValidateBios = "bios.validate",
        /// Reading the settings into the node's records.
        CacheSettings = "bios.cache_settings",
        /// The step that sets the settings.
        ApplyConfiguration = "bios.apply_configuration",
        /// The step that reads the settings.
        CacheBiosSettings = "bios.cache_bios_settings",
        /// The step that sets every setting back.
        FactoryReset = "bios.factory_reset",
        /// Checking the node.
        ValidateBoot = "boot.validate",
        /// Letting the next boot start the ramdisk.
        PrepareRamdisk = "boot.prepare_ramdisk",
        /// Undoing that.
        CleanUpRamdisk = "boot.clean_up_ramdisk",
        /// Letting later boots start the instance.
        PrepareInstance = "boot.prepare_instance",
        /// Undoing that.
        CleanUpInstance = "boot.clean_up_instance",
        /// Checking the node.
        ValidateConsole = "console.validate",
        /// Starting the console.
        StartConsole = "console.start",
        /// Stopping the console.
        StopConsole = "console.stop",
        /// Asking where the console is.
        GetConsole = "console.get",
        /// Checking the node.
        ValidateDeploy = "deploy.validate",
        /// Getting ready for the deploy steps.
        PrepareDeploy = "deploy.prepare",
        /// The step that deploys.
        Deploy = "deploy.deploy",
        /// Leaving nothing of a deployment behind.
        CleanUpDeploy = "deploy.clean_up",
        /// Taking the instance off.
        TearDown = "deploy.tear_down",
        /// Taking over from another conductor.
        TakeOver = "deploy.take_over",
        /// Getting ready for clean or service steps.
        PrepareSteps = "deploy.prepare_steps",
        /// Undoing that.
        TearDownSteps = "deploy.tear_down_steps",
        /// Asking the agent which steps it offers.
        RefreshSteps = "deploy.refresh_steps",
        /// Checking the node.
        ValidateFirmware = "firmware.validate",
        /// Reading the versions into the node's records.
        CacheComponents = "firmware.cache_components",
        /// The step that updates firmware.
        UpdateFirmware = "firmware.update",
        /// Checking the node.
        ValidateInspect = "inspect.validate",
        /// Inspecting.
        InspectHardware = "inspect.inspect_hardware",
        /// Making use of what was found.
        FinishInspection = "inspect.finish",
        /// Stopping an inspection.
        AbortInspection = "inspect.abort",
        /// Checking the node.
        ValidateManagement = "management.validate",
        /// Asking what the machine boots from.
        GetBootDevice = "management.get_boot_device",
        /// Setting what the machine boots from.
        SetBootDevice = "management.set_boot_device",
        /// Setting how the machine boots.
        SetBootMode = "management.set_boot_mode",
        /// Setting whether the firmware checks what it boots.
        SetSecureBoot = "management.set_secure_boot",
        /// Interrupting the processor.
        InjectNmi = "management.inject_nmi",
        /// Asking what a light does.
        GetIndicator = "management.get_indicator",
        /// Setting what a light does.
        SetIndicator = "management.set_indicator",
        /// Asking what is in the slots for virtual media.
        GetVirtualMedia = "management.virtual_media",
        /// Putting an image into a slot.
        AttachVirtualMedia = "management.attach_virtual_media",
        /// Emptying slots.
        DetachVirtualMedia = "management.detach_virtual_media",
        /// Reading sensors.
        Sensors = "management.sensors",
        /// Asking how the machine is.
        GetHealth = "management.health",
        /// Checking the node.
        ValidateNetwork = "network.validate",
        /// Connecting ports.
        Connect = "network.connect",
        /// Cutting ports off.
        Disconnect = "network.disconnect",
        /// Attaching a virtual interface.
        AttachVif = "network.attach_vif",
        /// Detaching a virtual interface.
        DetachVif = "network.detach_vif",
        /// Checking the node.
        ValidatePower = "power.validate",
        /// Asking whether the machine has power.
        GetPowerState = "power.get_power_state",
        /// Switching power.
        SetPowerState = "power.set_power_state",
        /// Checking the node.
        ValidateRaid = "raid.validate",
        /// Checking the node.
        ValidateRescue = "rescue.validate",
        /// Booting the rescue ramdisk.
        Rescue = "rescue.rescue",
        /// Booting the instance again.
        Unrescue = "rescue.unrescue",
        /// Leaving nothing of a rescue behind.
        CleanUpRescue = "rescue.clean_up",
        /// Checking the node.
        ValidateStorage = "storage.validate",
        /// Attaching volumes.
        AttachVolumes = "storage.attach_volumes",
        /// Detaching volumes.
        DetachVolumes = "storage.detach_volumes",
        /// Checking the node.
        ValidateVendor = "vendor.validate",
        /// Calling a method.
        CallVendor = "vendor.call",
        /// The step that writes a line to the log.
        LogPassthrough = "vendor.log_passthrough",
        /// The step that waits for the agent.
        TriggerServiceWait = "vendor.trigger_servicewait",
    }
}

impl FakeOperation {
    /// The interface that it belongs to.
    pub fn interface(self) -> Option<InterfaceKind> {
        self.as_str().split('.').next()?.parse().ok()
    }

    /// The operations of an interface, apart from checking the node, which talks to no machine.
    pub fn of(kind: InterfaceKind) -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(move |op| op.interface() == Some(kind) && !op.as_str().ends_with(".validate"))
    }
}

#[cfg(test)]
mod tests {
    use super::FakeOperation;
    use crate::states::InterfaceKind;

    #[test]
    fn every_operation_belongs_to_an_interface() {
        for op in FakeOperation::ALL {
            assert!(op.interface().is_some(), "{op}");
        }
        let power: Vec<_> = FakeOperation::of(InterfaceKind::Power).collect();
        assert_eq!(
            power,
            [FakeOperation::GetPowerState, FakeOperation::SetPowerState]
        );
    }
}
