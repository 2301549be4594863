//! What the thirteen traits have in common, and most of them. Each names what it promises.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{SharedTask, Task};
use crate::Error;
use crate::flow::{Forecast, Part, Progress, StepProgress};
use crate::model::{JsonMap, Node};
use crate::states::{FlowKind, NetworkRole, PowerState, PowerTarget};
use crate::steps::{Step, StepDef};

/// The `driver_info` and other keys that an interface reads, each with what it means.
pub type Properties = BTreeMap<String, String>;

/// What every interface is.
///
/// # Contract
/// - A method that takes `&SharedTask` changes neither the machine nor the node. One that takes
///   `&mut Task` may change both; what it changes on the node is committed together with the
///   decision that its answer leads to, so nothing is lost or half done when it fails.
/// - Every method may be dropped while it runs. What it had sent to the machine may or may not
///   have happened; a later call must cope with either.
/// - Nothing is sent to a BMC without [`SharedTask::bmc_permit`].
/// - An error says what was wrong and with which field, and holds no secret.
#[async_trait]
pub trait Interface: Send + Sync + 'static {
    /// The keys that it reads.
    fn properties(&self) -> Properties {
        Properties::new()
    }

    /// The names of the interfaces of the same kind that must be enabled where this one is: those
    /// that it hands over to.
    fn requires(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the node has what this interface needs. Talks to no machine.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] or [`Error::InvalidParameter`] that name every field at fault.
    async fn validate(&self, task: &SharedTask) -> Result<(), Error>;

    /// The steps that it offers for this kind of flow: from the node alone, without any I/O.
    fn steps(&self, _node: &Node, _flow: FlowKind) -> Vec<StepDef> {
        Vec::new()
    }

    /// Runs one of its steps, or begins to.
    ///
    /// # Errors
    /// Why the step failed. A step that has failed is over: nothing of it runs on.
    async fn execute_step(
        &self,
        _task: &mut Task,
        flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        Err(Error::Unsupported {
            driver: step.interface.to_string(),
            extension: format!("{flow} step {step}"),
        })
    }

    /// Says how far a step is that answered [`Progress::Wait`], or of which nobody knows whether
    /// it began.
    ///
    /// # Errors
    /// When it cannot be found out now; asked again later.
    async fn step_progress(
        &self,
        _task: &SharedTask,
        _flow: FlowKind,
        _step: &Step,
    ) -> Result<StepProgress, Error> {
        Ok(StepProgress::Unknown)
    }

    /// What it would do to the machine in this part of a flow, if all goes well: from the node
    /// alone, without any I/O. Plans are made of it.
    fn forecast(&self, _node: &Node, _flow: FlowKind, _part: Part<'_>) -> Forecast {
        Forecast::default()
    }
}

pub(super) fn unsupported<T>(task: &SharedTask, extension: &str) -> Result<T, Error> {
    Err(Error::Unsupported {
        driver: task.node().driver.clone(),
        extension: extension.to_owned(),
    })
}

/// Switches power.
///
/// # Contract
/// When `set_power_state` has returned, the machine has been seen in the state asked for. Asking
/// for the state that the machine is in is no error.
#[async_trait]
pub trait Power: Interface {
    /// Whether the machine has power; `None` when nothing can tell.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error>;

    /// Switches power and waits until it is done, at most `timeout`.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the machine did not get there; else as `get_power_state`.
    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error>;

    /// Whether the record of the machine's power can be kept in step with it: not where nothing
    /// can tell.
    fn supports_sync(&self, _task: &SharedTask) -> bool {
        true
    }

    /// What it can do to power.
    fn supported_targets(&self, _task: &SharedTask) -> Vec<PowerTarget> {
        vec![PowerTarget::On, PowerTarget::Off, PowerTarget::Reboot]
    }
}

/// The kernel parameters of a ramdisk, such as `ipa-api-url`.
pub type RamdiskParams = BTreeMap<String, String>;

