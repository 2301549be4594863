//! Checks at random, as `oslo.policy` judges them (see `make_checks.py`).

use ironic_standalone::access::{Authorizer, Policies, Target};
use serde_json::{Value, json};

use super::identity;

/// A rule that is met in any scope.
const RULE: &str = "is_admin";

#[test]
fn checks_hold_as_in_oslo_policy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/checks.json");
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    let (mut passed, mut wrong) = (0, Vec::new());
    for case in cases {
        let policies = Policies::parse(&json!({RULE: case[0]}).to_string());
        let policies = policies.unwrap_or_else(|error| panic!("{}: {error}", case[0]));
        let node = |field: &str| case[2].get(field).and_then(Value::as_str);
        let target = Target::node(node("owner"), node("lessee"));
        let holds = policies.allows(RULE, &identity(&case[1]), &target);
        match holds == case[3] {
            true => passed += 1,
            false => wrong.push(case.to_string()),
        }
    }
    println!("checks.json: {passed} of {} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
