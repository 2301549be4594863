//! `vendor_passthru` of nodes and of drivers: what only a vendor offers.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt};
use http::{Method, StatusCode};
use ironic_core::driver::VendorMethod;
use ironic_core::transport::VendorAnswer;
use serde_json::{Map, Value, json};

use super::arguments::{Document, QueryArguments};
use super::caller::{Caller, Ident, NodeAndName, Segment, Segments};
use super::document::{Member, Routes, Shape, about, any, get, shows};
use super::fault::Fault;

/// What a vendor offers.
const METHODS: Shape = Shape::Map(&Shape::Members(&[
    Member::new("async", Shape::Bool, "Whether it goes on after the answer."),
    Member::new("attach", Shape::Bool, "Whether the answer is a file."),
    Member::new("description", Shape::Text, "What it does."),
    Member::new(
        "http_methods",
        Shape::List(&Shape::Text),
        "How it is called.",
    ),
    Member::new(
        "require_exclusive_lock",
        Shape::Bool,
        "Whether it needs the node for itself.",
    ),
]));

/// The routes.
pub(super) fn routes() -> Routes {
    let call = about(
        "Calls a vendor's method.",
        shows(Shape::Anything).or_begun(),
    )
    .takes(Shape::OrNull(&Shape::Object));
    let by_argument = call.clone().query(&[Member::new(
        "method",
        Shape::Text,
        "The name of the vendor's method.",
    )
    .required()]);
    let methods = || about("Lists what a vendor offers.", shows(METHODS));
    Routes::of("Vendors")
        .route(
            "/nodes/{ident}/vendor_passthru/methods",
            get(methods_of_node, methods()),
        )
        .route(
            "/nodes/{ident}/vendor_passthru",
            any(call_by_argument, &by_argument),
        )
        .route(
            "/nodes/{ident}/vendor_passthru/{method}",
            any(call_by_path, &call),
        )
        .route(
            "/drivers/{name}/vendor_passthru/methods",
            get(methods_of_driver, methods()),
        )
        .route(
            "/drivers/{name}/vendor_passthru",
            any(call_driver_by_argument, &by_argument),
        )
        .route(
            "/drivers/{name}/vendor_passthru/{method}",
            any(call_driver_by_path, &call),
        )
}

fn shown(methods: BTreeMap<String, VendorMethod>) -> Json<Value> {
    let method = |method: VendorMethod| {
        json!({
            "async": method.asynchronous,
            "attach": method.attach,
            "description": method.description,
            "http_methods": method.http_methods,
            "require_exclusive_lock": !method.read_only,
        })
    };
    let methods = methods.into_iter().map(|(name, def)| (name, method(def)));
    Json(Value::Object(methods.collect()))
}

async fn methods_of_node(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller
        .node("baremetal:node:vendor_passthru", &ident)
        .await?;
    Ok(shown(caller.client.vendor_methods(node.uuid).await?))
}

async fn methods_of_driver(
    caller: Caller,
    Segment(name): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    caller.need("baremetal:driver:vendor_passthru")?;
    Ok(shown(caller.client.driver_vendor_methods(&name).await?))
}

/// A call of a method, as a request makes it.
struct Call {
    method: String,
    http_method: Method,
    args: Map<String, Value>,
}

impl Call {
    async fn read(
        named: Option<String>,
        QueryArguments(mut query): QueryArguments,
        request: Request,
    ) -> Result<Self, Fault> {
        let http_method = request.method().clone();
        let method = match named {
            Some(method) => Some(method),
            None => query.text("method")?,
        };
        query.end()?;
        let method = method.filter(|method| !method.is_empty());
        let method = method.ok_or_else(|| Fault::bad("method must name a vendor's method"))?;
        let Document(body) = request.extract().await?;
        let args = match body {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(args)) => args,
            Some(_) => {
                return Err(Fault::bad(
                    "the body must be a JSON object: the method's arguments",
                ));
            }
        };
        Ok(Self {
            method,
            http_method,
            args,
        })
    }

    async fn ask_node(self, caller: &Caller, ident: &str) -> Result<Response, Fault> {
        let node = caller.node("baremetal:node:vendor_passthru", ident).await?;
        let http_method = self.http_method.as_str();
        let called = caller
            .client
            .call_vendor(node.uuid, &self.method, http_method, self.args);
        Ok(answer(called.await?))
    }

    async fn ask_driver(self, caller: &Caller, driver: &str) -> Result<Response, Fault> {
        caller.need("baremetal:driver:vendor_passthru")?;
        let http_method = self.http_method.as_str();
        let called = caller
            .client
            .call_driver_vendor(driver, &self.method, http_method, self.args);
        Ok(answer(called.await?))
    }
}

fn answer(answer: VendorAnswer) -> Response {
    match answer.value {
        Value::Null if answer.asynchronous => StatusCode::ACCEPTED.into_response(),
        Value::String(file) if answer.attach => file.into_response(),
        value if answer.asynchronous => (StatusCode::ACCEPTED, Json(value)).into_response(),
        value => Json(value).into_response(),
    }
}

async fn call_by_argument(
    caller: Caller,
    Ident(ident): Ident,
    query: QueryArguments,
    request: Request,
) -> Result<Response, Fault> {
    let call = Call::read(None, query, request).await?;
    call.ask_node(&caller, &ident).await
}

async fn call_by_path(
    caller: Caller,
    NodeAndName(ident, method): NodeAndName,
    query: QueryArguments,
    request: Request,
) -> Result<Response, Fault> {
    let call = Call::read(Some(method), query, request).await?;
    call.ask_node(&caller, &ident).await
}

async fn call_driver_by_argument(
    caller: Caller,
    Segment(driver): Segment,
    query: QueryArguments,
    request: Request,
) -> Result<Response, Fault> {
    let call = Call::read(None, query, request).await?;
    call.ask_driver(&caller, &driver).await
}

async fn call_driver_by_path(
    caller: Caller,
    Segments(driver, method): Segments,
    query: QueryArguments,
    request: Request,
) -> Result<Response, Fault> {
    let call = Call::read(Some(method), query, request).await?;
    call.ask_driver(&caller, &driver).await
}