/// Decides what the machine boots, and sees to it that it can.
///
/// # Contract
/// Each of the four changing methods may be called again after it has succeeded or failed, and
/// then leads to the same result. None of them switches power.
#[async_trait]
pub trait Boot: Interface {
    /// Lets the next boot start the ramdisk with these parameters.
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare_ramdisk(&self, task: &mut Task, params: &RamdiskParams) -> Result<(), Error>;

    /// Undoes `prepare_ramdisk`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up_ramdisk(&self, task: &mut Task) -> Result<(), Error>;

    /// Lets the next and later boots start the instance.
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare_instance(&self, task: &mut Task) -> Result<(), Error>;

    /// Undoes `prepare_instance`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up_instance(&self, task: &mut Task) -> Result<(), Error>;

    /// Whether it could boot the ramdisk for an inspection.
    ///
    /// # Errors
    /// As [`Interface::validate`].
    async fn validate_inspection(&self, task: &SharedTask) -> Result<(), Error> {
        self.validate(task).await
    }

    /// Whether it could boot the ramdisk for a rescue.
    ///
    /// # Errors
    /// As [`Interface::validate`].
    async fn validate_rescue(&self, task: &SharedTask) -> Result<(), Error> {
        self.validate(task).await
    }
}

/// Puts an instance on the machine and takes it off: most of it as deploy and clean steps.
///
/// # Contract
/// Each method may be called again after it has succeeded or failed, and then leads to the same
/// result: after a crash it will be.
#[async_trait]
pub trait Deploy: Interface {
    /// Makes the machine ready for the deploy steps.
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Leaves nothing of a deployment behind outside the machine: boot files, networks.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up(&self, task: &mut Task) -> Result<(), Error>;

    /// Takes the instance off the machine: stops it, and cuts it from its networks.
    ///
    /// # Errors
    /// Why it cannot.
    async fn tear_down(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Makes this conductor able to go on with the node that another looked after.
    ///
    /// # Errors
    /// Why it cannot.
    async fn take_over(&self, task: &mut Task) -> Result<(), Error>;

    /// Makes the machine ready for the clean or service steps (`flow` says which).
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare_steps(&self, _task: &mut Task, _flow: FlowKind) -> Result<Progress, Error> {
        Ok(Progress::Done)
    }

    /// Undoes `prepare_steps`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn tear_down_steps(&self, _task: &mut Task, _flow: FlowKind) -> Result<(), Error> {
        Ok(())
    }

    /// Asks the agent which steps it offers, and remembers them on the node, from where
    /// [`Interface::steps`] gives them.
    ///
    /// # Errors
    /// When the agent does not answer or refuses.
    async fn refresh_steps(&self, _task: &mut Task, _flow: FlowKind) -> Result<(), Error> {
        Ok(())
    }
}

/// Finds out what a machine is made of.
///
/// # Contract
/// As [`Deploy`].
#[async_trait]
pub trait Inspect: Interface {
    /// Inspects the hardware, or begins to: then what the ramdisk finds is handed to `finish`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Makes use of what was found, kept on the node as `inspection_data`, and undoes what
    /// `inspect_hardware` did to boot and networks.
    ///
    /// # Errors
    /// Why it cannot.
    async fn finish(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }

    /// Whether an inspection that waits can be stopped.
    fn can_abort(&self) -> bool {
        true
    }

    /// Stops an inspection that waits or has failed, and undoes what `inspect_hardware` did.
    ///
    /// # Errors
    /// Why it cannot.
    async fn abort(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}

/// Connects machines to networks.
///
/// # Contract
/// `connect` and `disconnect` may be called again after they have succeeded or failed, and then
/// lead to the same result.
#[async_trait]
pub trait Network: Interface {
    /// Connects the machine's ports for this role.
    ///
    /// # Errors
    /// Why it cannot.
    async fn connect(&self, task: &mut Task, role: NetworkRole) -> Result<(), Error>;

    /// Cuts the machine's ports off again.
    ///
    /// # Errors
    /// Why it cannot.
    async fn disconnect(&self, task: &mut Task, role: NetworkRole) -> Result<(), Error>;

    /// Whether connecting and disconnecting changes anything. Plans leave out what does not.
    fn switches(&self) -> bool {
        true
    }

