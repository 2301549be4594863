//! A tolerant Redfish client, and the redfish hardware type of ironic-core.
//!
//! [`Client`] speaks to one BMC over an [`HttpTransport`] that the host injects
//! (`ReqwestTransport`, feature `reqwest`, is one); [`System`] is a machine behind it, with one
//! method for each thing that is asked of machines. [`ClientPool`] keeps one client, and with it
//! one session, per BMC and account. Standards: DSP0266 (the protocol) and DSP0268 (the schema).
//!
//! [`register`] makes the hardware type known to an engine; every request that its interfaces send
//! has a permit of the engine's governor.
//!
//! BMCs differ, so nothing is demanded of a resource but that it is a JSON object: members may be
//! absent or of another type, and those that are not known are kept. Links are followed on the
//! BMC's own authority only.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use http::{HeaderMap, StatusCode};
//! use ironic_drivers_redfish::{
//!     Client, ClientOptions, Connection, HttpError, HttpRequest, HttpResponse, HttpTransport, PowerState, System,
//! };
//!
//! /// A BMC that knows one machine.
//! #[derive(Debug)]
//! struct OneMachine;
//!
//! #[async_trait]
//! impl HttpTransport for OneMachine {
//!     async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
//!         let body = match request.url.path() {
//!             "/redfish/v1/" => r#"{"Systems": {"@odata.id": "/redfish/v1/Systems"}}"#,
//!             "/redfish/v1/Systems" => r#"{"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]}"#,
//!             _ => r#"{"Id": "1", "Manufacturer": "Contoso", "PowerState": "On"}"#,
//!         };
//!         Ok(HttpResponse::new(StatusCode::OK, HeaderMap::new(), body))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ironic_drivers_redfish::RedfishError> {
//! let connection = Connection::new("https://bmc.example.org")?;
//! let client = Arc::new(Client::new(connection, Arc::new(OneMachine), ClientOptions::new())?);
//! let mut system = System::find(&client, None).await?;
//! assert_eq!(system.power_state().await?, PowerState::On);
//! assert_eq!(system.asset_info().manufacturer.as_deref(), Some("Contoso"));
//! client.close().await;
//! # Ok(())
//! # }
//! ```

mod base_url;
mod client;
mod connection;
mod driver;
mod driver_info;
mod error;
mod http;
mod model;
mod pool;
mod system;

pub use base_url::BaseUrl;
pub use client::{Client, ClientOptions, Look, Reply, Resource, Until};
pub use connection::{AuthMethod, Connection, DEFAULT_ROOT};
pub use driver::{
    RedfishDriver, RedfishFirmware, RedfishHardware, RedfishManagement, RedfishPower,
    RedfishVendor, register,
};
pub use driver_info::{
    DriverInfoDefaults, DriverInfoError, FirmwareComponentType, RedfishDriverInfo, VerifyCa,
};
pub use error::{ErrorMessage, ExtendedError, RedfishError, StatusError};
pub use http::{
    DEFAULT_BODY_LIMIT, HttpError, HttpRequest, HttpResponse, HttpTransport, TlsSettings,
    TlsVersion, TrustAnchor,
};
#[cfg(feature = "reqwest")]
pub use http::{ReqwestFactory, ReqwestTransport};
pub use model::{
    Action, ActionInfo, ActionParameter, Boot, BootSource, Collection, ComputerSystem,
    EthernetInterface, IndicatorLed, Link, MemorySummary, OverrideEnabled, OverrideMode,
    PowerState, ProcessorSummary, ResetType, SecureBoot, ServiceRoot, ServiceRootLinks, Settings,
    Status, SystemActions, SystemLinks, Task,
};
pub use pool::{ClientPool, TransportFactory};
pub use system::{
    AssetInfo, BootRequest, BootState, BootVendor, FirmwareVersion, Light, ModeChange, Persistence,
    SecureBootChange, System, VirtualMedia,
};
