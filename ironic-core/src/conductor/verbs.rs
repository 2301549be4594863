//! What a caller asks of a node's life, and of its power.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::Inner;
use super::limits::Ticket;
use crate::Error;
use crate::config::PasswordHash;
use crate::driver::{SharedTask, Task};
use crate::engine::{Input, Rejected};
use crate::model::Node;
use crate::runtime::Entropy;
use crate::states::{BootMode, FlowKind, InterfaceKind, PowerTarget, ProvisionState, Verb};
use crate::transport::{ProvisionArgs, RequestContext, Response};

impl Inner {
    /// Accepts a verb: checks what it needs, commits what it begins, and goes on in the background.
    pub(super) async fn provision(
        self: &Arc<Self>,
        node: Uuid,
        verb: Verb,
        args: ProvisionArgs,
        context: &RequestContext,
    ) -> Result<Response, Error> {
        let worker = self.worker()?;
        let purpose = format!("provision: {verb}");
        let mut task = self.manager.exclusive(node, &purpose).await?;
        match self.admit(&mut task, verb, args, context).await {
            Ok((input, passing)) => {
                let accepted = self.accept(task, &input, worker).await;
                drop(passing);
                accepted
            }
            Err(error) => {
                self.manager.release(task).await?;
                Err(error)
            }
        }
    }

    /// Whether a verb may begin: what it is decided by, and its place among those that only so
    /// many may have.
    async fn admit(
        &self,
        task: &mut Task,
        verb: Verb,
        args: ProvisionArgs,
        context: &RequestContext,
    ) -> Result<(Input, Option<Ticket<'_>>), Error> {
        let (args, input) = self.input_for(task.node(), verb, args, context).await?;
        // A refusal by state comes before one by what an interface lacks, and costs no I/O.
        let decided = self.manager.decide(task, &input);
        decided.map(drop).map_err(refusal)?;
        self.check(task, verb, &args, context).await?;
        let passing = self.within_limits(verb).await?;
        Ok((input, passing))
    }

    /// What is to be decided of a verb, with every step by its own name.
    pub(super) async fn input_for(
        &self,
        node: &Node,
        verb: Verb,
        args: ProvisionArgs,
        context: &RequestContext,
    ) -> Result<(ProvisionArgs, Input), Error> {
        let args = self.expanded(node, verb, args, context).await?;
        let input = Input::Verb {
            verb,
            steps: args.steps.clone(),
            disable_ramdisk: args.disable_ramdisk,
            cleaning: self.cleaning_steps(node, verb).await?,
            user: context.user.clone(),
        };
        Ok((args, input))
    }

    /// Goes on with a flow that waits for something other than its agent, which is done now.
    pub(super) async fn continue_flow(
        self: &Arc<Self>,
        node: Uuid,
        kind: FlowKind,
    ) -> Result<Response, Error> {
        let task = self
            .manager
            .exclusive(node, &format!("continue {kind}"))
            .await?;
        self.decide_and_drive(task, &Input::Continue { kind })
            .await?;
        Ok(Response::Done)
    }

    /// Commits what a request begins, and goes on with it in the background.
    async fn accept(
        self: &Arc<Self>,
        mut task: Task,
        input: &Input,
        worker: OwnedSemaphorePermit,
    ) -> Result<Response, Error> {
        let node = task.node_id();
        match self.manager.commit(&mut task, input).await {
            Ok(decision) if decision.releases() => {
                drop(task);
                self.after_release(node);
                Ok(Response::Done)
            }
            Ok(decision) => {
                self.drive_in_background(task, decision.effects, Some(worker));
                Ok(Response::Done)
            }
            Err(rejected) => {
                // A store that lost its answer may have committed: what that began is gone on with.
                self.give_up(task).await;
                Err(refusal(rejected))
            }
        }
    }

    /// Leaves what the verb's arguments say on the node, and asks its interfaces.
    async fn check(
        &self,
        task: &mut Task,
        verb: Verb,
        args: &ProvisionArgs,
        context: &RequestContext,
    ) -> Result<(), Error> {
        self.leave_on(task.node_mut(), verb, args, context)?;
        self.check_boot_mode(task.node(), verb)?;
        validate_for(task, verb, args.disable_ramdisk).await
    }

    /// Leaves what the arguments of a verb, and who asks for it, say on the node.
    pub(super) fn leave_on(
        &self,
        node: &mut Node,
        verb: Verb,
        args: &ProvisionArgs,
        context: &RequestContext,
    ) -> Result<(), Error> {
        match verb {
            Verb::Rescue => {
                let scheme = self.config.rescue_password_hash_algorithm;
                let entropy = &*self.manager.context().entropy;
                keep_rescue_password(node, args, scheme, entropy)?;
            }
            Verb::Rebuild => forget_fetched_image(node),
            Verb::Deploy => self.note_lessee(node, context),
            _ => {}
        }
        if matches!(verb, Verb::Deploy | Verb::Rebuild) {
            let info = &mut node.instance_info;
            if !args.configdrive.is_null() {
                info.insert("configdrive".to_owned(), args.configdrive.clone());
            }
            if verb == Verb::Deploy && info.get("configdrive") == Some(&Value::Null) {
                info.remove("configdrive");
            }
            note_image_type(node);
        }
        Ok(())
    }

