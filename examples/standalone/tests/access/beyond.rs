//! What the tables do not say: who is nobody, what a file changes, steps with rules of their own.

use ironic_standalone::access::{Identity, Policies};
use ironic_standalone::api::ApiSettings;
use serde_json::{Value, json};

use super::world::{LEASED, LESSEE, OWNED, OWNER, Records, World};

fn member(project: &str) -> Identity {
    let mut who = Identity::anonymous();
    who.roles = vec!["member".to_owned(), "reader".to_owned()];
    who.project_id = Some(project.to_owned());
    who
}

fn admin_of_system() -> Identity {
    let mut who = Identity::anonymous();
    who.roles = ["admin", "manager", "member", "reader"]
        .map(str::to_owned)
        .to_vec();
    who.system_scope = Some("all".to_owned());
    who
}

async fn world() -> World {
    World::new(Records::Project, true, None).await
}

async fn world_by(policies: &str) -> World {
    let policies = Policies::parse(policies).unwrap();
    World::with(Records::Project, ApiSettings::default(), policies).await
}

#[tokio::test]
async fn who_is_nobody_is_shown_nothing() {
    let world = world().await;
    let nobody = Identity::anonymous();
    for (path, status) in [
        ("/v1/nodes", 403),
        ("/v1/ports", 403),
        ("/v1/portgroups", 403),
        ("/v1/chassis", 403),
        ("/v1/drivers", 403),
        ("/v1/conductors", 403),
        ("/v1/allocations", 403),
        ("/v1/volume/targets", 403),
        ("/v1/deploy_templates", 403),
        ("/v1/runbooks", 403),
        ("/v1/inspection_rules", 403),
        ("/v1/shards", 403),
        ("/", 200),
        ("/v1", 200),
    ] {
        assert_eq!(
            world.ask(&nobody, "GET", path, None).await.status,
            status,
            "{path}"
        );
    }
    for path in [
        "",
        "/states",
        "/ports",
        "/vifs",
        "/bios",
        "/history",
        "/inventory",
    ] {
        let path = format!("/v1/nodes/{OWNED}{path}");
        assert_eq!(
            world.ask(&nobody, "GET", &path, None).await.status,
            404,
            "{path}"
        );
    }
}

/// What is open to everybody: what there is, and what ramdisks call.
const OPEN: &[&str] = &[
    "/",
    "/v1",
    "/v1/",
    "/v1/continue_inspection",
    "/v1/heartbeat/{ident}",
    "/v1/lookup",
    "/healthcheck",
    "/openapi.json",
    "/docs",
    "/docs/page.css",
    "/docs/page.js",
];

