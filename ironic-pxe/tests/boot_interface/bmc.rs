use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{BootDeviceState, Interface, Management, SharedTask, Task};
use ironic_core::states::{BootDevice, BootMode};

/// A management interface that remembers what it was asked to change.
#[derive(Clone, Default)]
pub(crate) struct Bmc(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// What was changed, in order: `pxe once`, `disk always`, `mode uefi`, `secure boot on`.
    pub(crate) calls: Vec<String>,
    /// The boot mode that the machine tells.
    pub(crate) mode: Option<BootMode>,
    pub(crate) mode_can_be_set: bool,
    /// Whether secure boot is on, on a machine that has it.
    pub(crate) secure_boot: Option<bool>,
    /// Boot devices that the machine does not know.
    pub(crate) unknown: BTreeSet<&'static str>,
    /// A call that never returns.
    pub(crate) hangs_at: Option<&'static str>,
    pub(crate) broken: bool,
}

impl Bmc {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    async fn change(&self, call: String) -> Result<(), Error> {
        let hangs = {
            let mut state = self.state();
            if state.broken {
                return Err(Error::driver("bmc", "the BMC is on fire"));
            }
            let hangs = state.hangs_at == Some(call.as_str());
            state.calls.push(call);
            hangs
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported {
        driver: "bmc".into(),
        extension: what.into(),
    }
}

#[async_trait]
impl Interface for Bmc {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Management for Bmc {
    async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
        Ok(BootDevice::ALL.to_vec())
    }

    async fn get_boot_device(&self, _task: &SharedTask) -> Result<BootDeviceState, Error> {
        Ok(BootDeviceState::default())
    }

    async fn set_boot_device(
        &self,
        _task: &mut Task,
        device: BootDevice,
        persistent: bool,
    ) -> Result<(), Error> {
        if self.state().unknown.contains(device.as_str()) {
            return Err(Error::invalid(format!("boot device {device} is unknown")));
        }
        let times = if persistent { "always" } else { "once" };
        self.change(format!("{device} {times}")).await
    }

    async fn get_boot_mode(&self, _task: &SharedTask) -> Result<Option<BootMode>, Error> {
        Ok(self.state().mode)
    }

    async fn set_boot_mode(&self, _task: &mut Task, mode: BootMode) -> Result<(), Error> {
        if !self.state().mode_can_be_set {
            return Err(unsupported("set_boot_mode"));
        }
        self.change(format!("mode {mode}")).await?;
        self.state().mode = Some(mode);
        Ok(())
    }

    async fn get_secure_boot(&self, _task: &SharedTask) -> Result<Option<bool>, Error> {
        Ok(self.state().secure_boot)
    }

    async fn set_secure_boot(&self, _task: &mut Task, on: bool) -> Result<(), Error> {
        if self.state().secure_boot.is_none() {
            return Err(unsupported("set_secure_boot"));
        }
        let word = if on { "on" } else { "off" };
        self.change(format!("secure boot {word}")).await?;
        self.state().secure_boot = Some(on);
        Ok(())
    }
}
