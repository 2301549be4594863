use std::net::SocketAddr;

use ironic_core::driver::{Properties, SharedTask};
use ironic_core::governor::BmcEndpoint;
use ironic_core::model::lenient::{integer, is_truthy, text};
use ironic_core::{Error, Secret};
use tokio::time::Instant;

use super::error::{engine_error, out_of_time};
use super::{DriverInfo, ProtocolVersion};
use crate::client::{Bmc, Endpoint, IpmiClient, RMCP_PORT};
use crate::codec::CipherSuite;
use crate::console::{ConsoleConfig, IpmiError};
use crate::{Key, MAX_KEY};

/// What the IPMI interfaces share: one client, and so one socket, for all machines.
#[derive(Debug, Clone)]
pub struct IpmiDriver {
    client: IpmiClient,
}

impl IpmiDriver {
    /// Interfaces over this client.
    pub fn new(client: IpmiClient) -> Self {
        Self { client }
    }

    /// Checks the node's `driver_info` without a look at the network.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] or [`Error::InvalidParameter`] that name the member at fault.
    pub(super) fn validate(task: &SharedTask) -> Result<(), Error> {
        let info = parse(task)?;
        let address = SocketAddr::from(([127, 0, 0, 1], RMCP_PORT));
        endpoint(&info, address).map(|_| ())
    }

    /// Carries out a command, under a permit and within its time.
    pub(super) async fn ask<T>(
        &self,
        task: &SharedTask,
        command: impl AsyncFnOnce(Bmc) -> Result<T, IpmiError>,
    ) -> Result<T, Error> {
        let mut line = self.line(task)?;
        let answer = line.ask(command).await?;
        answer.map_err(|error| line.error(&error))
    }

    /// A line to the node's BMC, for many commands; nothing is sent yet.
    pub(super) fn line<'task>(&self, task: &'task SharedTask) -> Result<Line<'task>, Error> {
        let info = parse(task)?;
        let (host, port) = (text(&info.address), info.port.unwrap_or(RMCP_PORT));
        Ok(Line {
            task,
            client: self.client.clone(),
            name: format!("{host}:{port}"),
            info,
            host,
            port,
            bmc: None,
        })
    }
}

/// A line to a node's BMC, for the time of one operation.
///
/// A permit is had for each command and not for the whole: others get their turn in between, and
/// no command outlasts the lease.
pub(super) struct Line<'task> {
    task: &'task SharedTask,
    client: IpmiClient,
    info: DriverInfo,
    host: String,
    port: u16,
    name: String,
    /// Once its name has been resolved.
    bmc: Option<Bmc>,
}

impl Line<'_> {
    /// The BMC's name, with its port.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Carries out a command, under a permit and within its time. The inner error is what the BMC
    /// says, for a caller who looks at it.
    pub(super) async fn ask<T>(
        &mut self,
        command: impl AsyncFnOnce(Bmc) -> Result<T, IpmiError>,
    ) -> Result<Result<T, IpmiError>, Error> {
        let permit = self.task.bmc_permit(&BmcEndpoint::new(&self.name)).await?;
        let bmc = match &self.bmc {
            Some(bmc) => bmc.clone(),
            None => {
                let address = resolve(&self.host, self.port).await?;
                let bmc = self.client.bmc(endpoint(&self.info, address)?);
                self.bmc.insert(bmc).clone()
            }
        };
        let began = Instant::now();
        let answer = tokio::time::timeout_at(permit.deadline(), command(bmc)).await;
        answer.map_err(|_| out_of_time(&self.name, began.elapsed()))
    }

    /// What the engine makes of an error of this BMC's.
    pub(super) fn error(&self, error: &IpmiError) -> Error {
        engine_error(&self.name, error)
    }
}

fn parse(task: &SharedTask) -> Result<DriverInfo, Error> {
    let node = task.node();
    let allocated = node
        .driver_internal_info
        .get("allocated_ipmi_terminal_port");
    let info = DriverInfo::parse(&node.driver_info, allocated, false)?;
    if info.protocol == ProtocolVersion::V1_5 {
        return Err(Error::invalid(
            "driver_info/ipmi_protocol_version 1.5 is not supported: BMCs are spoken to in IPMI 2.0",
        ));
    }
    if info.bridging.is_some() {
        return Err(Error::invalid("driver_info/ipmi_bridging is not supported"));
    }
    Ok(info)
}

