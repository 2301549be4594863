//! Reading the cases, counting them, and saying which kinds are not run yet.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn read(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of the copy: facts always come from there.
pub(crate) fn facts(name: &str) -> Value {
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/vectors")
            .join(name),
    )
}

/// The cases from the folder that `IRONIC_VECTORS` names, else those of the copy.
#[allow(clippy::disallowed_methods, reason = "the test's own switch")]
pub(crate) fn cases(name: &str) -> Vec<Value> {
    let file = match std::env::var_os("IRONIC_VECTORS") {
        Some(folder) => read(&PathBuf::from(folder).join(name)),
        None => facts(name),
    };
    file["cases"]
        .as_array()
        .unwrap_or_else(|| panic!("{name} has no cases"))
        .clone()
}

/// Runs the cases of the kinds that `run` knows, prints the tally, and fails on any miss, on a kind
/// that is neither run nor listed, and on a listed kind that is run. `elsewhere` are the kinds of
/// which another crate owns the rule.
pub(crate) fn check(
    name: &str,
    skipped: &[&str],
    elsewhere: &[&str],
    run: impl Fn(&str, &Value) -> Option<Result<(), String>>,
) {
    let (mut passed, mut misses) = (0, Vec::new());
    for case in cases(name) {
        let kind = case["kind"].as_str().unwrap_or_default();
        let listed = skipped.contains(&kind) || elsewhere.contains(&kind);
        match run(kind, &case) {
            Some(_) if listed => panic!("{name}: kind {kind} is run, so it must not be listed"),
            Some(Ok(())) => passed += 1,
            Some(Err(miss)) => misses.push(format!(
                "{}: {miss}\n  expected {}",
                case["id"], case["expect"]
            )),
            None => assert!(listed, "{name}: kind {kind} is neither run nor listed"),
        }
    }
    for kind in skipped {
        println!("skipped: {name} {kind}");
    }
    if passed + misses.len() > 0 {
        println!("{name}: {passed} of {} cases", passed + misses.len());
    }
    assert!(
        misses.is_empty(),
        "{name}: {} misses\n{}",
        misses.len(),
        misses.join("\n")
    );
}
