//! Who may do what, against the original's own tables of role tests (see `make_cases.py`): every
//! request is sent through the whole API on behalf of its sender, and answered as there.
//!
//! No conductor answers, there or here: what is allowed and needs one ends in 503.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test harness"
)]

mod beyond;
mod checks;
mod world;

use std::collections::BTreeMap;

use ironic_standalone::access::Identity;
use serde_json::Value;

use world::{Answer, Records, World};

/// The tables, and who asks in them.
struct Tables {
    people: BTreeMap<String, Identity>,
    tables: Value,
}

impl Tables {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/cases.json");
        let tables: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let people = tables["people"].as_object().unwrap().iter();
        Self {
            people: people
                .map(|(name, who)| (name.clone(), identity(who)))
                .collect(),
            tables,
        }
    }
}

fn identity(who: &Value) -> Identity {
    let text = |name: &str| {
        who.get(name)
            .map(|value| value.as_str().unwrap().to_owned())
    };
    let mut identity = Identity::anonymous();
    let roles = who["roles"].as_array().unwrap().iter();
    identity.roles = roles
        .map(|role| role.as_str().unwrap().to_owned())
        .collect();
    identity.project_id = text("project_id");
    identity.project_name = text("project_name");
    identity.project_domain_id = text("project_domain_id");
    identity.user_id = text("user_id");
    identity.user_domain_id = text("user_domain_id");
    identity.domain_id = text("domain_id");
    identity.system_scope = text("system_scope");
    identity
}

/// A request of a table, and what it is answered.
struct Case<'a> {
    name: String,
    who: &'a Identity,
    method: &'a str,
    path: &'a str,
    body: Option<&'a Value>,
    status: u64,
    more: &'a Value,
}

impl Case<'_> {
    async fn run(&self, world: &World) -> Result<(), String> {
        let answer = world.ask(self.who, self.method, self.path, self.body).await;
        if self.more["legacy"] == true {
            return self.check_legacy(&answer);
        }
        if !is_same(self.method, self.status, answer.status) {
            return Err(format!("{} {}", answer.status, answer.body));
        }
        for (list, wanted) in self.more["lengths"].as_object().into_iter().flatten() {
            let length = answer.body[list].as_array().map(Vec::len);
            if length.map(|length| length as u64) != wanted.as_u64() {
                return Err(format!("{length:?} of {wanted} {list}: {}", answer.body));
            }
        }
        for (name, wanted) in self.more["shows"].as_object().into_iter().flatten() {
            let shown = &answer.body[name];
            let right = match wanted {
                Value::Null => shown.to_string().contains("** kept back"),
                wanted => shown == wanted,
            };
            if !right {
                return Err(format!("{name}: {shown} is no {wanted}"));
            }
        }
        Ok(())
    }

    /// What was allowed before there were scopes, and is not any more: where the answer is not a
    /// refusal, it is the one of before with nothing in its lists.
    fn check_legacy(&self, answer: &Answer) -> Result<(), String> {
        if matches!(answer.status, 403 | 404) {
            return Ok(());
        }
        let mut lists = self.more["lengths"].as_object().into_iter().flatten();
        let empty = |(list, _): (&String, &Value)| answer.body[list] == serde_json::json!([]);
        match is_same(self.method, self.status, answer.status) && lists.all(empty) {
            true => Ok(()),
            false => Err(format!("{} {}", answer.status, answer.body)),
        }
    }
}

/// Whether an answer is the one of the table.
fn is_same(method: &str, wanted: u64, status: u16) -> bool {
    match wanted {
        // A token of the wrong scope, which is a crash there.
        500 => status == 403,
        // Done without a conductor there, or here.
        200..=204 if method != "GET" => status == 503 || u64::from(status) == wanted,
        503 => status == 503 || (200..300).contains(&status),
        _ => u64::from(status) == wanted,
    }
}

async fn run(table: &str, records: Records) {
    let tables = Tables::read();
    let cases = tables.tables[table].as_array().unwrap();
    let (mut passed, mut wrong) = (0, Vec::new());
    // What only reads finds the world as others left it that only read.
    let mut untouched: BTreeMap<(bool, Option<String>), World> = BTreeMap::new();
    for case in cases {
        let name = case[0].as_str().unwrap();
        let case = Case {
            name: format!(
                "{name} {} {}",
                case[1].as_str().unwrap(),
                case[2].as_str().unwrap()
            ),
            who: &tables.people[name],
            method: case[1].as_str().unwrap(),
            path: case[2].as_str().unwrap(),
            body: Some(&case[3]).filter(|body| !body.is_null()),
            status: case[4].as_u64().unwrap_or_default(),
            more: case.get(5).unwrap_or(&Value::Null),
        };
        let own_nodes = case.more["own_nodes"] != false;
        let services = case.more["services"].as_str();
        let key = (own_nodes, services.map(str::to_owned));
        let world = match untouched.remove(&key) {
            Some(world) => world,
            None => World::new(records, own_nodes, services).await,
        };
        match case.run(&world).await {
            Ok(()) => passed += 1,
            Err(got) => wrong.push(format!(
                "{}: {} is wanted, not {got}",
                case.name, case.status
            )),
        }
        if case.method == "GET" {
            untouched.insert(key, world);
        }
    }
    println!("{table} scope: {passed} of {} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn system_scope_is_as_in_the_original() {
    run("system", Records::System).await;
}

#[tokio::test]
async fn project_scope_is_as_in_the_original() {
    run("project", Records::Project).await;
}

#[tokio::test]
async fn what_was_before_scopes_is_no_more() {
    run("legacy", Records::System).await;
}

/// What somebody may do, nobody may do without saying who they are, but for the few paths that are
/// open to everybody.
#[tokio::test]
async fn nothing_is_for_nobody() {
    const OPEN: &[&str] = &["/v1/lookup", "/v1/heartbeat", "/v1/continue_inspection"];
    let tables = Tables::read();
    let nobody = Identity::anonymous();
    let mut asked = 0;
    let mut wrong = Vec::new();
    for (table, records) in [("system", Records::System), ("project", Records::Project)] {
        let world = World::new(records, true, None).await;
        for case in tables.tables[table].as_array().unwrap() {
            let (method, path) = (case[1].as_str().unwrap(), case[2].as_str().unwrap());
            if OPEN.iter().any(|open| path.starts_with(open)) {
                continue;
            }
            let body = Some(&case[3]).filter(|body| !body.is_null());
            let answer = world.ask(&nobody, method, path, body).await;
            asked += 1;
            if !(400..500).contains(&answer.status) {
                wrong.push(format!(
                    "{method} {path}: {} {}",
                    answer.status, answer.body
                ));
            }
        }
    }
    println!(
        "as nobody: {} of {asked} requests refused",
        asked - wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
