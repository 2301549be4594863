//! `/healthcheck`: whether requests should be sent here, for load balancers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use ironic_core::store::{Filter, Kind};
use serde_json::json;

use super::Api;

/// Whether and how the service says that it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Healthcheck {
    /// Whether `/healthcheck` is served at all. Default true.
    pub enabled: bool,
    /// While there is such a file the service says that it is not available: before maintenance,
    /// so that no further requests are sent. Default: none.
    pub disable_by_file_path: Option<PathBuf>,
    /// How long the store may take to answer. Default 5 s, more than 0.
    pub timeout: Duration,
}

impl Default for Healthcheck {
    fn default() -> Self {
        Self {
            enabled: true,
            disable_by_file_path: None,
            timeout: Duration::from_secs(5),
        }
    }
}

/// How healthy the service is: what is wrong with it otherwise.
type Health = Result<(), &'static str>;

/// `/healthcheck`, by any method, as load balancers use several.
pub(super) async fn serve(
    State(api): State<Arc<Api>>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let health = health(&api).await;
    if method == Method::HEAD {
        return status(health, StatusCode::NO_CONTENT).into_response();
    }
    let (media, body) = match preferred(&headers) {
        Form::Text => ("text/plain; charset=UTF-8", reason(health).to_owned()),
        Form::Json => ("application/json", as_json(health)),
        Form::Html => ("text/html; charset=UTF-8", as_html(health)),
    };
    let status = status(health, StatusCode::OK);
    (status, [(header::CONTENT_TYPE, media)], body).into_response()
}

async fn health(api: &Api) -> Health {
    let settings = &api.settings.healthcheck;
    if let Some(path) = &settings.disable_by_file_path
        && tokio::fs::try_exists(path).await.unwrap_or(false)
    {
        return Err("DISABLED BY FILE");
    }
    let store = api.client.repository().store();
    let asked = store.count(Kind::Conductor, &Filter::All);
    match tokio::time::timeout(settings.timeout, asked).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            // What the store says may name its address; the log is the place for that.
            tracing::error!(%error, "the store does not answer");
            Err("the store does not answer")
        }
        Err(_) => {
            tracing::error!(timeout = ?settings.timeout, "the store does not answer in time");
            Err("the store does not answer in time")
        }
    }
}

fn status(health: Health, well: StatusCode) -> StatusCode {
    health.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| well)
}

fn reason(health: Health) -> &'static str {
    health.err().unwrap_or("OK")
}

fn as_json(health: Health) -> String {
    let body = json!({"detailed": false, "reasons": [reason(health)]});
    serde_json::to_string_pretty(&body).unwrap_or_default()
}

/// The reasons are texts of this file, of which none needs to be escaped.
fn as_html(health: Health) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Healthcheck Status</title></head>\n\
         <body>\n<h2>Result of 1 checks:</h2>\n<table border=\"1\">\n\
         <tr><th>Reason</th></tr>\n<tr><td>{}</td></tr>\n</table>\n</body>\n</html>\n",
        reason(health)
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Html,
    Json,
}

/// The form that a client likes best (RFC 9110 §12.5.1); text for one that likes none, as a load
/// balancer has no use for a 406.
fn preferred(headers: &HeaderMap) -> Form {
    let mut best = (0.0, Form::Text);
    for (form, kind, name) in [
        (Form::Text, "text/*", "text/plain"),
        (Form::Html, "text/*", "text/html"),
        (Form::Json, "application/*", "application/json"),
    ] {
        // The most exact range that fits counts.
        let mut quality = (0, 0.0);
        let accepted = headers.get_all(header::ACCEPT).iter();
        let ranges = accepted
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let exactness = match parts.next().unwrap_or_default() {
                range if range.eq_ignore_ascii_case(name) => 3,
                range if range.eq_ignore_ascii_case(kind) => 2,
                "*/*" => 1,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            if exactness > quality.0 {
                quality = (exactness, weight);
            }
        }
        if quality.1 > best.0 {
            best = (quality.1, form);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header};

    use super::{Form, preferred};

    #[test]
    fn the_client_chooses_the_form() {
        for (accept, form) in [
            ("", Form::Text),
            ("*/*", Form::Text),
            ("text/html", Form::Html),
            ("application/json", Form::Json),
            ("application/*", Form::Json),
            ("text/*;q=0.1, application/json;q=0.5", Form::Json),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Form::Html),
            ("application/json;q=0, */*", Form::Text),
            ("image/png", Form::Text),
            ("application/json;q=x", Form::Text),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(preferred(&headers), form, "{accept}");
        }
    }
}
