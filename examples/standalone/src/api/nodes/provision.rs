//! `PUT /v1/nodes/{ident}/states/provision`.

use axum::response::Response;
use http::StatusCode;
use ironic_core::model::{Lock, Node};
use ironic_core::states::{Event, ProvisionState, Verb};
use ironic_core::steps::Runbook;
use ironic_core::transport::ProvisionArgs;
use ironic_core::{Error, ErrorKind};
use serde_json::Value;

use crate::access::Target;

use super::super::arguments::Arguments;
use super::super::caller::{Caller, Ident};
use super::super::fault::Fault;
use super::super::permission::of_node;
use super::super::records;
use super::super::version::{Version, since};
use super::states::begun;
use super::steps::{self, Steps};

/// From which version on a target can be asked for; the others always could.
const SINCE: &[(&str, u16)] = &[
    ("manage", since::MANAGEABLE_STATE),
    ("provide", since::MANAGEABLE_STATE),
    ("inspect", since::INSPECT_STATE),
    ("abort", since::ABORT_VERB),
    ("clean", since::MANUAL_CLEAN),
    ("adopt", since::ADOPT_VERB),
    ("rescue", since::RESCUE),
    ("unrescue", since::RESCUE),
    ("deploy", since::DEPLOY_VERB),
    ("delete", since::DEPLOY_VERB),
];

/// Bytes that base64 is made of, and the white space that often stands in between.
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n\r\t ";

/// Who may ask for provision states.
const PROVISION: &str = "baremetal:node:set_provision_state";

/// What a request for a provision state says.
struct Asked {
    target: String,
    configdrive: Value,
    clean_steps: Value,
    deploy_steps: Value,
    service_steps: Value,
    rescue_password: Option<String>,
    disable_ramdisk: Option<bool>,
    runbook: Option<String>,
}

/// `PUT states/provision`.
pub(super) async fn provision(
    caller: Caller,
    Ident(ident): Ident,
    arguments: Arguments,
) -> Result<Response, Fault> {
    let asked = Asked::take(arguments)?;
    let node = caller.node(PROVISION, &ident).await?;
    asked.check_version(caller.version)?;
    asked.check_steps(&caller, &node).await?;
    asked.check_state(&caller, &node).await?;
    asked.check_arguments(caller.version, &node)?;
    let verb: Verb = asked.target.parse().map_err(|_| {
        Fault::bad(format!(
            "{:?} is no provision state to ask for",
            asked.target
        ))
    })?;
    let args = asked.into_args(verb)?;
    let done = caller.client.provision(node.uuid, verb, args).await;
    done.map_err(refusal)?;
    Ok(begun(&caller, &ident))
}

/// What a request lacks that the node needs is wrong with the request.
fn refusal(error: Error) -> Fault {
    match error.kind() {
        ErrorKind::Driver => Fault::from(error).with_status(StatusCode::BAD_REQUEST),
        _ => error.into(),
    }
}

impl Asked {
    fn take(mut arguments: Arguments) -> Result<Self, Fault> {
        let asked = Self {
            target: arguments
                .text("target")?
                .ok_or_else(|| Fault::bad("target must be a provision state"))?,
            configdrive: arguments.any("configdrive"),
            clean_steps: arguments.any("clean_steps"),
            deploy_steps: arguments.any("deploy_steps"),
            service_steps: arguments.any("service_steps"),
            rescue_password: arguments.text("rescue_password")?,
            disable_ramdisk: arguments.flag("disable_ramdisk")?,
            runbook: arguments.text("runbook")?.filter(|name| !name.is_empty()),
        };
        arguments.end()?;
        for (name, steps) in [
            ("clean_steps", &asked.clean_steps),
            ("deploy_steps", &asked.deploy_steps),
            ("service_steps", &asked.service_steps),
        ] {
            if !steps.is_null() && !steps.is_array() {
                return Err(Fault::bad(format!("{name} must be a list of steps")));
            }
        }
        if !matches!(
            asked.configdrive,
            Value::Null | Value::Object(_) | Value::String(_)
        ) {
            return Err(Fault::bad("configdrive must be an object or a string"));
        }
        Ok(asked)
    }

    fn check_version(&self, version: Version) -> Result<(), Fault> {
        let since = SINCE.iter().find(|(target, _)| *target == self.target);
        since.map_or(Ok(()), |(_, from)| version.need(*from))
    }

