//! Which steps run in what order, and which may be asked for, against cases computed by running
//! the original.

use std::collections::BTreeSet;

use ironic_core::states::{FlowKind, InterfaceKind};
use ironic_core::steps::{
    DeployTemplate, Impact, PriorityOverrides, Replay, StepCatalog, StepDef, StepName, StepPlan,
    StepSource, UserStep,
};
use ironic_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::harness::check;

const FILE: &str = "steps.json";

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn interface(value: &Value) -> Result<InterfaceKind, Error> {
    let text = value["interface"].as_str().unwrap();
    text.parse::<InterfaceKind>()
        .map_err(|error| Error::invalid(error.to_string()))
}

/// A step as a driver offers it.
fn def(value: &Value) -> StepDef {
    let kind = interface(value).unwrap();
    let (name, priority) = (value["step"].as_str().unwrap(), &value["priority"]);
    let priority = priority.as_i64().unwrap_or(0);
    let mut def = StepDef::new(kind, name, priority, Replay::Never, Impact::NONE);
    def.abortable = value["abortable"] == true;
    def.requires_ramdisk = value["requires_ramdisk"] != false;
    for (name, info) in value["argsinfo"].as_object().into_iter().flatten() {
        def = def.arg(name, info["required"] == true);
    }
    def
}

/// A step as a caller asks for it. A step of the node's children is not looked at, whatever its
/// interface; any other of an interface that does not exist is refused as it is read.
fn user(value: &Value) -> Result<UserStep, Error> {
    let childs = value["execute_on_child_nodes"] == true;
    let kind = match interface(value) {
        Err(_) if childs => InterfaceKind::Deploy,
        other => other?,
    };
    let mut step = UserStep::new(kind, value["step"].as_str().unwrap());
    step.args = value["args"].as_object().cloned().unwrap_or_default();
    step.priority = value["priority"].as_i64();
    step.execute_on_child_nodes = childs;
    Ok(step)
}

fn users(value: &Value) -> Result<Vec<UserStep>, Error> {
    items(value).map(user).collect()
}

fn catalog(flow: FlowKind, case: &Value) -> Result<StepCatalog, Error> {
    let defs = items(&case["driver_steps"]).map(def).collect();
    let pairs = items(&case["priority_override"])
        .flat_map(|group| group.as_object().unwrap())
        .map(|(step, priority)| (step.as_str(), priority.as_str().unwrap()));
    Ok(StepCatalog::new(flow, defs).overridden(&PriorityOverrides::parse(pairs)?))
}

/// The plan as the original lists it: it takes the steps that the conductor runs itself out of
/// the list.
fn listed(plan: StepPlan, case: &Value) -> Value {
    let disallowed: BTreeSet<StepName> = items(&case["disallow_steps"])
        .map(|name| name.as_str().unwrap().parse().unwrap())
        .collect();
    let wanted = case["expect"]["ok"].as_array();
    let plan = plan.without(&disallowed);
    let steps = plan.steps().iter();
    let steps = steps.filter(|step| step.source != StepSource::Conductor);
    let listed = steps.enumerate().map(|(at, step)| {
        let mut shown = json!({
            "interface": step.interface, "step": step.step, "priority": step.priority,
        });
        // What a list holds of a step depends on where the step comes from.
        let wanted = wanted
            .and_then(|wanted| wanted.get(at))
            .unwrap_or(&Value::Null);
        if wanted.get("abortable").is_some() {
            shown["abortable"] = step.abortable.into();
        }
        if wanted.get("args").is_some_and(Value::is_null) && step.args.is_empty() {
            shown["args"] = Value::Null;
        } else if wanted.get("args").is_some() || !step.args.is_empty() {
            shown["args"] = Value::Object(step.args.clone());
        }
        shown
    });
    Value::Array(listed.collect())
}

fn automated(flow: FlowKind, case: &Value) -> Result<Value, Error> {
    Ok(listed(StepPlan::automated(&catalog(flow, case)?), case))
}

fn requested(flow: FlowKind, case: &Value) -> Result<Value, Error> {
    let asked = users(&case["user_steps"])?;
    let disable_ramdisk = case["disable_ramdisk"] == true;
    let plan = StepPlan::requested(&catalog(flow, case)?, &asked, disable_ramdisk)?;
    Ok(listed(plan, case))
}

fn merged(case: &Value) -> Result<StepPlan, Error> {
    let templates = case["templates"].as_object().unwrap();
    let templates: Vec<_> = templates
        .iter()
        .map(|(name, steps)| Ok(DeployTemplate::new(name, users(steps)?)))
        .collect::<Result<_, Error>>()?;
    let traits: Vec<_> = items(&case["instance_traits"])
        .map(|name| name.as_str().unwrap())
        .collect();
    let matching = DeployTemplate::matching(&templates, &traits);
    let asked = users(&case["user_deploy_steps"])?;
    let skip_missing = case["skip_missing"] == true;
    let catalog = catalog(FlowKind::Deploy, case)?;
    StepPlan::merged(&catalog, &asked, &matching, skip_missing)
}

fn run(kind: &str, case: &Value) -> Option<Result<Value, Error>> {
    Some(match kind {
        "auto_clean" => automated(FlowKind::Clean, case),
        "auto_verify" => automated(FlowKind::Verify, case),
        "auto_deploy" => automated(FlowKind::Deploy, case),
        "user_clean" => requested(FlowKind::Clean, case),
        "user_service" => requested(FlowKind::Service, case),
        "all_steps_disable_ramdisk" => Ok(users(&case["user_steps"])
            .is_ok_and(|asked| {
                let catalog = catalog(FlowKind::Clean, case).unwrap();
                catalog.runs_without_ramdisk(&asked)
            })
            .into()),
        "deploy_merge" => merged(case).map(|plan| listed(plan, case)),
        "deploy_validate" => merged(case).map(|_| Value::Null),
        _ => return None,
    })
}

fn agrees(case: &Value, got: &Result<Value, Error>) -> bool {
    let expect = &case["expect"];
    match got {
        Ok(value) => expect.get("ok") == Some(value),
        Err(error) => match (expect["error"].as_str(), expect["code"].as_u64()) {
            (Some("InvalidParameterValue"), Some(400)) => {
                error.kind() == ErrorKind::InvalidParameter
            }
            // A crash of the original: an error is right.
            (Some(_), None) => true,
            _ => false,
        },
    }
}

#[test]
fn steps() {
    let elsewhere = [
        "api_schema_clean",
        "api_schema_deploy",
        "api_schema_service",
    ];
    check(FILE, &["real_driver"], &elsewhere, |kind, case| {
        let got = run(kind, case)?;
        Some(
            agrees(case, &got)
                .then_some(())
                .ok_or_else(|| format!("{got:?}")),
        )
    });
}
