//! The fake family against what was recorded of the original's.

use serde_json::{Value, json};

use super::{FakeBehaviour, FakeHardware};
use crate::driver::harness::{self, NODE};
use crate::driver::noop::ManualManagement;
use crate::driver::{HardwareType, Registry};
use crate::model::Node;
use crate::states::{FlowKind, InterfaceKind as I};
use crate::steps::StepDef;

fn facts(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_hardware_types_support_what_the_originals_do() {
    let surface = facts("api_surface.json");
    let types: [&dyn HardwareType; 2] = [&FakeHardware, &ManualManagement];
    for hardware in types {
        let table = &surface["hardware_types"][hardware.name()]["interfaces"];
        for kind in I::ALL {
            let names = json!(hardware.supported(*kind));
            assert_eq!(names, table[kind.as_str()], "{} {kind}", hardware.name());
        }
    }
}

#[test]
fn the_properties_are_the_originals() {
    let surface = facts("api_surface.json");
    let builder = super::register(Registry::builder(), &FakeBehaviour::new());
    let properties = builder
        .build()
        .unwrap()
        .properties("fake-hardware")
        .unwrap();
    let keys: Vec<_> = properties.into_keys().collect();
    let table = &surface["hardware_types"]["fake-hardware"]["properties"];
    assert_eq!(json!(keys), *table);
}

/// A step as the recorded cases write it: of deploy steps they do not say whether the ramdisk has
/// to run.
fn written(def: &StepDef, flow: FlowKind) -> Value {
    let mut step = json!({
        "step": def.step, "priority": def.priority, "interface": def.interface,
        "abortable": def.abortable,
    });
    if flow != FlowKind::Deploy {
        step["requires_ramdisk"] = def.requires_ramdisk.into();
    }
    if !def.args.is_empty() {
        step["args"] = json!(def.args);
    }
    step
}

/// Of a recorded driver, the interfaces that are in this crate; the others are left alone.
#[tokio::test]
async fn the_steps_are_the_originals() {
    let steps = facts("steps.json");
    let mut compared = 0;
    for case in steps["cases"].as_array().unwrap() {
        if case["kind"] != "real_driver" || case["driver"] != "fake-hardware" {
            continue;
        }
        let mut node = Node::new(NODE, "fake-hardware");
        let mut ours = Vec::new();
        for kind in I::ALL {
            let name = case["interfaces"][format!("{kind}_interface")].as_str();
            let name = name.filter(|n| *n == "fake" || *n == "noop" || n.starts_with("no-"));
            if let Some(name) = name {
                node.interfaces.set(*kind, Some(name.to_owned()));
                ours.push(*kind);
            }
        }
        let builder = super::register(Registry::builder(), &FakeBehaviour::new());
        let task = harness::task(builder, node).await;
        for flow in [
            FlowKind::Clean,
            FlowKind::Deploy,
            FlowKind::Service,
            FlowKind::Verify,
        ] {
            let is_ours = |step: &Value| ours.iter().any(|kind| step["interface"] == kind.as_str());
            let list = |steps: &mut dyn Iterator<Item = Value>| {
                let mut steps: Vec<_> = steps.filter(is_ours).collect();
                steps.sort_by_key(ToString::to_string);
                steps
            };
            let catalog = task.driver().steps(task.node(), flow);
            let got = list(&mut catalog.iter().map(|def| written(def, flow)));
            let want = case["expect"][flow.as_str()]["ok"].as_array().unwrap();
            let want = list(&mut want.iter().cloned());
            assert_eq!(got, want, "{} {flow}", case["id"]);
            compared += got.len();
        }
    }
    assert!(compared > 50, "only {compared} steps were compared");
}
