//! The document and the page, each made when it is first asked for.

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use serde_json::Value;

use super::super::Api;
use super::openapi::document;
use super::operation::{Operation, about, shows};
use super::page::page;
use super::routes::{Routes, get};
use super::shape::Shape;

/// Nothing is loaded from elsewhere, and nothing runs that is not the page's own file.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// What is told of the API.
#[derive(Debug)]
pub(in super::super) struct Docs {
    operations: Vec<Operation>,
    address: Option<String>,
    document: OnceLock<Value>,
    json: OnceLock<Bytes>,
    page: OnceLock<Bytes>,
}

impl Docs {
    /// Tells of these operations, which clients reach at this address, if it is known.
    pub(in super::super) fn new(operations: Vec<Operation>, address: Option<String>) -> Self {
        Self {
            operations,
            address,
            document: OnceLock::new(),
            json: OnceLock::new(),
            page: OnceLock::new(),
        }
    }

    fn document(&self) -> &Value {
        let make = || document(&self.operations, self.address.as_deref());
        self.document.get_or_init(make)
    }

    fn json(&self) -> Bytes {
        let make = || self.document().to_string().into();
        self.json.get_or_init(make).clone()
    }

    fn page(&self) -> Bytes {
        let make = || page(self.document()).into();
        self.page.get_or_init(make).clone()
    }
}

/// The routes.
pub(in super::super) fn routes() -> Routes {
    let html = about("Tells people the same.", shows(Shape::Plain(HTML)));
    let style = about("Is how the page looks.", shows(Shape::Plain(CSS)));
    let script = about("Searches the page.", shows(Shape::Plain(JAVASCRIPT)));
    let json = about("Tells what there is: this document.", shows(Shape::Object));
    Routes::of("Service")
        .route("/openapi.json", get(json_of, json.public()))
        .route("/docs", get(page_of, html.public()))
        .route("/docs/page.css", get(css, style.public()))
        .route("/docs/page.js", get(js, script.public()))
}

async fn json_of(State(api): State<Arc<Api>>) -> Response {
    answer("application/json", api.docs.json())
}

async fn page_of(State(api): State<Arc<Api>>) -> Response {
    answer(HTML, api.docs.page())
}

async fn css() -> Response {
    answer(CSS, Bytes::from_static(include_bytes!("page.css")))
}

async fn js() -> Response {
    answer(JAVASCRIPT, Bytes::from_static(include_bytes!("page.js")))
}

fn answer(media_type: &'static str, body: Bytes) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}
