use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::driver::{Console, ConsoleInfo, Interface, Properties, SharedTask, Task};
use ironic_core::{Entropy, Error, Uuid};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connection::{Target, properties, terminal};
use super::console_bridge::Bridge;
use super::{DriverInfo, IpmiDriver};

/// Where the port is kept that was found for a console.
const ALLOCATED: &str = "allocated_ipmi_terminal_port";

/// How many bytes the kernel keeps for a connection.
const SEND_BUFFER: u32 = 16 * 1024;
/// How many connections wait for their turn.
const WAITING: u32 = 16;

/// Where consoles are reached.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConsoleSettings {
    /// The address that consoles listen at. Default 127.0.0.1: who connects has the machine's
    /// console without being asked who he is.
    pub address: IpAddr,
    /// The TCP ports for nodes that name none. Default none: then every node has to.
    pub ports: Vec<RangeInclusive<u16>>,
    /// After how long without a character either way a connection is closed; zero is never.
    /// Default 600 s.
    pub idle_timeout: Duration,
    /// After how long a connection is closed on which nothing of what the machine says is read;
    /// zero is never. Default 10 s: about as long as BMCs offer the same characters again.
    pub unread_timeout: Duration,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            ports: Vec::new(),
            idle_timeout: Duration::from_secs(600),
            unread_timeout: Duration::from_secs(10),
        }
    }
}

/// The console interface `ipmitool-socat`: serial over LAN, bridged to a TCP port.
///
/// One connection is served at a time, and serial over LAN is active as long as it is there.
pub struct IpmiConsole {
    settings: ConsoleSettings,
    entropy: Arc<dyn Entropy>,
    running: Mutex<BTreeMap<Uuid, Running>>,
}

struct Running {
    port: u16,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    /// A conductor that is dropped has nobody left to wait for the bridge.
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

impl std::fmt::Debug for IpmiConsole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IpmiConsole")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl IpmiConsole {
    /// Consoles where the settings say. They have sessions of their own with their BMCs, which
    /// draw from `entropy`.
    pub fn new(settings: ConsoleSettings, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            settings,
            entropy,
            running: Mutex::default(),
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Uuid, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens at the node's port, or at the first that is free.
    fn listen(&self, info: &DriverInfo) -> Result<(TcpListener, bool), Error> {
        let address = self.settings.address;
        if let Some(port) = info.terminal_port {
            let listening = bind(SocketAddr::new(address, port)).map_err(|error| {
                Error::driver(
                    "ipmitool-socat",
                    format!("port {port} of {address}: {error}"),
                )
            })?;
            return Ok((listening, false));
        }
        for port in self.settings.ports.iter().cloned().flatten() {
            if let Ok(listening) = bind(SocketAddr::new(address, port)) {
                return Ok((listening, true));
            }
        }
        Err(Error::driver(
            "ipmitool-socat",
            format!("none of the ports for consoles is free at {address}"),
        ))
    }

    async fn end(&self, node: Uuid) {
        let ended = self.running().remove(&node);
        let Some(mut running) = ended else { return };
        let _ = running.stop.send(true);
        // It tells the BMC, and bounds how long that may take.
        if let Err(error) = (&mut running.task).await {
            tracing::warn!(%node, %error, "the console ended early");
        }
    }
}

/// Listens for connections that are served one at a time. They have small buffers: that nobody
/// reads is to be noticed before the kernel has taken megabytes.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Those of before may still be on their way out.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

#[async_trait]
impl Interface for IpmiConsole {
    fn properties(&self) -> Properties {
        let mut properties = properties();
        properties.insert(
            "ipmi_terminal_port".to_owned(),
            "TCP port of the node's console. Required unless ports for consoles are configured"
                .to_owned(),
        );
        properties
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        let info = terminal(task)?;
        if info.terminal_port.is_none() && self.settings.ports.is_empty() {
            return Err(Error::missing(
                "driver_info lacks ipmi_terminal_port, and no ports for consoles are configured",
            ));
        }
        IpmiDriver::validate(task)
    }
}

#[async_trait]
impl Console for IpmiConsole {
    async fn start(&self, task: &mut Task) -> Result<(), Error> {
        self.validate(task).await?;
        let node = task.node_id();
        let alive = |running: &Running| !running.task.is_finished();
        if self.running().get(&node).is_some_and(alive) {
            return Ok(());
        }
        self.end(node).await;
        // A port that was found before may be somebody else's by now.
        task.node_mut().set_internal(ALLOCATED, Value::Null);
        let info = terminal(task)?;
        let (listener, allocated) = self.listen(&info)?;
        let address = listener.local_addr().map_err(|error| {
            Error::driver("ipmitool-socat", format!("the console's port: {error}"))
        })?;
        let port = address.port();
        let (stop, stopped) = watch::channel(false);
        let bridge = Bridge {
            node,
            listener,
            target: Target::of(task)?,
            entropy: Arc::clone(&self.entropy),
            idle_timeout: self.settings.idle_timeout,
            unread_timeout: self.settings.unread_timeout,
            stopped,
        };
        let running = Running {
            port,
            stop,
            task: tokio::spawn(bridge.run()),
        };
        self.running().insert(node, running);
        if allocated {
            task.node_mut().set_internal(ALLOCATED, port.into());
        }
        tracing::info!(%node, %address, "the console listens");
        Ok(())
    }

    async fn stop(&self, task: &mut Task) -> Result<(), Error> {
        self.end(task.node_id()).await;
        task.node_mut().set_internal(ALLOCATED, Value::Null);
        Ok(())
    }

    async fn get(&self, task: &SharedTask) -> Result<ConsoleInfo, Error> {
        let running = self.running();
        let port = running.get(&task.node().uuid).map(|running| running.port);
        let port = match port {
            Some(port) => port,
            None => terminal(task)?
                .terminal_port
                .ok_or_else(|| Error::driver("ipmitool-socat", "the console does not run here"))?,
        };
        let address = SocketAddr::new(self.settings.address, port);
        Ok(ConsoleInfo::new("socat", format!("tcp://{address}")))
    }
}
