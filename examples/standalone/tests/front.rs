//! What every request goes through first: health, cross-origin headers, the refusals of limits.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use ironic_core::store::{
    Batch, Filter, Kind, MemoryStore, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use ironic_standalone::{Host, HostConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

const WELL: u8 = 0;
const FAILS: u8 = 1;
const HANGS: u8 = 2;

/// A store that counts as it is told to.
#[derive(Default)]
struct Moody {
    inner: MemoryStore,
    mood: AtomicU8,
}

#[async_trait]
impl Store for Moody {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.inner.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.inner.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.inner.list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        match self.mood.load(Ordering::Relaxed) {
            FAILS => Err(StoreError::unavailable("postgres://u:hunter2@db is gone")),
            HANGS => std::future::pending().await,
            _ => self.inner.count(kind, filter).await,
        }
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.inner.commit(batch).await
    }
}

async fn host(more: &str) -> (Host, Arc<Moody>) {
    let text = format!("[drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n{more}");
    let store = Arc::new(Moody::default());
    let config = HostConfig::parse(&text).unwrap();
    let builder = Host::builder(config).store(Arc::clone(&store) as Arc<dyn Store>);
    (builder.start().await.unwrap(), store)
}

async fn ask(
    host: &Host,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = host.router().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn health_is_told_in_the_form_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("maintenance");
    let more = format!(
        "[healthcheck]\ntimeout = 0.2\ndisable_by_file_path = \"{}\"\n",
        file.display()
    );
    let (host, store) = host(&more).await;
    let get = async |accept| {
        let (status, headers, body) =
            ask(&host, Method::GET, "/healthcheck", &[("accept", accept)]).await;
        let media = headers["content-type"].to_str().unwrap().to_owned();
        (status.as_u16(), media, body)
    };
    let (status, media, body) = get("*/*").await;
    assert_eq!((status, body.as_str()), (200, "OK"));
    assert!(media.starts_with("text/plain"), "{media}");
    let (status, media, body) = get("application/json").await;
    assert_eq!((status, media.as_str()), (200, "application/json"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({"detailed": false, "reasons": ["OK"]}));
    let (_, media, body) = get("text/html").await;
    assert!(
        media.starts_with("text/html") && body.contains("<td>OK</td>"),
        "{body}"
    );
    let head = ask(&host, Method::HEAD, "/healthcheck", &[]).await;
    assert_eq!((head.0, head.2.as_str()), (StatusCode::NO_CONTENT, ""));
    assert!(head.1.contains_key("openstack-request-id"));

    for (mood, reason) in [
        (FAILS, "the store does not answer"),
        (HANGS, "the store does not answer in time"),
    ] {
        store.mood.store(mood, Ordering::Relaxed);
        let (status, _, body) = get("application/json").await;
        assert_eq!(status, 503);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["reasons"], json!([reason]));
        assert_eq!(get("*/*").await.2, reason);
        let head = ask(&host, Method::HEAD, "/healthcheck", &[]).await;
        assert_eq!(head.0, StatusCode::SERVICE_UNAVAILABLE);
    }
    store.mood.store(WELL, Ordering::Relaxed);
    assert_eq!(get("*/*").await.0, 200);
    std::fs::write(&file, "").unwrap();
    let (status, _, body) = get("*/*").await;
    assert_eq!((status, body.as_str()), (503, "DISABLED BY FILE"));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(get("*/*").await.0, 200);
    host.stop().await.unwrap();
}