/// What a node says of its console.
pub(super) fn terminal(task: &SharedTask) -> Result<DriverInfo, Error> {
    parse(task)
}

/// A BMC to be spoken to without a task, as somebody at a console does.
pub(super) struct Target {
    info: DriverInfo,
}

impl Target {
    pub(super) fn of(task: &SharedTask) -> Result<Self, Error> {
        let info = parse(task)?;
        Ok(Self { info })
    }

    /// Where it is now, and how sessions with it are opened.
    pub(super) async fn resolve(&self) -> Result<(SocketAddr, ConsoleConfig), Error> {
        let port = self.info.port.unwrap_or(RMCP_PORT);
        let address = resolve(&text(&self.info.address), port).await?;
        Ok((address, endpoint(&self.info, address)?.config))
    }
}

fn endpoint(info: &DriverInfo, address: SocketAddr) -> Result<Endpoint, Error> {
    let username = info.username.as_ref().map(text).unwrap_or_default();
    let refused = |error: IpmiError| {
        let key = match &error {
            IpmiError::TooLong { what, .. } if *what == "password" => "/ipmi_password",
            IpmiError::TooLong { .. } => "/ipmi_username",
            _ => "",
        };
        Error::invalid(format!("driver_info{key}: {error}"))
    };
    let mut endpoint = Endpoint::new(address, &username, &info.password)
        .map_err(refused)?
        .privilege(info.privilege);
    if let Some(suite) = info.cipher_suite.as_ref().filter(|suite| is_truthy(suite)) {
        let suite = match integer(suite) {
            Some(3) => CipherSuite::Sha1Aes128,
            Some(17) => CipherSuite::Sha256Aes128,
            _ => {
                return Err(Error::invalid(
                    "driver_info/ipmi_cipher_suite must be 3 or 17: no other suite is secure",
                ));
            }
        };
        endpoint = endpoint.suite(suite);
    }
    if let Some(digits) = &info.hex_bmc_key {
        endpoint = endpoint.bmc_key(bmc_key(&Secret::new(text(digits.expose())))?);
    }
    Ok(endpoint)
}

/// A BMC key of hexadecimal digits.
fn bmc_key(digits: &Secret<String>) -> Result<Key, Error> {
    let wrong = || {
        Error::invalid(format!(
            "driver_info/ipmi_hex_kg_key must have {} hexadecimal digits",
            MAX_KEY * 2
        ))
    };
    let digits = digits.expose().as_bytes();
    if digits.len() != MAX_KEY * 2 {
        return Err(wrong());
    }
    let mut key = Vec::with_capacity(MAX_KEY);
    for pair in digits.chunks(2) {
        let byte = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2);
        key.push(
            byte.and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or_else(wrong)?,
        );
    }
    Key::new(&key).map_err(|_| wrong())
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr, Error> {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = plain.parse() {
        return Ok(SocketAddr::new(ip, port));
    }
    let unknown = |message: String| Error::Unreachable {
        what: format!("BMC {host}"),
        message,
    };
    let mut found = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| unknown(error.to_string()))?;
    found
        .next()
        .ok_or_else(|| unknown("its name has no address".to_owned()))
}

/// The members of `driver_info` that the interfaces read.
pub(super) fn properties() -> Properties {
    [
        ("ipmi_address", "host name or IP address of the BMC. Required"),
        ("ipmi_port", "UDP port of the BMC. Default 623"),
        ("ipmi_username", "user name, at most 16 bytes. Default: the null user"),
        ("ipmi_password", "password, at most 20 bytes"),
        ("ipmi_hex_kg_key", "BMC key (K_g), 40 hexadecimal digits. Default: none"),
        ("ipmi_priv_level", "privilege level of the session: ADMINISTRATOR, OPERATOR, USER, CALLBACK. Default ADMINISTRATOR"),
        ("ipmi_cipher_suite", "cipher suite, 3 or 17. Default: 17, or 3 where the BMC does not speak that"),
        ("ipmi_protocol_version", "only 2.0, which is the default"),
        ("ipmi_force_boot_device", "whether the boot device is set again before each power on, for BMCs that forget it. Default false"),
        ("ipmi_disable_boot_timeout", "whether the BMC is told to keep the boot device however long the next boot takes. Default true"),
    ]
    .into_iter()
    .map(|(key, text)| (key.to_owned(), text.to_owned()))
    .collect()
}
