//! What lists of steps must be: the `api_schema` kinds of `steps.json`.

use ironic_standalone::api::{Fault, Steps, parse_steps};
use serde_json::Value;

use crate::tally::{Tally, cases};

#[test]
fn steps() {
    let mut tally = Tally::new("steps.json");
    for case in cases("steps.json") {
        let kind = case["kind"].as_str().unwrap();
        let steps = match kind {
            "api_schema_clean" => Steps::Clean,
            "api_schema_deploy" => Steps::Deploy,
            "api_schema_service" => Steps::Service,
            // The engine's.
            _ => continue,
        };
        let outcome = agrees(
            &case["expect"],
            parse_steps(steps, &case["steps"]).map(drop),
        );
        let told = |got| format!("{} gave {got}, expected {}", case["steps"], case["expect"]);
        tally.count(&case, kind, Some(outcome.map_err(told)));
    }
    tally.end();
}

fn agrees(expect: &Value, got: Result<(), Fault>) -> Result<(), String> {
    match got {
        Ok(()) if expect["valid"] == true => Ok(()),
        // A crash of the original is refused here like anything else that is wrong.
        Err(fault) if expect["error"].is_string() && fault.status() == 400 => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn a_fault_names_the_step_and_what_is_wrong_with_it() {
    let steps = serde_json::json!([
        {"interface": "deploy", "step": "x"},
        {"interface": "deploy", "step": "y", "execute_on_child_nodes": true,
         "limit_child_node_execution": ["nosuch"]},
    ]);
    let fault = parse_steps(Steps::Clean, &steps).unwrap_err();
    let text = format!("{fault:?}");
    for part in ["clean_steps", "step 1", "limit_child_node_execution"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let childs = serde_json::json!([{"interface": "power", "step": "power_off",
        "execute_on_child_nodes": true,
        "limit_child_node_execution": ["1b8115d4-cd25-400a-a593-0ca5729f8ac2"]}]);
    let step = parse_steps(Steps::Service, &childs).unwrap().remove(0);
    assert!(step.execute_on_child_nodes);
    assert_eq!(step.limit_child_node_execution.len(), 1);
}