/// An operation's path with every variable in it and all arguments that have to be there.
fn complete(path: &str, operation: &Value) -> String {
    let segments = path.split('/').map(|segment| match segment {
        segment if segment.starts_with('{') => OWNED,
        segment => segment,
    });
    let mut real = segments.collect::<Vec<_>>().join("/");
    if path == "/v1/nodes/validate" {
        // Either of two is needed, which no document says.
        real += &format!("?node={OWNED}");
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters {
        if parameter["in"] == "query" && parameter["required"] == true {
            let lead = if real.contains('?') { '&' } else { '?' };
            let name = parameter["name"].as_str().unwrap();
            real += &format!("{lead}{name}={OWNED}");
        }
    }
    real
}

#[tokio::test]
async fn every_operation_is_kept_from_nobody() {
    let world = world().await;
    let nobody = Identity::anonymous();
    let document = world.ask(&nobody, "GET", "/openapi.json", None).await.body;
    let (mut asked, mut wrong) = (0, Vec::new());
    for (path, operations) in document["paths"].as_object().unwrap() {
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        for method in ["get", "post", "put", "patch", "delete"] {
            if operations[method].is_null() {
                continue;
            }
            asked += 1;
            let real = complete(path, &operations[method]);
            let body = match method {
                "get" | "delete" => None,
                "patch" => Some(json!([])),
                _ => Some(json!({})),
            };
            let method = method.to_uppercase();
            let answer = world.ask(&nobody, &method, &real, body.as_ref()).await;
            // What reads has nothing else to be refused for.
            let refused: &[u16] = match &*method {
                "GET" => &[403, 404],
                _ => &[400, 403, 404],
            };
            if !refused.contains(&answer.status) {
                wrong.push(format!(
                    "{method} {real}: {} {}",
                    answer.status, answer.body
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 100, "{asked}");
}

#[tokio::test]
async fn what_is_not_seen_looks_like_what_is_not_there() {
    let world = world().await;
    let stranger = member("elsewhere");
    let hidden = world
        .ask(&stranger, "GET", &format!("/v1/nodes/{OWNED}"), None)
        .await;
    let none = "99999999-9999-4999-8999-999999999999";
    let missing = world
        .ask(&stranger, "GET", &format!("/v1/nodes/{none}"), None)
        .await;
    assert_eq!(hidden.status, missing.status);
    let text = |body: &Value| body["error_message"].as_str().unwrap().to_owned();
    assert_eq!(text(&hidden.body).replace(OWNED, none), text(&missing.body));
}

#[tokio::test]
async fn lists_have_what_a_project_owns_or_leases() {
    let world = world().await;
    let uuids = |body: &Value| -> Vec<String> {
        let nodes = body["nodes"].as_array().unwrap().iter();
        nodes
            .map(|node| node["uuid"].as_str().unwrap().to_owned())
            .collect()
    };
    let list = world.ask(&member(LESSEE), "GET", "/v1/nodes", None).await;
    assert_eq!(uuids(&list.body), [LEASED]);
    let list = world
        .ask(&member(OWNER), "GET", "/v1/nodes?limit=1", None)
        .await;
    assert_eq!(uuids(&list.body), [OWNED]);
    let next = list.body["next"]
        .as_str()
        .unwrap()
        .split_once("/v1")
        .unwrap()
        .1
        .to_owned();
    let list = world
        .ask(&member(OWNER), "GET", &format!("/v1{next}"), None)
        .await;
    assert_eq!(uuids(&list.body), [LEASED]);
    let path = format!("/v1/nodes?project={OWNER}");
    assert_eq!(
        world.ask(&member(LESSEE), "GET", &path, None).await.status,
        403
    );
    let list = world.ask(&admin_of_system(), "GET", &path, None).await;
    assert_eq!(uuids(&list.body).len(), 2);
}

#[tokio::test]
async fn secrets_are_shown_to_whom_a_file_says() {
    let path = format!("/v1/nodes/{OWNED}");
    let shown = |world: World, who: Identity| {
        let path = path.clone();
        async move { world.ask(&who, "GET", &path, None).await.body }
    };
    let body = shown(world().await, admin_of_system()).await;
    assert_eq!(body["driver_info"]["fake_password"], "******");
    assert_eq!(body["instance_info"]["image_url"], "******");
    let text = "show_password: role:admin\n";
    let body = shown(world_by(text).await, admin_of_system()).await;
    assert_eq!(body["driver_info"]["fake_password"], "fakepass");
    assert_eq!(body["instance_info"]["image_url"], "******");
    let body = shown(world_by(text).await, member(OWNER)).await;
    assert_eq!(body["driver_info"]["fake_password"], "******");
    // Where nobody is asked who they are, that alone shows nobody a secret.
    let body = shown(world_by(text).await, Identity::trusted()).await;
    assert_eq!(body["driver_info"]["fake_password"], "******");
    let text = "show_password: '@'\nshow_instance_secrets: '@'\n";
    let body = shown(world_by(text).await, Identity::trusted()).await;
    assert_eq!(body["driver_info"]["fake_password"], "fakepass");
    assert_eq!(
        body["instance_info"]["image_url"],
        "http://example.com/test_image_url"
    );
}

#[tokio::test]
async fn a_step_may_have_a_rule_of_its_own() {
    let rule = "\"baremetal:step:execute:raid.delete_configuration\": \"role:admin\"\n";
    let world = world_by(rule).await;
    let path = format!("/v1/nodes/{OWNED}/states/provision");
    let clean = |step: &str| json!({"target": "clean", "clean_steps": [{"interface": "raid", "step": step}]});
    let ask = async |step: &str| {
        let answer = world
            .ask(&member(OWNER), "PUT", &path, Some(&clean(step)))
            .await;
        answer.status
    };
    assert_eq!(ask("delete_configuration").await, 403);
    // Allowed; the node is held by somebody.
    assert_eq!(ask("create_configuration").await, 409);
}

#[tokio::test]
async fn each_field_of_a_patch_needs_its_policy() {
    let world = world().await;
    let patch = async |who: &Identity, body: Value| {
        let path = format!("/v1/nodes/{LEASED}");
        world.ask(who, "PATCH", &path, Some(&body)).await.status
    };
    let set = |field: &str, value: &str| json!({"op": "replace", "path": field, "value": value});
    let lessee = member(LESSEE);
    let extra = json!({"op": "add", "path": "/extra/a", "value": "b"});
    let driver_info = set("/driver_info", "x");
    assert_eq!(patch(&lessee, json!([extra])).await, 503);
    assert_eq!(patch(&lessee, json!([driver_info])).await, 403);
    assert_eq!(patch(&lessee, json!([extra, driver_info])).await, 403);
    assert_eq!(patch(&lessee, json!([set("/owner", LESSEE)])).await, 403);
    let off = json!({"op": "replace", "path": "/automated_clean", "value": false});
    assert_eq!(patch(&member(OWNER), json!([off])).await, 403);
    assert_eq!(patch(&admin_of_system(), json!([off])).await, 503);
}

#[tokio::test]
async fn an_owner_is_not_changed_under_an_allocation() {
    let world = world().await;
    let body = json!([{"op": "replace", "path": "/owner", "value": "new"}]);
    let path = format!("/v1/nodes/{OWNED}");
    let answer = world
        .ask(&admin_of_system(), "PATCH", &path, Some(&body))
        .await;
    assert_eq!(answer.status, 409, "{}", answer.body);
}
