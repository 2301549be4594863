//! The tools of others that the tests run, and the host that they look at.

use std::path::{Path, PathBuf};

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use ironic_standalone::{Host, HostConfig};
use serde_json::Value;
use tower::ServiceExt;

/// A program of the virtualenv in which the tests' tools are.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let venv = std::env::var_os("IRONIC_TEST_VENV").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ironic-tools/venv"),
        PathBuf::from,
    );
    let program = venv.join("bin").join(name);
    assert!(
        program.exists(),
        "{} is missing: run `python3 -m venv {venv} && {venv}/bin/pip install {package}`, or \
         name another virtualenv in IRONIC_TEST_VENV",
        program.display(),
        venv = venv.display(),
    );
    program
}

/// The settings of a host with fake drivers.
pub(crate) fn config() -> HostConfig {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fake.toml");
    HostConfig::load(Some(&file), &|_| None).unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// Asks in the newest version.
pub(crate) async fn ask(host: &Host, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("X-OpenStack-Ironic-API-Version", "latest")
        .body(body)
        .unwrap();
    let (parts, body) = host.router().oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// The document of a host.
pub(crate) async fn document(host: &Host) -> Value {
    let answer = ask(host, "GET", "/openapi.json", None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}
