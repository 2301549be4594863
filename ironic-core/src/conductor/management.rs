//! Boot mode, secure boot, interrupts and lights.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use super::jobs::Job;
use crate::Error;
use crate::driver::{Component, IndicatorState, Task, find_indicator};
use crate::model::Node;
use crate::states::BootMode;
use crate::transport::MachineAnswer;

impl Inner {
    pub(super) async fn set_boot_mode(
        self: &Arc<Self>,
        node: Uuid,
        mode: BootMode,
    ) -> Result<MachineAnswer, Error> {
        self.change_firmware(node, "change boot mode", Job::BootMode(mode))
            .await
    }

    pub(super) async fn set_secure_boot(
        self: &Arc<Self>,
        node: Uuid,
        on: bool,
    ) -> Result<MachineAnswer, Error> {
        self.change_firmware(node, "change secure boot", Job::SecureBoot(on))
            .await
    }

    async fn change_firmware(
        self: &Arc<Self>,
        node: Uuid,
        purpose: &str,
        job: Job,
    ) -> Result<MachineAnswer, Error> {
        self.manage_in_background(node, purpose, job, is_on_its_way)
            .await
    }

    /// Begins what changes the machine by its management interface, unless `hinders` says what is
    /// in its way.
    pub(super) async fn manage_in_background(
        self: &Arc<Self>,
        node: Uuid,
        purpose: &str,
        job: Job,
        hinders: fn(&Node) -> Option<String>,
    ) -> Result<MachineAnswer, Error> {
        let worker = self.worker()?;
        let task = self.manager.exclusive(node, purpose).await?;
        let fits = match hinders(task.node()) {
            Some(why) => Err(Error::StateConflict {
                message: format!("cannot {purpose} of node {}: {why}", task.node().label()),
            }),
            None => task.driver().management.validate(&task).await,
        };
        if let Err(error) = fits {
            self.give_up(task).await;
            return Err(error);
        }
        self.begin_job(task, worker, job).await
    }

    pub(super) async fn inject_nmi(self: &Arc<Self>, node: Uuid) -> Result<MachineAnswer, Error> {
        let mut task = self.manager.exclusive(node, "inject nmi").await?;
        let management = task.driver().management.clone();
        let done = match management.validate(&task).await {
            Ok(()) => management.inject_nmi(&mut task).await,
            Err(error) => Err(error),
        };
        self.conclude(task, done).await
    }

    pub(super) async fn indicators(
        &self,
        node: Uuid,
        component: Option<Component>,
    ) -> Result<MachineAnswer, Error> {
        let task = self.manager.shared(node, "get indicators").await?;
        let mut indicators = task.driver().management.supported_indicators(&task).await?;
        if let Some(wanted) = component {
            indicators.retain(|component, _| *component == wanted);
        }
        Ok(MachineAnswer::Indicators { indicators })
    }

    pub(super) async fn get_indicator(
        &self,
        node: Uuid,
        component: Component,
        name: &str,
    ) -> Result<MachineAnswer, Error> {
        let task = self.manager.shared(node, "get indicator state").await?;
        let management = &task.driver().management;
        management.validate(&task).await?;
        let state = management.get_indicator(&task, component, name).await?;
        Ok(MachineAnswer::Indicator { state })
    }

    pub(super) async fn set_indicator(
        self: &Arc<Self>,
        node: Uuid,
        component: Component,
        name: &str,
        state: IndicatorState,
    ) -> Result<MachineAnswer, Error> {
        let mut task = self.manager.exclusive(node, "set indicator state").await?;
        let done = switch_indicator(&mut task, component, name, state).await;
        self.conclude(task, done).await
    }
}

/// What is booting or about to must not find another firmware than it was prepared for.
fn is_on_its_way(node: &Node) -> Option<String> {
    let state = node.provision_state;
    (state.is_in_progress() || state.is_waiting())
        .then(|| format!("it is on its way in provision state \"{state}\""))
}

async fn switch_indicator(
    task: &mut Task,
    component: Component,
    name: &str,
    state: IndicatorState,
) -> Result<(), Error> {
    let management = task.driver().management.clone();
    management.validate(task).await?;
    let indicators = management.supported_indicators(task).await?;
    let light = find_indicator(&indicators, component, name)?;
    if light.readonly {
        return Err(Error::invalid(format!(
            "the indicator {name} of the component {component} can only be looked at"
        )));
    }
    if !light.states.contains(&state) {
        let known: Vec<_> = light.states.iter().map(|state| state.as_str()).collect();
        return Err(Error::invalid(format!(
            "the indicator {name} of the component {component} cannot be set to {state}: it knows {}",
            known.join(", ")
        )));
    }
    management.set_indicator(task, component, name, state).await
}

/// Sets the boot mode unless it is set; one that cannot be read is set.
pub(super) async fn change_boot_mode(task: &mut Task, mode: BootMode) -> Result<(), Error> {
    let management = task.driver().management.clone();
    match management.get_boot_mode(task).await {
        Ok(Some(now)) if now == mode => return Ok(()),
        Ok(_) => {}
        Err(error) => tracing::warn!(node = %task.node_id(), %error, "the boot mode is not known"),
    }
    management.set_boot_mode(task, mode).await?;
    task.node_mut().boot_mode = Some(mode);
    Ok(())
}

/// Sets secure boot unless it is set; where it cannot be read it is set.
pub(super) async fn change_secure_boot(task: &mut Task, on: bool) -> Result<(), Error> {
    let management = task.driver().management.clone();
    match management.get_secure_boot(task).await {
        Ok(Some(now)) if now == on => return Ok(()),
        Ok(_) => {}
        Err(error) => tracing::warn!(node = %task.node_id(), %error, "secure boot is not known"),
    }
    management.set_secure_boot(task, on).await?;
    task.node_mut().secure_boot = Some(on);
    Ok(())
}
