//! Who asks, in which version, and what to ask on their behalf.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use http::StatusCode;
use http::request::Parts;
use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::model::Node;
use ironic_core::transport::RequestContext;
use tokio::sync::Semaphore;

use crate::access::Identity;

use super::Api;
use super::args;
use super::arguments::BodyLimits;
use super::fault::Fault;
use super::links::Endpoint;
use super::passage::Passage;
use super::version::{Version, since};

/// What the envelope has found out about a request.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) version: Version,
    pub(super) endpoint: Endpoint,
    pub(super) request_id: String,
    /// How large and how deep the body may be.
    pub(super) bodies: BodyLimits,
    /// Turns at taking long bodies apart.
    pub(super) long_bodies: Arc<Semaphore>,
    /// Whether the path came with `.json` at its end, which has been taken off.
    pub(super) json_suffix: bool,
}

/// The caller of a request.
pub(super) struct Caller {
    pub(super) version: Version,
    pub(super) endpoint: Endpoint,
    pub(super) client: Client,
    pub(super) api: Arc<Api>,
    /// Who they are.
    pub(super) identity: Identity,
    json_suffix: bool,
}

impl<S> FromRequestParts<S> for Caller
where
    Arc<Api>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let visit = parts
            .extensions
            .get::<Visit>()
            .ok_or_else(|| Error::internal("a request came in past the envelope"))?;
        let api = Arc::<Api>::from_ref(state);
        // Of whom nobody has found out anything, nothing is known.
        let identity = parts.extensions.get::<Identity>().cloned();
        let identity = identity.unwrap_or_else(Identity::anonymous);
        if let Some(passage) = parts.extensions.get::<Arc<Passage>>() {
            let who = (identity.user_id.clone(), identity.project_id.clone());
            let _ = passage.who.set(who);
        }
        let mut context = RequestContext::default();
        context.request_id.clone_from(&visit.request_id);
        context.user.clone_from(&identity.user_id);
        context.project.clone_from(&identity.project_id);
        context.roles.clone_from(&identity.roles);
        Ok(Self {
            version: visit.version,
            endpoint: visit.endpoint.clone(),
            identity,
            client: api.client.with_context(context),
            json_suffix: visit.json_suffix,
            api,
        })
    }
}

impl Caller {
    /// The node of this uuid or name, whoever asks.
    ///
    /// # Errors
    /// 404 when there is none; before 1.5 no node has a name.
    pub(super) async fn any_node(&self, ident: &str) -> Result<Node, Fault> {
        match self.node_exactly(ident).await {
            // A name may well end in ".json".
            Err(fault) if self.json_suffix && fault.status() == StatusCode::NOT_FOUND => {
                self.node_exactly(&format!("{ident}.json")).await
            }
            other => other,
        }
    }

    async fn node_exactly(&self, ident: &str) -> Result<Node, Fault> {
        let found = match args::parse_uuid(ident) {
            Some(id) => self.client.node(id).await,
            None if self.version.has(since::NODE_NAME) => self.client.find_node(ident).await,
            None => Err(Error::not_found("node", ident)),
        };
        Ok(found?)
    }
}

/// What has a list of its own within something else names that by its uuid alone: under its name
/// there is nothing (404).
pub(super) fn only_uuid(ident: String) -> Result<String, Fault> {
    match args::parse_uuid(&ident) {
        Some(_) => Ok(ident),
        None => Err(Fault::not_found("lists within something name it by uuid")),
    }
}

/// Says 400 rather than 404 for something that the request was not about.
pub(super) fn as_bad_request(error: Error) -> Fault {
    Fault::from(error).of_something_else()
}

/// The uuid or name of a node in a path.
#[derive(Debug)]
pub(super) struct Ident(pub(super) String);

/// What follows a node in a path, and so is no node itself.
const SUBRESOURCES: &[&str] = &[
    "allocation",
    "bios",
    "children",
    "firmware",
    "history",
    "inventory",
    "portgroups",
    "ports",
    "traits",
    "vifs",
    "vmedia",
    "volume",
];

/// What is reached before the node in front of it is looked at, and refuses that itself.
const REACHED_FIRST: &[&str] = &[
    "maintenance",
    "management",
    "states",
    "validate",
    "vendor_passthru",
];

impl<S: Send + Sync> FromRequestParts<S> for Ident {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let ident = path_segment(parts, state, 0).await?;
        let is_ident = args::is_logical_name(&ident) || args::parse_uuid(&ident).is_some();
        let shown: String = ident.chars().take(80).collect();
        let neither = format!("{shown:?} is neither a uuid nor a name");
        let after = parts.uri.path().split('/').nth(3);
        if after.is_some_and(|after| REACHED_FIRST.contains(&after)) {
            return match is_ident {
                true => Ok(Self(ident)),
                false => Err(Fault::bad(neither)),
            };
        }
        if SUBRESOURCES.contains(&ident.as_str()) {
            return Err(Fault::routing(
                StatusCode::NOT_FOUND,
                format!("the node is missing before {ident:?}"),
            ));
        }
        if is_ident {
            return Ok(Self(ident));
        }
        Err(Fault::routing(StatusCode::BAD_REQUEST, neither))
    }
}

/// The uuid or name of a node in a path, and the name of something of it.
#[derive(Debug)]
pub(super) struct NodeAndName(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for NodeAndName {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Ident(ident) = Ident::from_request_parts(parts, state).await?;
        let name = path_segment(parts, state, 1).await?;
        Ok(Self(ident, name))
    }
}

/// The two variable segments of a path, as they are.
#[derive(Debug)]
pub(super) struct Segments(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let first = path_segment(parts, state, 0).await?;
        Ok(Self(first, path_segment(parts, state, 1).await?))
    }
}

/// The variable segment of a path, as it is.
#[derive(Debug)]
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        path_segment(parts, state, 0).await.map(Self)
    }
}

async fn path_segment<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    number: usize,
) -> Result<String, Fault> {
    let wrong = |_| Fault::routing(StatusCode::BAD_REQUEST, "the path is not UTF-8");
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(wrong)?;
    let segment = params.iter().nth(number);
    let segment = segment.map(|(_, value)| value.to_owned());
    segment.ok_or_else(|| Error::internal("a path without a variable segment").into())
}
