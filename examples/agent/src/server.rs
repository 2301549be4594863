//! The command API.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::command::{self, Params};
use crate::fault::{Fault, FaultBody, FaultKind};
use crate::shared::Shared;

const DOCUMENTATION: &str = "https://docs.openstack.org/ironic-python-agent/";
const MEDIA_TYPE: &str = "application/vnd.openstack.ironic-python-agent.v1+json";

type Agent = State<Arc<Shared>>;
/// Query parameters; a query that cannot be read has none, and so no token.
type Parameters = Result<Query<BTreeMap<String, String>>, axum::extract::rejection::QueryRejection>;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let commands = get(list_commands).post(run_command);
    Router::new()
        .route("/", get(root))
        .route("/v1", get(|| async { Redirect::permanent("/v1/") }))
        .route("/v1/", get(version_one))
        .route("/v1/status", get(status))
        .route(
            "/v1/commands",
            get(|| async { Redirect::permanent("/v1/commands/") }),
        )
        .route("/v1/commands/", commands.clone())
        .route("/v1/commands/{id}", get(get_command))
        .route("/status", get(status))
        .route("/commands/", commands)
        .route("/commands/{id}", get(get_command))
        .fallback(|| async { Refusal::new(404, "404 Not Found: there is nothing here") })
        .method_not_allowed_fallback(|| async {
            Refusal::new(405, "405 Method Not Allowed: not with this method")
        })
        .with_state(shared)
}

/// An answer that says no.
struct Refusal {
    code: u16,
    text: String,
}

impl Refusal {
    fn new(code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::new(fault.code, fault.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(FaultBody::new(self.code, self.text))).into_response()
    }
}

/// Root of the URLs that the caller used.
fn base(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("http://{host}")
}

fn version(base: &str) -> Value {
    json!({
        "id": "v1",
        "links": [
            {"href": format!("{base}/v1"), "rel": "self"},
            {"href": DOCUMENTATION, "rel": "describedby", "type": "text/html"},
        ],
    })
}

async fn root(headers: HeaderMap) -> Json<Value> {
    let version = version(&base(&headers));
    Json(json!({
        "name": "OpenStack Ironic Python Agent API",
        "description": "Agent of the Bare Metal service, speaking the protocol of ironic-python-agent",
        "versions": [version],
        "default_version": version,
    }))
}

async fn version_one(headers: HeaderMap) -> Json<Value> {
    let base = base(&headers);
    let links = |resource: &str| {
        json!([
            {"href": format!("{base}/v1/{resource}"), "rel": "self"},
            {"href": format!("{base}/{resource}"), "rel": "bookmark"},
        ])
    };
    let mut body = version(&base);
    if let Some(body) = body.as_object_mut() {
        body.insert("commands".to_owned(), links("commands"));
        body.insert("status".to_owned(), links("status"));
        body.insert(
            "media_types".to_owned(),
            json!([{"base": "application/json", "type": MEDIA_TYPE}]),
        );
    }
    Json(body)
}

async fn status(State(shared): Agent) -> Json<Value> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a time in seconds, as the original gives it"
    )]
    let started = shared.started.as_micros() as f64 / 1e6;
    Json(json!({"started_at": started, "version": crate::VERSION}))
}

/// Lets only the conductor in.
fn authorize(shared: &Shared, query: &Parameters) -> Result<(), Refusal> {
    let known = query
        .as_ref()
        .ok()
        .and_then(|query| query.get("agent_token"))
        .is_some_and(|token| shared.is_token(token));
    if known {
        Ok(())
    } else {
        Err(Refusal::new(401, "401 Unauthorized: Token invalid."))
    }
}

fn wants_to_wait(query: &Parameters) -> bool {
    query
        .as_ref()
        .ok()
        .and_then(|query| query.get("wait"))
        .is_some_and(|wait| wait.eq_ignore_ascii_case("true"))
}

async fn list_commands(State(shared): Agent, query: Parameters) -> Result<Json<Value>, Refusal> {
    authorize(&shared, &query)?;
    Ok(Json(json!({"commands": shared.commands.views()})))
}

async fn get_command(
    State(shared): Agent,
    Path(id): Path<String>,
    query: Parameters,
) -> Result<Response, Refusal> {
    authorize(&shared, &query)?;
    let command = shared.commands.get(&id).ok_or_else(|| {
        let shown: String = id.chars().take(64).collect();
        Fault::new(
            FaultKind::RequestedObjectNotFoundError,
            format!("Command Result with id {shown} not found."),
        )
    })?;
    if wants_to_wait(&query) {
        command.done().await;
    }
    Ok(Json(command.view()).into_response())
}

async fn run_command(
    State(shared): Agent,
    query: Parameters,
    request: Request,
) -> Result<Response, Refusal> {
    // The body of a stranger is not even read.
    authorize(&shared, &query)?;
    let (name, params) = read_command(request.into_body(), shared.config.max_command_body).await?;
    let command = command::execute(&shared, &name, params).await?;
    if wants_to_wait(&query) {
        command.done().await;
    }
    Ok(Json(command.view()).into_response())
}

async fn read_command(body: Body, most: usize) -> Result<(String, Params), Refusal> {
    let body = to_bytes(body, most)
        .await
        .map_err(|_| Refusal::new(413, "413 Content Too Large: the command is too large"))?;
    let malformed = || Refusal::new(400, "400 Bad Request: Missing or invalid name or params");
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&body) else {
        return Err(malformed());
    };
    match (body.remove("name"), body.remove("params")) {
        (Some(Value::String(name)), Some(Value::Object(params))) => Ok((name, params)),
        _ => Err(malformed()),
    }
}
