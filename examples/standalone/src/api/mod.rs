//! The Bare Metal REST API, as the original serves it: names, versions, answers, refusals.
//!
//! A request goes through one envelope (request id, version, path), then to its resource; every
//! resource reads its arguments, pages its lists, chooses fields by version and refuses in the
//! same way.

mod allocations;
pub mod args;
mod arguments;
mod caller;
mod chassis;
mod conductors;
mod deploy_templates;
mod document;
mod drivers;
mod envelope;
mod events;
mod fault;
mod fields;
mod healthcheck;
mod inspection_rules;
pub mod link_connection;
mod links;
pub mod network_data;
mod nodes;
mod paging;
mod passage;
pub mod patch;
mod permission;
mod portgroups;
mod ports;
mod ramdisk;
mod records;
mod root;
mod runbooks;
pub mod schema;
mod shards;
mod vendor_passthru;
mod version;
mod volume;

pub use arguments::BodyLimits;
pub use fault::Fault;
pub use healthcheck::Healthcheck;
pub use nodes::{Steps, is_reserved_node_name, is_valid_node_name, parse_steps};
pub(crate) use passage::{Passage, has_body};
pub use version::{Version, since};

use std::sync::Arc;

use axum::{Extension, Router};
use http::Method;
use ironic_core::client::Client;
use ironic_core::driver::Registry;
use ironic_core::model::{Allocation, Chassis, InspectionRule, Portgroup};
use ironic_core::steps::{DeployTemplate, Runbook};
use ironic_core::{Entropy, OsEntropy};
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::util::MapRequestLayer;

use crate::access::{Authorizer, Identity, Policies};

use document::{Docs, Routes, Shape, about, get, shows};

/// How the API answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiSettings {
    /// Where clients reach the service, for links in answers. Default: where the request says
    /// that it went.
    pub public_endpoint: Option<String>,
    /// Whether clients speak TLS with the service, for links in answers. Default false.
    pub tls: bool,
    /// How many items a list has at most, and without a limit. Default 1000, at least 1.
    pub max_limit: u32,
    /// Whether `/openapi.json` and `/docs` tell everybody what there is. Default true.
    pub docs: bool,
    /// The resource class of nodes that are enrolled without one. Default: none.
    pub default_resource_class: Option<String>,
    /// The conductor group of nodes that are enrolled without one. Default: the empty group.
    pub default_conductor_group: Option<String>,
    /// Whether projects enrol nodes of their own and remove them, as far as policies allow it.
    /// Default true.
    pub projects_manage_own_nodes: bool,
    /// How large and how deep bodies may be.
    pub bodies: BodyLimits,
    /// Whether and how the service says that it is well.
    pub healthcheck: Healthcheck,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            public_endpoint: None,
            tls: false,
            max_limit: 1000,
            docs: true,
            default_resource_class: None,
            default_conductor_group: None,
            projects_manage_own_nodes: true,
            bodies: BodyLimits::default(),
            healthcheck: Healthcheck::default(),
        }
    }
}

/// What the resources share.
pub(crate) struct Api {
    client: Client,
    registry: Arc<Registry>,
    settings: ApiSettings,
    entropy: Arc<dyn Entropy>,
    docs: Docs,
    authorizer: Arc<dyn Authorizer>,
    /// Turns at putting long lists together.
    long_lists: Semaphore,
    /// Turns at taking long bodies apart.
    long_bodies: Arc<Semaphore>,
}

/// From how many items on a list is a long one.
const LONG_LIST: usize = 250;

/// How many long lists are put together at a time. Each takes memory as long as it lasts, and more
/// of them than there are processors would only last longer.
const LONG_LISTS: usize = 2;

/// How many long bodies are taken apart at a time: in memory each may be thirty times as large.
const LONG_BODIES: usize = 2;

impl Api {
    /// Waits for a turn at putting a list of so many items together; a short one needs none.
    async fn turn(&self, items: usize) -> Option<SemaphorePermit<'_>> {
        if items < LONG_LIST {
            return None;
        }
        // It is never closed.
        self.long_lists.acquire().await.ok()
    }
}

/// The API over this client, for everybody: nobody has to say who they are. The registry tells
/// what drivers there are.
pub fn router(client: Client, registry: Arc<Registry>, settings: ApiSettings) -> Router {
    let policies = Arc::new(Policies::default());
    let router = guarded_router(client, registry, settings, policies);
    router.layer(Extension(Identity::trusted()))
}

/// The API over this client, for whom the authorizer lets through. Whatever stands before it puts
/// into each request's extensions the [`Identity`] of who asks, or an
/// [`Access`](crate::access::Access), by which that is found out; who has none is nobody, and may
/// do what policies let everybody do.
pub fn guarded_router(
    client: Client,
    registry: Arc<Registry>,
    settings: ApiSettings,
    authorizer: Arc<dyn Authorizer>,
) -> Router {
    let (resources, operations) = resources().into_parts();
    let operations = operations.into_iter().map(|one| one.beneath("/v1"));
    let (besides, unversioned) = besides(&settings).into_parts();
    let operations = operations.chain(unversioned).collect();
    let api = Arc::new(Api {
        client,
        registry,
        docs: Docs::new(operations, settings.public_endpoint.clone()),
        settings,
        entropy: Arc::new(OsEntropy),
        authorizer,
        long_lists: Semaphore::new(LONG_LISTS),
        long_bodies: Arc::new(Semaphore::new(LONG_BODIES)),
    });
    let resources = resources
        .fallback(root::no_such_path)
        .method_not_allowed_fallback(root::no_such_method)
        .layer(MapRequestLayer::new(passage::note_route))
        .with_state(Arc::clone(&api));
    let envelope = envelope::Envelope {
        api: Arc::clone(&api),
        resources,
    };
    besides
        .with_state(api)
        .fallback_service(Router::new().fallback(envelope::serve).with_state(envelope))
}

/// What has versions, by paths without `/v1`.
fn resources() -> Routes {
    let document = Shape::Object;
    Routes::of("Service")
        .route(
            "/",
            get(
                root::v1,
                about("Tells what this version has.", shows(document)).public(),
            ),
        )
        .merge(nodes::routes())
        .merge(ports::routes())
        .merge(drivers::routes())
        .merge(conductors::routes())
        .merge(records::routes::<Allocation>())
        .merge(allocations::routes())
        .merge(records::routes::<Chassis>())
        .merge(chassis::routes())
        .merge(records::routes::<DeployTemplate>())
        .merge(records::routes::<InspectionRule>())
        .merge(records::routes::<Portgroup>())
        .merge(portgroups::routes())
        .merge(records::routes::<Runbook>())
        .merge(runbooks::traits())
        .merge(volume::routes())
        .merge(vendor_passthru::routes())
        .merge(shards::routes())
        .merge(events::routes())
        .merge(ramdisk::routes())
}

/// What has none.
fn besides(settings: &ApiSettings) -> Routes {
    let versions = about("Tells which versions there are.", shows(Shape::Object));
    let health = about(
        "Tells whether the service is well.",
        shows(Shape::PLAIN_TEXT),
    );
    let mut routes = Routes::of("Service").told(Method::GET, "/", versions.public());
    if settings.healthcheck.enabled {
        routes = routes.route("/healthcheck", get(healthcheck::serve, health.public()));
    }
    match settings.docs {
        true => routes.merge(document::docs()),
        false => routes,
    }
}
