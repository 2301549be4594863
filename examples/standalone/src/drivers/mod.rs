//! The drivers that the host has itself; the settings say which of them nodes may have.

use std::sync::Arc;

use ironic_core::agent::{AgentClient, AgentDeploy, AgentPower, AgentRescue, HttpAgentTransport};
use ironic_core::driver::fake::{self, FakeBehaviour, FakeOperation, FakeRule};
use ironic_core::driver::{RegistryBuilder, noop};
use ironic_core::inspection::AgentInspect;
use ironic_core::states::InterfaceKind;
use ironic_core::{Error, OsEntropy};
use ironic_drivers_ipmi::client::IpmiClient;
use ironic_drivers_ipmi::driver::{IpmiConsole, IpmiDriver, register_console};
use ironic_drivers_redfish::{ClientPool, RedfishDriver, ReqwestFactory};
use ironic_pxe::BootServices;

use crate::config::HostConfig;
use crate::host::HostError;
use crate::services;

/// Hardware types whose machines run an agent that is reached over HTTP.
const WITH_AGENTS: [&str; 3] = ["ipmi", "redfish", "manual-management"];

/// What drivers share and a host has to end.
#[derive(Debug)]
pub(crate) struct Shared {
    redfish: Arc<ClientPool>,
}

impl Shared {
    /// Ends the sessions with BMCs.
    pub(crate) async fn close(&self) {
        self.redfish.close().await;
    }
}

/// Whether this process can have HTTP clients, which want cryptography even where none is used.
fn has_tls_provider() -> bool {
    rustls::crypto::CryptoProvider::get_default().is_some()
}

/// Refuses settings that want HTTP clients where there can be none.
pub(crate) fn check(config: &HostConfig) -> Result<(), HostError> {
    let wants_clients =
        wants_agents(config) || services::wanted(config) || config.webhook.is_some();
    if wants_clients && !has_tls_provider() {
        return Err(HostError::NoTlsProvider);
    }
    Ok(())
}

/// What the original's fake machines cannot do, though these could: clients and recordings know
/// them so.
const NOT_OF_FAKE_MACHINES: &[(FakeOperation, &str)] = &[
    (FakeOperation::SetBootMode, "set_boot_mode"),
    (FakeOperation::SetSecureBoot, "set_secure_boot_state"),
    (FakeOperation::InjectNmi, "inject_nmi"),
    (FakeOperation::SetIndicator, "set_indicator_state"),
    (FakeOperation::GetVirtualMedia, "get_virtual_media"),
    (FakeOperation::AttachVirtualMedia, "attach_virtual_media"),
    (FakeOperation::DetachVirtualMedia, "detach_virtual_media"),
];

/// Registers all drivers of the host, those for booting only where boot services are configured.
pub(crate) fn register(
    mut builder: RegistryBuilder,
    config: &HostConfig,
    behaviour: &FakeBehaviour,
    boot: Option<&BootServices>,
) -> Result<(RegistryBuilder, Shared), HostError> {
    builder = if config.drivers.has_hardware_type("fake-hardware") {
        for (kind, delay) in config.fake.delays() {
            for operation in FakeOperation::of(kind) {
                behaviour.add(FakeRule::takes_between(operation, delay.least, delay.most));
            }
        }
        for (operation, extension) in NOT_OF_FAKE_MACHINES {
            let unsupported = Error::Unsupported {
                driver: "fake-hardware".to_owned(),
                extension: (*extension).to_owned(),
            };
            behaviour.add(FakeRule::fails(*operation, unsupported));
        }
        fake::register(builder, behaviour)
    } else {
        noop::register(builder)
    };
    builder = builder.inspect("agent", Arc::new(AgentInspect::default()));
    if has_tls_provider() {
        let transport = Arc::new(HttpAgentTransport::new()?);
        let client = AgentClient::new(transport);
        builder = builder
            .deploy("direct", Arc::new(AgentDeploy::new(client.clone())))
            .power("agent", Arc::new(AgentPower::new(client.clone())))
            .rescue("agent", Arc::new(AgentRescue::new(client)));
    }
    let ipmi = IpmiDriver::new(IpmiClient::new(Arc::new(OsEntropy)));
    builder = ironic_drivers_ipmi::driver::register(builder, &ipmi);
    let console = IpmiConsole::new(config.console.settings(), Arc::new(OsEntropy));
    builder = register_console(builder, console);
    let (redfish, pool) = redfish(config);
    builder = ironic_drivers_redfish::register(builder, &redfish);
    if let Some(services) = boot {
        builder = ironic_pxe::register(builder, services);
    }
    Ok((builder, Shared { redfish: pool }))
}

fn redfish(config: &HostConfig) -> (RedfishDriver, Arc<ClientPool>) {
    let settings = &config.redfish;
    let factory = Arc::new(ReqwestFactory::new());
    let mut pool = ClientPool::new(factory, settings.client_options());
    if let Some(capacity) = settings.connection_cache_size {
        pool = pool.capacity(capacity);
    }
    let pool = Arc::new(pool);
    let mut driver = RedfishDriver::new(Arc::clone(&pool)).defaults(settings.driver_info());
    if let Some(timeout) = settings.power_state_change_timeout {
        driver = driver.power_timeout(timeout.0);
    }
    let (poll, timeout) = settings.firmware_updates();
    driver = driver.firmware_updates(poll, timeout);
    (driver, pool)
}

fn wants_agents(config: &HostConfig) -> bool {
    let deploy = config.drivers.enabled(InterfaceKind::Deploy);
    let direct = deploy.is_some_and(|names| names.iter().any(|name| name == "direct"));
    let types = WITH_AGENTS.iter();
    direct
        || types
            .into_iter()
            .any(|name| config.drivers.has_hardware_type(name))
}
