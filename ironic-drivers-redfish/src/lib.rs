//! A tolerant Redfish client, and the redfish hardware type of ironic-core.

mod base_url;
mod client;
mod connection;
mod error;
mod http;
mod model;
mod pool;

pub use base_url::BaseUrl;
pub use client::{Client, ClientOptions, Reply, Resource, Until};
pub use connection::{AuthMethod, Connection, DEFAULT_ROOT};
pub use error::{ErrorMessage, ExtendedError, RedfishError, StatusError};
pub use http::{
    DEFAULT_BODY_LIMIT, HttpError, HttpRequest, HttpResponse, HttpTransport, TlsSettings, TlsVersion, TrustAnchor,
};
#[cfg(feature = "reqwest")]
pub use http::{ReqwestFactory, ReqwestTransport};
pub use model::{
    Action, ActionInfo, ActionParameter, Boot, BootSource, Collection, ComputerSystem, EthernetInterface, IndicatorLed,
    Link, MemorySummary, OverrideEnabled, OverrideMode, PowerState, ProcessorSummary, ResetType, SecureBoot,
    ServiceRoot, ServiceRootLinks, Settings, Status, SystemActions, SystemLinks, Task,
};
pub use pool::{ClientPool, TransportFactory};
