//! What is open to everybody, and that nothing else is, however it is written.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use ironic_standalone::access::{Asked, Authenticator, Identity, Refusal};
use ironic_standalone::{Host, HostConfig};
use proptest::prelude::*;
use tower::ServiceExt;

/// Knows nobody.
struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _: Asked<'_>) -> Result<Identity, Refusal> {
        Err(Refusal::Unauthorized {
            message: "nobody is known",
            challenge: "Nothing".to_owned(),
        })
    }
}

async fn guarded() -> Host {
    let text = "[drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n";
    let host = Host::builder(HostConfig::parse(text).unwrap());
    host.authenticator(Arc::new(Nobody)).start().await.unwrap()
}

async fn status(host: &Host, method: &Method, path: &str, version: &str) -> StatusCode {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-openstack-ironic-api-version", version)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"));
    let answered = host.router().oneshot(request.unwrap()).await;
    answered.unwrap().status()
}

#[tokio::test]
async fn a_ramdisk_and_whoever_looks_around_need_no_credentials() {
    let host = guarded().await;
    let node = "/v1/heartbeat/3f9a0f42-54ae-4b4b-8d2c-51f4c9c3a9cc";
    for (method, path, version, wanted) in [
        (Method::GET, "/", "1.1", 200),
        (Method::GET, "/v1", "1.1", 200),
        (Method::GET, "/v1/", "latest", 200),
        (Method::GET, "/v1.json", "1.1", 200),
        (Method::GET, "/healthcheck", "latest", 200),
        (
            Method::GET,
            "/v1/lookup?addresses=52:54:00:12:34:56",
            "latest",
            404,
        ),
        (
            Method::GET,
            "/v1/lookup.json?addresses=52:54:00:12:34:56",
            "1.90",
            404,
        ),
        (Method::POST, node, "latest", 400),
        (Method::POST, "/v1/continue_inspection", "latest", 400),
    ] {
        let answer = status(&host, &method, path, version).await;
        assert_eq!(answer.as_u16(), wanted, "{method} {path}");
    }
    host.stop().await.unwrap();
}

#[tokio::test]
async fn no_way_of_writing_a_path_opens_another() {
    let host = guarded().await;
    for path in [
        "/v1/nodes",
        "/v1/nodes/",
        "/v1/nodes.json",
        "/v1//nodes",
        "//v1/nodes",
        "/v1/./nodes",
        "/v1/lookup/../nodes",
        "/v1/lookup/%2e%2e/nodes",
        "/v1/lookup%2f..%2fnodes",
        "/v1/lookup;/../nodes",
        "/v1/lookup.json/../nodes",
        "/v1/heartbeat/..%2fnodes",
        "/v1/heartbeat/x/../../nodes",
        "/v1/heartbeat/N.json",
        "/v1/continue_inspection/../nodes",
        "/v1/nodes/lookup",
        "/v1/nodes/detail?path=/v1/lookup",
        "/v1/nodes/%2fv1%2flookup",
        "/v1/%6codes",
        "/%76%31/nodes",
        "/V1/lookup",
        "/v2/lookup",
        "/lookup",
        "/nodes",
        "/healthcheck/",
        "/healthcheck/../v1/nodes",
        "/v1/healthcheck",
        "/v1/ports",
        "/v1/conductors",
        "/v1/drivers",
        "/nowhere",
        "http://elsewhere/v1/nodes",
        "http://elsewhere/v1/lookup/../nodes",
        "/.json",
        "/v1/.json",
    ] {
        for version in ["1.1", "1.90", "latest", "nonsense"] {
            for method in [
                Method::GET,
                Method::POST,
                Method::HEAD,
                Method::from_bytes(b"LOOKUP").unwrap(),
            ] {
                let answer = status(&host, &method, path, version).await;
                assert_eq!(
                    answer,
                    StatusCode::UNAUTHORIZED,
                    "{method} {path} {version}"
                );
            }
        }
    }
    host.stop().await.unwrap();
}

/// A path to records, with pieces of open paths and of spellings put in anywhere.
fn disguised() -> impl Strategy<Value = String> {
    let pieces = [
        "/",
        "//",
        "/.",
        "/..",
        "%2f",
        "%2F",
        "%2e",
        "%00",
        ";",
        ".json",
        ".xml",
        "/v1",
        "/lookup",
        "/heartbeat/",
        "/continue_inspection",
        "/healthcheck",
        "?",
        "??",
        "a",
        "%",
    ];
    let piece = proptest::sample::select(pieces.to_vec());
    (
        proptest::collection::vec(piece.clone(), 0..4),
        proptest::sample::select(vec!["nodes", "ports", "chassis", "drivers", "nodes/detail"]),
        proptest::collection::vec(piece, 0..3),
    )
        .prop_map(|(before, records, after)| {
            format!("/v1{}/{records}{}", before.concat(), after.concat())
        })
}

#[test]
fn no_disguise_of_records_shows_any() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let host = runtime.block_on(async {
        let host = guarded().await;
        let node = ironic_core::model::Node::new(uuid::Uuid::from_u128(7), "fake-hardware");
        host.client().create_node(node).await.unwrap();
        host
    });
    proptest!(ProptestConfig::with_cases(2000), |(path in disguised(), old in any::<bool>())| {
        prop_assume!(path.parse::<http::Uri>().is_ok());
        let version = if old { "1.1" } else { "latest" };
        let shown = runtime.block_on(async {
            let request = Request::get(&path).header("x-openstack-ironic-api-version", version);
            let request = request.body(Body::empty()).unwrap();
            let answer = host.router().oneshot(request).await.unwrap();
            let status = answer.status();
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        });
        let words = ["fake-hardware", "00000000-0000-0000-0000-000000000007"];
        prop_assert!(!words.iter().any(|word| shown.1.contains(word)), "{path}: {shown:?}");
    });
    runtime.block_on(async { host.stop().await.unwrap() });
}