    /// Attaches a virtual interface to a port; `info` has its `id`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn attach_vif(&self, task: &mut Task, _info: &JsonMap) -> Result<(), Error> {
        unsupported(task, "attach_vif")
    }

    /// Detaches a virtual interface.
    ///
    /// # Errors
    /// Why it cannot.
    async fn detach_vif(&self, task: &mut Task, _id: &str) -> Result<(), Error> {
        unsupported(task, "detach_vif")
    }

    /// The virtual interfaces that are attached.
    ///
    /// # Errors
    /// Why it cannot tell.
    async fn list_vifs(&self, _task: &SharedTask) -> Result<Vec<JsonMap>, Error> {
        Ok(Vec::new())
    }
}

/// Changes firmware settings, as steps.
///
/// # Contract
/// As [`Interface`].
#[async_trait]
pub trait Bios: Interface {
    /// Reads the settings into the node's records.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn cache_settings(&self, task: &mut Task) -> Result<(), Error>;
}

/// How to reach a console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsoleInfo {
    /// What sort, such as `socat`.
    pub kind: String,
    /// Where.
    pub url: String,
}

impl ConsoleInfo {
    /// A console of this sort at this address.
    pub fn new(kind: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            url: url.into(),
        }
    }
}

/// Opens a machine's console.
///
/// # Contract
/// Starting a console that runs, or stopping one that does not, is no error.
#[async_trait]
pub trait Console: Interface {
    /// Starts it.
    ///
    /// # Errors
    /// Why it cannot.
    async fn start(&self, task: &mut Task) -> Result<(), Error>;

    /// Stops it.
    ///
    /// # Errors
    /// Why it cannot.
    async fn stop(&self, task: &mut Task) -> Result<(), Error>;

    /// How to reach it.
    ///
    /// # Errors
    /// Why it cannot tell.
    async fn get(&self, task: &SharedTask) -> Result<ConsoleInfo, Error>;
}

/// Updates firmware, as steps.
///
/// # Contract
/// As [`Interface`].
#[async_trait]
pub trait Firmware: Interface {
    /// Reads the versions into the node's records.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn cache_components(&self, task: &mut Task) -> Result<(), Error>;
}

/// Builds and removes RAID volumes, as steps.
///
/// # Contract
/// As [`Interface`].
#[async_trait]
pub trait Raid: Interface {
    /// Whether this target configuration makes sense.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] that says why not.
    fn validate_config(&self, config: &JsonMap) -> Result<(), Error>;

    /// What the properties of a logical disk mean.
    fn logical_disk_properties(&self) -> Properties {
        Properties::new()
    }
}

/// Boots the rescue ramdisk and the instance again.
///
/// # Contract
/// As [`Deploy`].
#[async_trait]
pub trait Rescue: Interface {
    /// Boots the rescue ramdisk.
    ///
    /// # Errors
    /// Why it cannot.
    async fn rescue(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Boots the instance again.
    ///
    /// # Errors
    /// Why it cannot.
    async fn unrescue(&self, task: &mut Task) -> Result<Progress, Error>;

    /// The ramdisk that `rescue` booted has called: lets somebody in, with the password on the
    /// node (`instance_info`), and makes the machine reachable.
    ///
    /// # Errors
    /// Why it cannot.
    async fn finish(&self, task: &mut Task) -> Result<(), Error> {
        self.clean_up(task).await
    }

    /// Leaves nothing of a rescue behind outside the machine.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}

/// Connects volumes outside the machine.
///
/// # Contract
/// As [`Network`].
#[async_trait]
pub trait Storage: Interface {
    /// Attaches the node's volumes.
    ///
    /// # Errors
    /// Why it cannot.
    async fn attach_volumes(&self, task: &mut Task) -> Result<(), Error>;

    /// Detaches them.
    ///
    /// # Errors
    /// Why it cannot.
    async fn detach_volumes(&self, task: &mut Task) -> Result<(), Error>;

    /// Whether an image is to be written to the machine's disk at all.
    fn should_write_image(&self, _task: &SharedTask) -> bool {
        true
    }
}