    /// Nothing is deployed in a boot mode that the operator has disallowed.
    pub(super) fn check_boot_mode(&self, node: &Node, verb: Verb) -> Result<(), Error> {
        let mode = node.properties.get("boot_mode").and_then(Value::as_str);
        let mode: Option<BootMode> =
            mode.and_then(|mode| mode.trim().to_ascii_lowercase().parse().ok());
        let disallowed = &self.config.disallowed_deployment_boot_modes;
        match mode.filter(|mode| disallowed.contains(mode)) {
            Some(mode) if matches!(verb, Verb::Deploy | Verb::Rebuild) => {
                Err(Error::invalid(format!(
                    "'{mode}' boot mode is not allowed for provisioning: the operator has it in disallowed_deployment_boot_modes"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Accepts a change of power and goes on in the background.
    pub(super) async fn set_power(
        self: &Arc<Self>,
        node: Uuid,
        target: PowerTarget,
        timeout: Option<u64>,
        context: &RequestContext,
    ) -> Result<Response, Error> {
        let worker = self.worker()?;
        let task = self
            .manager
            .exclusive(node, &format!("set power: {target}"))
            .await?;
        let supported = task.driver().power.supported_targets(&task);
        let checked = if supported.contains(&target) {
            task.driver().power.validate(&task).await
        } else {
            Err(Error::invalid(format!(
                "the power interface does not support the power state \"{target}\""
            )))
        };
        if let Err(error) = checked {
            self.manager.release(task).await?;
            return Err(error);
        }
        let user = context.user.clone();
        let input = Input::Power {
            target,
            timeout,
            user,
        };
        self.accept(task, &input, worker).await
    }
}

/// Notes whether the image is of a whole disk or of a partition: as said, else by whether a
/// kernel or a ramdisk comes with it. Boot interfaces go by the former, clients by the latter.
pub(super) fn note_image_type(node: &mut Node) {
    let text = |key: &str| {
        let value = node.instance_info.get(key).and_then(Value::as_str);
        value.filter(|text| !text.is_empty())
    };
    // Of an image service's image only that service knows, of a directory nobody.
    let source = text("image_source").filter(|url| url.contains("://") && !url.ends_with('/'));
    if source.is_none() {
        return;
    }
    let whole_disk = match text("image_type") {
        Some(said) => said != "partition",
        None => text("kernel").is_none() && text("ramdisk").is_none(),
    };
    let image_type = if whole_disk {
        "whole-disk"
    } else {
        "partition"
    };
    node.instance_info
        .insert("image_type".to_owned(), Value::from(image_type));
    node.set_internal("is_whole_disk_image", Value::Bool(whole_disk));
}

/// Leaves the password on the node for the rescue ramdisk, in clear and as its login takes it.
fn keep_rescue_password(
    node: &mut Node,
    args: &ProvisionArgs,
    scheme: PasswordHash,
    entropy: &dyn Entropy,
) -> Result<(), Error> {
    let password = args.rescue_password.as_deref().unwrap_or_default();
    if password.trim().is_empty() {
        return Err(Error::missing(
            "rescue_password is required: whoever logs in to the rescue ramdisk uses it",
        ));
    }
    let hashed = crate::sha_crypt::hash_by(scheme, password, entropy);
    let info = &mut node.instance_info;
    info.insert("rescue_password".to_owned(), Value::from(password));
    info.insert("hashed_rescue_password".to_owned(), Value::from(hashed));
    Ok(())
}

/// What belongs to an image of an image service is asked of the service again: the image may
/// have changed since the deployment. What came with an image by URL was given by the caller.
fn forget_fetched_image(node: &mut Node) {
    let source = node
        .instance_info
        .get("image_source")
        .and_then(Value::as_str);
    let by_service = source
        .is_some_and(|source| source.starts_with("glance://") || Uuid::parse_str(source).is_ok());
    if by_service {
        for key in ["kernel", "ramdisk", "boot_iso", "original_image_source"] {
            node.instance_info.remove(key);
        }
    }
}

/// The interfaces that a verb is going to use have what they need.
async fn validate_for(task: &SharedTask, verb: Verb, disable_ramdisk: bool) -> Result<(), Error> {
    for kind in used_by(verb, disable_ramdisk) {
        task.driver().interface(*kind).validate(task).await?;
    }
    if verb == Verb::Abort
        && task.node().provision_state == ProvisionState::InspectWait
        && !task.driver().inspect.can_abort()
    {
        return Err(Error::Unsupported {
            driver: task.node().driver.clone(),
            extension: "aborting an inspection".to_owned(),
        });
    }
    Ok(())
}

/// The interfaces that must have what they need before a verb is begun.
pub(super) fn used_by(verb: Verb, disable_ramdisk: bool) -> &'static [InterfaceKind] {
    use InterfaceKind::{Deploy, Inspect, Network, Power, Rescue};
    match verb {
        Verb::Deploy | Verb::Rebuild => &[Power, Deploy],
        Verb::Inspect => &[Power, Inspect],
        Verb::Clean | Verb::Service if disable_ramdisk => &[Power],
        Verb::Clean | Verb::Provide | Verb::Service => &[Power, Network],
        Verb::Rescue => &[Power, Rescue, Network],
        Verb::Undeploy | Verb::Unrescue => &[Power],
        _ => &[],
    }
}

pub(super) fn refusal(rejected: Rejected) -> Error {
    match rejected {
        Rejected::Refused(error) => error,
        other => Error::StateConflict {
            message: other.to_string(),
        },
    }
}