#[tokio::test]
async fn health_and_numbers_are_told_only_where_settings_say_so() {
    let (host, _) = host("[healthcheck]\nenabled = false\n").await;
    for path in ["/healthcheck", "/metrics"] {
        let (status, _, body) = ask(&host, Method::GET, path, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {body}");
    }
    host.stop().await.unwrap();
}

#[tokio::test]
async fn pages_of_other_sites_are_let_in_by_name_only() {
    let site = ("origin", "https://dashboard.example");
    let (closed, _) = host("").await;
    let (_, headers, _) = ask(&closed, Method::GET, "/v1", &[site]).await;
    assert!(!headers.contains_key("access-control-allow-origin"));
    closed.stop().await.unwrap();

    let (open, _) = host("[cors]\nallowed_origin = [\"https://dashboard.example\"]\n").await;
    for path in ["/v1", "/v1/nodes", "/nosuch", "/healthcheck"] {
        let (_, headers, _) = ask(&open, Method::GET, path, &[site]).await;
        assert_eq!(headers["access-control-allow-origin"], site.1, "{path}");
        assert_eq!(headers["vary"], "Origin");
        let exposed = headers["access-control-expose-headers"].to_str().unwrap();
        assert!(
            exposed.contains("X-OpenStack-Ironic-API-Version"),
            "{exposed}"
        );
        let other = ("origin", "https://other.example");
        let (_, headers, _) = ask(&open, Method::GET, path, &[other]).await;
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
    for path in ["/v1/nodes", "/v1/nosuch", "/healthcheck"] {
        let preflight = [
            site,
            ("access-control-request-method", "PATCH"),
            (
                "access-control-request-headers",
                "content-type,x-auth-token,x-openstack-ironic-api-version",
            ),
        ];
        let (status, headers, _) = ask(&open, Method::OPTIONS, path, &preflight).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers["access-control-allow-methods"], "PATCH");
        assert_eq!(headers["access-control-max-age"], "3600");
        let trace = [site, ("access-control-request-method", "TRACE")];
        let (status, headers, _) = ask(&open, Method::OPTIONS, path, &trace).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
    open.stop().await.unwrap();
}

#[test]
fn limits_that_cannot_be_kept_are_refused() {
    for (text, shown) in [
        ("[limits]\nmax_connections = 0\n", "max_connections"),
        (
            "[limits]\nmax_requests_in_flight = 0\n",
            "max_requests_in_flight",
        ),
        ("[limits]\nmax_header_bytes = 100\n", "8192"),
        ("[limits]\nmax_uri_bytes = 70000\n", "65534"),
        ("[limits]\nbody_timeout = 0\n", "body_timeout"),
        ("[limits]\nrequest_timeout = 0\n", "request_timeout"),
        ("[limits]\nwrite_timeout = -1\n", "write_timeout"),
        ("[api]\nmax_json_body_depth = 200\n", "max_json_body_depth"),
        ("[api]\nmax_json_body_size = 1\n", "max_json_body_size"),
        ("[healthcheck]\ntimeout = 0\n", "timeout in [healthcheck]"),
        ("[cors]\nallowed_origin = [\"dashboard\"]\n", "dashboard"),
        ("[metrics]\nlisten = \"9100\"\n", "listen"),
    ] {
        let error = HostConfig::parse(text).unwrap_err().to_string();
        assert!(error.contains(shown), "{text:?}: {error}");
    }
}

#[tokio::test]
async fn bodies_are_as_large_and_as_deep_as_the_settings_say() {
    let (host, _) = host("[api]\nmax_json_body_size = 4\nmax_json_body_depth = 8\n").await;
    for (body, wanted) in [
        (format!("{{\"driver\": \"{}\"}}", "x".repeat(4096)), 413),
        (format!("{{\"driver\": \"{}\"}}", "x".repeat(4000)), 400),
        (
            format!("{{\"extra\": {}1{}}}", "[".repeat(7), "]".repeat(7)),
            400,
        ),
        (
            format!("{{\"extra\": {}1{}}}", "[".repeat(8), "]".repeat(8)),
            400,
        ),
    ] {
        let request = Request::builder().method(Method::POST).uri("/v1/nodes");
        let deep = body.contains(&"[".repeat(8));
        let request = request.body(Body::from(body)).unwrap();
        let response = host.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), wanted);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert_eq!(body.contains("8 levels"), deep, "{body}");
    }
    host.stop().await.unwrap();
}
