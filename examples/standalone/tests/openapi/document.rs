use std::collections::BTreeSet;

use ironic_standalone::Host;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::peer::{ask, config, document, program};

/// What a request is answered by no route at all.
const NOTHING_THERE: &str = "there is nothing at";

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    operations
}

/// A path with something in its variable segments.
fn filled(path: &str) -> String {
    let segment = |segment: &str| match segment.starts_with('{') {
        true => "11111111-2222-4333-8444-555555555555".to_owned(),
        false => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_document_is_openapi() {
    let host = Host::builder(config()).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, document(&host).await.to_string()).unwrap();
    let validator = program("openapi-spec-validator", "openapi-spec-validator");
    let output = Command::new(validator)
        .args(["--errors", "all", "--schema", "3.1"])
        .arg(&file)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    host.stop().await.unwrap();
}

#[tokio::test]
async fn whatever_is_told_is_served() {
    let host = Host::builder(config()).start().await.unwrap();
    let operations = operations(&document(&host).await);
    assert!(operations.len() > 150, "{}", operations.len());
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations {
        let answer = ask(&host, &method, &filled(&path), None).await;
        assert!(!answer.text.contains(NOTHING_THERE), "{method} {path}");
        assert_ne!(answer.status, 405, "{method} {path}");
        let told = operation["responses"].as_object().unwrap();
        let status = answer.status.as_str();
        assert!(told.contains_key(status), "{method} {path}: {status}");
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(
            operation["summary"].as_str().unwrap().ends_with('.'),
            "{id}"
        );
    }
    host.stop().await.unwrap();
}

/// The paths of the original, as the document writes them.
fn known(document: &Value, path: &str) -> Option<String> {
    let path = path.split(['?', ' ']).next().unwrap();
    let path = match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let wanted: Vec<_> = path.split('/').collect();
    let fits = |candidate: &&String| {
        let segments: Vec<_> = candidate.split('/').collect();
        let variable = |segment: &str| segment.starts_with('{');
        segments.len() == wanted.len()
            && segments
                .iter()
                .zip(&wanted)
                .all(|(told, wanted)| told == wanted || (variable(told) && variable(wanted)))
    };
    document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .find(fits)
        .cloned()
}

#[tokio::test]
async fn every_route_of_the_original_is_served_and_told() {
    let host = Host::builder(config()).start().await.unwrap();
    let document = document(&host).await;
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../ironic-core/tests/vectors/api_surface.json"
    );
    let surface: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let (mut told, mut refused) = (0, Vec::new());
    for route in surface["routes"].as_array().unwrap() {
        let (method, path) = (
            route["method"].as_str().unwrap(),
            route["path"].as_str().unwrap(),
        );
        let known = known(&document, path).unwrap_or_else(|| panic!("{path} is not told"));
        let answer = ask(&host, method, &filled(&known), None).await;
        assert!(!answer.text.contains(NOTHING_THERE), "{method} {path}");
        let method = method.to_lowercase();
        if document["paths"][&known].get(&method).is_some() {
            told += 1;
        } else {
            assert!(
                [400, 405].contains(&answer.status.as_u16()),
                "{method} {path}"
            );
            refused.push(format!("{method} {path}"));
        }
    }
    // The original has nothing there either.
    assert_eq!(refused, ["delete /v1/inspection_rules", "put /v1/nodes"]);
    assert_eq!(told, 133);
    host.stop().await.unwrap();
}

/// Something that fits a schema.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(place) = schema["$ref"].as_str() {
        return example(document, document.pointer(&place[1..]).unwrap());
    }
    if let Some(first) = schema["enum"].as_array() {
        return first[0].clone();
    }
    match schema["type"].as_str() {
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => example(document, &schema["items"]),
        _ if schema["format"] == "uuid" => json!("11111111-2222-4333-8444-555555555555"),
        _ if schema["pattern"]
            .as_str()
            .is_some_and(|like| like.contains("{2}:")) =>
        {
            json!("52:54:00:11:22:33")
        }
        _ => json!("x"),
    }
}

#[tokio::test]
async fn arguments_that_are_told_are_taken() {
    let host = Host::builder(config()).start().await.unwrap();
    let document = document(&host).await;
    let mut tried = 0;
    for (method, path, operation) in operations(&document) {
        for argument in operation["parameters"].as_array().unwrap() {
            if argument["in"] != "query" {
                continue;
            }
            let (name, schema) = (argument["name"].as_str().unwrap(), &argument["schema"]);
            let value = match example(&document, schema) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let query = format!("{}?{name}={}", filled(&path), value.replace(' ', "%20"));
            let answer = ask(&host, &method, &query, None).await;
            let unexpected = answer.text.contains("unexpected argument");
            assert!(!unexpected, "{method} {query}: {}", answer.text);
            tried += 1;
        }
        // What is not told is not taken, where the query is looked at.
        let answer = ask(&host, &method, &format!("{}?nosuch=1", filled(&path)), None).await;
        assert!(
            !answer.status.is_server_error(),
            "{method} {path}: {}",
            answer.text
        );
    }
    assert!(tried > 200, "{tried}");
    host.stop().await.unwrap();
}

#[tokio::test]
async fn fields_are_told_with_the_version_that_they_are_there_since() {
    let host = Host::builder(config()).start().await.unwrap();
    let document = document(&host).await;
    let schemas = &document["components"]["schemas"];
    for (schema, field, since) in [
        ("Node", "uuid", "1.1"),
        ("Node", "deploy_step", "1.44"),
        ("NewNode", "instance_name", "1.104"),
        ("Port", "vendor", "1.100"),
        ("NodeStates", "boot_mode", "1.75"),
        ("HistoryEvent", "duration_seconds", "1.115"),
    ] {
        let told = &schemas[schema]["properties"][field]["x-since"];
        assert_eq!(told, since, "{schema} {field}");
    }
    // What nobody sets is nothing to be sent, what is only sent is not shown.
    assert_eq!(schemas["NewNode"]["properties"].get("reservation"), None);
    assert_eq!(schemas["Port"]["properties"].get("node_ident"), None);
    assert_eq!(schemas["NewNode"]["required"], json!(["driver"]));
    for (method, path, since) in [
        ("get", "/v1/nodes/{ident}/bios", "1.40"),
        ("patch", "/v1/allocations/{ident}", "1.57"),
        ("put", "/v1/nodes/{ident}/states/boot_mode", "1.76"),
        ("get", "/v1/nodes", "1.1"),
    ] {
        assert_eq!(
            document["paths"][path][method]["x-since"], since,
            "{method} {path}"
        );
    }
    host.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_told_where_that_is_not_wanted() {
    let mut config = config();
    config.api.docs = false;
    let host = Host::builder(config).start().await.unwrap();
    for path in ["/openapi.json", "/docs", "/docs/page.js"] {
        let answer = ask(&host, "GET", path, None).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    host.stop().await.unwrap();
}
