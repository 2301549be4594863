//! The `redfish` hardware type: what the engine asks for, in Redfish's terms.

mod bmc;
mod error;
mod firmware;
mod hardware;
mod lights;
mod management;
mod mapping;
mod power;
mod properties;
mod restore;
mod subscriptions;
mod vendor;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::Error;
use ironic_core::driver::RegistryBuilder;
use ironic_core::model::Node;

use crate::connection::Connection;
use crate::driver_info::{DriverInfoDefaults, RedfishDriverInfo};
use crate::pool::ClientPool;

pub use firmware::RedfishFirmware;
pub use hardware::RedfishHardware;
pub use management::RedfishManagement;
pub use power::RedfishPower;
pub use vendor::RedfishVendor;

/// The name of the hardware type and of each of its own interfaces.
const NAME: &str = "redfish";

/// What the interfaces of the hardware type share: the clients, and what holds for nodes that do
/// not say themselves. Cheap to clone.
///
/// The pool stays the host's, which closes it when the conductor has stopped.
#[derive(Debug, Clone)]
#[must_use]
pub struct RedfishDriver {
    pool: Arc<ClientPool>,
    defaults: Arc<DriverInfoDefaults>,
    power_patience: Option<Duration>,
    firmware: FirmwareTiming,
}

/// How long firmware updates take.
#[derive(Debug, Clone, Copy)]
struct FirmwareTiming {
    poll: Duration,
    patience: Duration,
}

impl Default for FirmwareTiming {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(60),
            patience: Duration::from_secs(7200),
        }
    }
}

impl RedfishDriver {
    /// A driver that calls BMCs through the clients of `pool`.
    pub fn new(pool: Arc<ClientPool>) -> Self {
        Self {
            pool,
            defaults: Arc::default(),
            power_patience: None,
            firmware: FirmwareTiming::default(),
        }
    }

    /// Sets what holds for nodes that do not say themselves.
    pub fn defaults(mut self, defaults: DriverInfoDefaults) -> Self {
        self.defaults = Arc::new(defaults);
        self
    }

    /// Sets how long a machine may take to reach a power state when nobody says. Default: the
    /// conductor's `power_state_change_timeout`. A reboot that switches off and on has it twice.
    pub const fn power_timeout(mut self, timeout: Duration) -> Self {
        self.power_patience = Some(timeout);
        self
    }

    /// Sets how often a BMC is asked how far an update of firmware is (default: every 60 s), and
    /// how long a step with updates may take (default: 2 h).
    pub const fn firmware_updates(mut self, poll: Duration, timeout: Duration) -> Self {
        self.firmware = FirmwareTiming {
            poll,
            patience: timeout,
        };
        self
    }

    /// The node's `driver_info`, and the connection that it stands for.
    fn settings(&self, node: &Node) -> Result<(RedfishDriverInfo, Connection), Error> {
        let is_path = |path: &str| Path::new(path).exists();
        let info = RedfishDriverInfo::parse(&node.driver_info, &self.defaults, is_path)?;
        let connection = info
            .connection()
            .map_err(|error| Error::invalid(format!("driver_info cannot be used: {error}")))?;
        Ok((info, connection))
    }
}

/// Registers the hardware type `redfish` and its own interfaces; enables nothing.
///
/// ```
/// use std::sync::Arc;
///
/// use ironic_core::driver::Registry;
/// use ironic_drivers_redfish::{ClientOptions, ClientPool, RedfishDriver, register};
/// # use ironic_drivers_redfish::{HttpError, HttpTransport, TlsSettings, TransportFactory};
/// # #[derive(Debug)]
/// # struct Factory;
/// # impl TransportFactory for Factory {
/// #     fn transport(&self, _: &TlsSettings) -> Result<Arc<dyn HttpTransport>, HttpError> {
/// #         Err(HttpError::Timeout)
/// #     }
/// # }
/// # let factory = Factory;
///
/// let pool = Arc::new(ClientPool::new(Arc::new(factory), ClientOptions::new()));
/// let driver = RedfishDriver::new(Arc::clone(&pool));
/// let builder = register(Registry::builder(), &driver).enable_hardware_types(["redfish"]);
/// // What boots and deploys comes from elsewhere.
/// let error = builder.build().unwrap_err();
/// assert!(error.to_string().contains("bios"), "{error}");
/// ```
pub fn register(builder: RegistryBuilder, driver: &RedfishDriver) -> RegistryBuilder {
    builder
        .hardware(Arc::new(RedfishHardware))
        .power(NAME, Arc::new(RedfishPower::new(driver)))
        .management(NAME, Arc::new(RedfishManagement::new(driver)))
        .firmware(NAME, Arc::new(RedfishFirmware::new(driver)))
        .vendor(NAME, Arc::new(RedfishVendor::new(driver)))
}
