use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Params, Work, erase, read, standby};
use crate::fault::{Fault, FaultKind};
use crate::node::Node;
use crate::shared::Shared;

/// Name under which the steps are listed.
const MANAGER: &str = "IronicAgentHardwareManager";
/// Name and version of what carries the steps out; a change of its steps is a new version.
pub(crate) const MANAGER_VERSION: (&str, &str) = ("ironic_agent_hardware_manager", "1.1");

/// The three flows that run agent steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    Clean,
    Deploy,
    Service,
}

impl StepKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Deploy => "deploy",
            Self::Service => "service",
        }
    }

    const fn fault(self) -> FaultKind {
        match self {
            Self::Clean => FaultKind::CleaningError,
            Self::Deploy => FaultKind::DeploymentError,
            Self::Service => FaultKind::ServicingError,
        }
    }

    /// The steps, with the original's priorities.
    fn steps(self) -> Value {
        let clean = |step: &str, priority: u32| {
            json!({"step": step, "priority": priority, "interface": "deploy",
                "reboot_requested": false, "abortable": true})
        };
        let other = |step: &str| json!({"step": step, "priority": 0, "interface": "deploy", "reboot_requested": false});
        match self {
            Self::Clean => json!([
                clean("erase_devices", 10),
                clean("erase_devices_metadata", 99),
                clean("erase_devices_express", 0),
            ]),
            Self::Deploy => json!([other("erase_devices_metadata"), other("write_image")]),
            Self::Service => {
                // Nobody but the caller knows which image; the conductor passes on no argument
                // that is not told of.
                let arguments = json!({
                    "image_info": {"description": "the image, as prepare_image takes it", "required": true},
                    "configdrive": {"description": "the config drive: its URL, or its content in base64"},
                });
                json!([{"step": "write_image", "priority": 0, "interface": "deploy",
                    "reboot_requested": false, "argsinfo": arguments}])
            }
        }
    }
}

fn versions() -> Value {
    let (name, version) = MANAGER_VERSION;
    json!({ name: version })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GetSteps {
    node: Map<String, Value>,
    #[serde(rename = "ports")]
    _ports: Vec<Value>,
}

#[derive(Deserialize)]
struct ExecuteStep {
    step: Map<String, Value>,
    node: Map<String, Value>,
    #[serde(rename = "ports")]
    _ports: Vec<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

pub(super) fn prepare(
    shared: &Arc<Shared>,
    kind: StepKind,
    method: &str,
    params: Params,
) -> Result<Option<Work>, Fault> {
    let shared = Arc::clone(shared);
    Ok(match (kind, method) {
        (StepKind::Clean, "get_clean_steps") => {
            Some(get_steps(shared, kind, "get_clean_steps", params)?)
        }
        (StepKind::Deploy, "get_deploy_steps") => {
            Some(get_steps(shared, kind, "get_deploy_steps", params)?)
        }
        (StepKind::Service, "get_service_steps") => {
            Some(get_steps(shared, kind, "get_service_steps", params)?)
        }
        (StepKind::Clean, "execute_clean_step") => {
            Some(execute_step(shared, kind, "execute_clean_step", params)?)
        }
        (StepKind::Deploy, "execute_deploy_step") => {
            Some(execute_step(shared, kind, "execute_deploy_step", params)?)
        }
        (StepKind::Service, "execute_service_step") => {
            Some(execute_step(shared, kind, "execute_service_step", params)?)
        }
        _ => None,
    })
}

fn node(record: Map<String, Value>) -> Result<Node, Fault> {
    let details = "the node has no uuid";
    Node::new(record).ok_or_else(|| Fault::new(FaultKind::InvalidCommandParamsError, details))
}

fn get_steps(
    shared: Arc<Shared>,
    kind: StepKind,
    name: &'static str,
    params: Params,
) -> Result<Work, Fault> {
    let given: GetSteps = read(params)?;
    let node = node(given.node)?;
    Ok(Work::now(name, async move {
        shared.cache_node(node).await;
        let steps = format!("{}_steps", kind.word());
        Ok(json!({
            steps: {MANAGER: kind.steps()},
            "hardware_manager_version": versions(),
        }))
    }))
}

fn execute_step(
    shared: Arc<Shared>,
    kind: StepKind,
    name: &'static str,
    params: Params,
) -> Result<Work, Fault> {
    let ExecuteStep {
        step,
        node: record,
        mut rest,
        ..
    } = read(params)?;
    let node = node(record)?;
    let step_name = step.get("step").and_then(Value::as_str);
    let step_name = step_name.map(|step| step.chars().take(64).collect());
    let planned_against = rest.remove(&format!("{}_version", kind.word()));
    let work = Work::background(name, async move {
        shared.cache_node(node.clone()).await;
        check_versions(planned_against)?;
        if let Some(args) = step.get("args").and_then(Value::as_object) {
            rest.extend(args.clone());
        }
        let result = run_step(&shared, kind, &step, &node, rest).await?;
        let word = kind.word();
        Ok(json!({format!("{word}_result"): result, format!("{word}_step"): step}))
    });
    Ok(Work {
        step: step_name,
        ..work
    })
}

/// Refuses steps that were planned against another agent; a first run has no plan.
fn check_versions(planned_against: Option<Value>) -> Result<(), Fault> {
    let current = versions();
    match planned_against {
        None | Some(Value::Null) => Ok(()),
        Some(planned) if planned == current => Ok(()),
        Some(planned) => {
            let planned: String = planned.to_string().chars().take(500).collect();
            Err(Fault::new(
                FaultKind::VersionMismatch,
                format!("Current versions: {current}, versions used by ironic: {planned}"),
            ))
        }
    }
}

async fn run_step(
    shared: &Arc<Shared>,
    kind: StepKind,
    step: &Map<String, Value>,
    node: &Node,
    args: Map<String, Value>,
) -> Result<Value, Fault> {
    let fault = |details: String| Fault::new(kind.fault(), details);
    let name = step
        .get("step")
        .and_then(Value::as_str)
        .ok_or_else(|| fault("the step has no name".to_owned()))?;
    let no_arguments = || match args.keys().next() {
        None => Ok(()),
        Some(extra) => Err(fault(format!("step {name} takes no argument {extra:?}"))),
    };
    match name {
        "erase_devices" => {
            no_arguments()?;
            erase::devices(shared, node).await
        }
        "erase_devices_metadata" => {
            no_arguments()?;
            erase::metadata(shared, node).await
        }
        "erase_devices_express" => {
            no_arguments()?;
            erase::express(shared, node).await
        }
        "write_image" => {
            let image = standby::Preparation::parse(shared, args)?;
            let text = image.run(shared).await?;
            Ok(json!({"result": format!("prepare_image: {text}")}))
        }
        other => Err(Fault::new(
            FaultKind::HardwareManagerMethodNotFound,
            format!(
                "Could not find method: {}",
                other.chars().take(64).collect::<String>()
            ),
        )),
    }
}