    /// Whether the caller may have these steps run on this node and on its children.
    async fn check_steps(&self, caller: &Caller, node: &Node) -> Result<(), Fault> {
        if caller.identity.trusted {
            return Ok(());
        }
        let target = of_node(node);
        if let Some(runbook) = &self.runbook {
            return self.check_runbook_steps(caller, runbook, node).await;
        }
        for (steps, rule) in [
            (
                &self.clean_steps,
                "baremetal:node:set_provision_state:clean_steps",
            ),
            (
                &self.service_steps,
                "baremetal:node:set_provision_state:service_steps",
            ),
        ] {
            if given(steps) {
                caller.need_to(rule, &target)?;
            }
        }
        let all = [&self.deploy_steps, &self.clean_steps, &self.service_steps];
        let all = all.into_iter().filter_map(Value::as_array).flatten();
        let text =
            |step: &'_ Value, name| step.get(name).and_then(Value::as_str).map(str::to_owned);
        let names: Vec<_> = all
            .clone()
            .filter_map(|step| Some((text(step, "interface")?, text(step, "step")?)))
            .collect();
        let names = names
            .iter()
            .map(|(interface, step)| (interface.as_str(), step.as_str()));
        caller.need_steps(names, &target)?;
        for step in all {
            let children = step.get("limit_child_node_execution");
            for child in children.and_then(Value::as_array).into_iter().flatten() {
                if let Some(child) = child.as_str() {
                    caller.node(PROVISION, child).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether the caller may use the runbook. Steps of one that nobody approved of are checked
    /// as if the caller had asked for them.
    async fn check_runbook_steps(
        &self,
        caller: &Caller,
        runbook: &str,
        node: &Node,
    ) -> Result<(), Fault> {
        caller.version.need(since::RUNBOOKS)?;
        let runbook: Runbook = records::find(caller, runbook).await?;
        let owner = Target::runbook(runbook.owner.as_deref());
        caller.need_to("baremetal:runbook:use", &owner)?;
        if runbook.owner.is_none() || runbook.public {
            return Ok(());
        }
        let steps = runbook.steps.iter().map(|step| &step.step);
        let names = steps.map(|step| (step.interface.as_str(), step.step.as_str()));
        caller.need_steps(names, &of_node(node))
    }

    /// The event in the table of states that the target stands for.
    fn event(&self) -> Option<Event> {
        match self.target.parse::<Verb>() {
            Ok(verb) => Some(verb.event()),
            Err(_) => self.target.parse().ok(),
        }
    }

    /// Whether the target fits the state of the node, as far as can be seen from here.
    async fn check_state(&self, caller: &Caller, node: &Node) -> Result<(), Fault> {
        let deploys = matches!(self.target.as_str(), "active" | "rebuild");
        if deploys && node.maintenance {
            return Err(Error::InMaintenance {
                verb: self.target.clone(),
                node: node.uuid,
            }
            .into());
        }
        let fits = |event| node.provision_state.on(event).is_ok();
        if self.event().is_some_and(fits) {
            return Ok(());
        }
        // A node that is being worked on may well be in a fitting state soon.
        let lock = caller.client.repository().get::<Lock>(node.uuid).await?;
        if let Some(lock) = lock.filter(|lock| lock.holder.is_some()) {
            return Err(lock.refusal().into());
        }
        Err(Error::InvalidState {
            verb: self.target.chars().take(80).collect(),
            node: node.uuid,
            state: node.provision_state.to_string(),
        }
        .into())
    }

    /// Whether the further arguments go with the target and with each other.
    fn check_arguments(&self, version: Version, node: &Node) -> Result<(), Fault> {
        let target = self.target.as_str();
        self.check_configdrive(version)?;
        self.check_ramdisk(version)?;
        self.check_runbook(version)?;
        if given(&self.clean_steps) && target != "clean" {
            return Err(Fault::bad("clean_steps go with the target clean only"));
        }
        if given(&self.deploy_steps) {
            version.need(since::DEPLOY_STEPS)?;
            if !matches!(target, "active" | "rebuild") {
                return Err(Fault::bad(
                    "deploy_steps go with the targets active and rebuild only",
                ));
            }
        }
        if self.rescue_password.is_some() && target != "rescue" {
            return Err(Fault::bad(
                "rescue_password goes with the target rescue only",
            ));
        }
        match (target, node.provision_state) {
            ("abort", ProvisionState::InspectWait) => version.need(since::INSPECT_ABORT)?,
            ("abort", ProvisionState::DeployWait) => version.need(since::DEPLOY_ABORT)?,
            ("unhold", _) => version.need(since::UNHOLD_VERB)?,
            _ => {}
        }
        if given(&self.service_steps) && target != "service" {
            return Err(Fault::bad("service_steps go with the target service only"));
        }
        if target == "service" {
            version.need(since::SERVICE_VERB)?;
        }
        Ok(())
    }

    fn check_configdrive(&self, version: Version) -> Result<(), Fault> {
        if !given(&self.configdrive) {
            return Ok(());
        }
        let rebuilds = self.target == "rebuild" && version.has(since::REBUILD_CONFIGDRIVE);
        if self.target != "active" && !rebuilds {
            return Err(Fault::bad(
                "configdrive goes with the targets active and (since 1.35) rebuild only",
            ));
        }
        match &self.configdrive {
            Value::Object(parts) => {
                for (name, part) in parts {
                    let right = match name.as_str() {
                        "meta_data" | "network_data" | "vendor_data" => part.is_object(),
                        "user_data" => !part.is_boolean() && !part.is_number(),
                        _ => false,
                    };
                    if !right {
                        let shown: String = name.chars().take(80).collect();
                        return Err(Fault::bad(format!("configdrive is wrong at {shown:?}")));
                    }
                }
                let built = version.has(since::BUILT_CONFIGDRIVE);
                let vendor = version.has(since::CONFIGDRIVE_VENDOR_DATA);
                if !built || (parts.contains_key("vendor_data") && !vendor) {
                    return Err(Fault::bad(format!(
                        "a configdrive of parts needs at least version 1.{} of the API, and with vendor_data 1.{}",
                        since::BUILT_CONFIGDRIVE,
                        since::CONFIGDRIVE_VENDOR_DATA
                    )));
                }
            }
            Value::String(text) => {
                let is_url = text.contains("://");
                if !is_url && !text.bytes().all(|byte| BASE64.contains(&byte)) {
                    return Err(Fault::bad("configdrive is neither base64 nor a URL"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check_ramdisk(&self, version: Version) -> Result<(), Fault> {
        match (self.disable_ramdisk, self.target.as_str()) {
            (None, _) => Ok(()),
            (Some(_), "clean") => version.need(since::CLEAN_WITHOUT_RAMDISK),
            (Some(_), "service") => version.need(since::SERVICE_WITHOUT_RAMDISK),
            (Some(_), _) => Err(Fault::bad(
                "disable_ramdisk goes with the targets clean and service only",
            )),
        }
    }

    fn check_runbook(&self, version: Version) -> Result<(), Fault> {
        if self.runbook.is_none() {
            return Ok(());
        }
        version.need(since::RUNBOOKS)?;
        let steps = match self.target.as_str() {
            "clean" => &self.clean_steps,
            "service" => &self.service_steps,
            _ => {
                return Err(Fault::bad(
                    "runbook goes with the targets clean and service only",
                ));
            }
        };
        if given(steps) {
            return Err(Fault::bad("steps and a runbook exclude each other"));
        }
        if self.disable_ramdisk.is_some() {
            return Err(Fault::bad(
                "disable_ramdisk and a runbook exclude each other: the runbook says",
            ));
        }
        Ok(())
    }

    fn into_args(self, verb: Verb) -> Result<ProvisionArgs, Fault> {
        let mut args = ProvisionArgs::default();
        args.disable_ramdisk = self.disable_ramdisk.unwrap_or(false);
        args.runbook = self.runbook;
        match verb {
            Verb::Clean | Verb::Service if args.runbook.is_some() => {}
            Verb::Deploy | Verb::Rebuild => {
                if given(&self.deploy_steps) {
                    args.steps = steps::parse(Steps::Deploy, &self.deploy_steps)?;
                }
                if given(&self.configdrive) {
                    args.configdrive = self.configdrive;
                }
            }
            Verb::Clean => {
                args.steps = required(Steps::Clean, &self.clean_steps)?;
            }
            Verb::Service => {
                args.steps = required(Steps::Service, &self.service_steps)?;
            }
            Verb::Rescue => {
                let password = self.rescue_password.filter(|text| !text.trim().is_empty());
                let missing = || Fault::bad("rescue_password must not be empty");
                args.rescue_password = Some(password.ok_or_else(missing)?);
            }
            _ => {}
        }
        Ok(args)
    }
}

/// Whether an argument says something.
fn given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

fn required(kind: Steps, steps: &Value) -> Result<Vec<ironic_core::steps::UserStep>, Fault> {
    if !given(steps) {
        return Err(Fault::bad(format!(
            "{} must name at least one step",
            kind.argument()
        )));
    }
    steps::parse(kind, steps)
}
