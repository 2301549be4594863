//! The REST API, as any client speaks it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::failure::Failure;

/// The newest version of the API that this program was written against.
const VERSION: &str = "1.112";

#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    url: String,
}

impl Api {
    pub(crate) fn new(http: reqwest::Client, url: &str) -> Self {
        Self {
            http,
            url: url.to_owned(),
        }
    }

    /// Sends a request; a node that is locked for the moment is asked again.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut attempts = 40;
        loop {
            let url = format!("{}{path}", self.url);
            let mut request = self
                .http
                .request(method.clone(), url)
                .header("OpenStack-API-Version", format!("baremetal {VERSION}"));
            if let Some(body) = body {
                request = request.json(body);
            }
            let failed =
                |error: reqwest::Error| Failure::Machine(format!("{method} {path}: {error}"));
            let answer = request.send().await.map_err(failed)?;
            let status = answer.status();
            let text = answer.text().await.map_err(failed)?;
            if status == StatusCode::CONFLICT && text.contains("is locked") && attempts > 0 {
                attempts -= 1;
                tokio::time::sleep(Duration::from_millis(250)).await;
                continue;
            }
            if !status.is_success() {
                return Err(Failure::Machine(format!(
                    "{method} {path}: {status}: {text}"
                )));
            }
            return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
        }
    }

    pub(crate) async fn create_node(&self, node: &Value) -> Result<String, Failure> {
        let answer = self.send(Method::POST, "/v1/nodes", Some(node)).await?;
        let uuid = answer.get("uuid").and_then(Value::as_str);
        uuid.map(str::to_owned)
            .ok_or_else(|| Failure::Machine("the new node has no uuid".to_owned()))
    }

    pub(crate) async fn create_port(&self, node: &str, mac: &str) -> Result<(), Failure> {
        self.send(
            Method::POST,
            "/v1/ports",
            Some(&json!({"node_uuid": node, "address": mac})),
        )
        .await
        .map(|_| ())
    }

    pub(crate) async fn node(&self, node: &str) -> Result<Value, Failure> {
        self.send(Method::GET, &format!("/v1/nodes/{node}"), None)
            .await
    }

    pub(crate) async fn patch_node(&self, node: &str, patch: &Value) -> Result<(), Failure> {
        self.send(Method::PATCH, &format!("/v1/nodes/{node}"), Some(patch))
            .await
            .map(|_| ())
    }

    pub(crate) async fn provision(&self, node: &str, body: &Value) -> Result<(), Failure> {
        self.send(
            Method::PUT,
            &format!("/v1/nodes/{node}/states/provision"),
            Some(body),
        )
        .await
        .map(|_| ())
    }

    pub(crate) async fn set_maintenance(&self, node: &str, reason: &str) -> Result<(), Failure> {
        self.send(
            Method::PUT,
            &format!("/v1/nodes/{node}/maintenance"),
            Some(&json!({"reason": reason})),
        )
        .await
        .map(|_| ())
    }

    pub(crate) async fn set_traits(&self, node: &str, traits: &[&str]) -> Result<(), Failure> {
        self.send(
            Method::PUT,
            &format!("/v1/nodes/{node}/traits"),
            Some(&json!({"traits": traits})),
        )
        .await
        .map(|_| ())
    }

    pub(crate) async fn create_deploy_template(&self, template: &Value) -> Result<(), Failure> {
        self.send(Method::POST, "/v1/deploy_templates", Some(template))
            .await
            .map(|_| ())
    }

    /// Creates a runbook that is meant for machines with this trait.
    pub(crate) async fn create_runbook(&self, runbook: &Value, of: &str) -> Result<(), Failure> {
        let made = self
            .send(Method::POST, "/v1/runbooks", Some(runbook))
            .await?;
        let id = made.get("uuid").and_then(Value::as_str).unwrap_or_default();
        let path = format!("/v1/runbooks/{id}/traits/{of}");
        self.send(Method::PUT, &path, None).await.map(|_| ())
    }

    pub(crate) async fn delete_node(&self, node: &str) -> Result<(), Failure> {
        self.send(Method::DELETE, &format!("/v1/nodes/{node}"), None)
            .await
            .map(|_| ())
    }
}
