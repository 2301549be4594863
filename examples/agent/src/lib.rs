//! The ramdisk agent: it runs on a machine that the Bare Metal service wants to inspect, clean
//! or deploy, looks its node up, and carries out the conductor's commands. It speaks the protocol
//! of ironic-python-agent 13.
//!
//! Everything outside is injected, so that any number of agents run in one process, each on a
//! machine of its own:
//!
//! ```
//! use std::sync::Arc;
//!
//! use ironic_agent::{Agent, AgentConfig, FileHardware, NetworkInterface};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let _installed = rustls::crypto::ring::default_provider().install_default();
//! let machine = FileHardware::builder()
//!     .nic(NetworkInterface::new("eth0", "52:54:00:00:00:01").with_ipv4("192.0.2.10"))
//!     .disk("/dev/vda", directory.path().join("vda.img"), 5 << 30)
//!     .build()?;
//! let config = AgentConfig::from_cmdline("ipa-api-url=http://127.0.0.1:1 ipa-listen-port=0")?;
//! let plug = CancellationToken::new();
//! let agent = Agent::builder(config, Arc::new(machine), reqwest::Client::new())
//!     .stop(plug.clone())
//!     .build();
//! let running = tokio::spawn(agent.run());
//! plug.cancel();
//! running.await??;
//! # Ok(())
//! # }
//! ```

mod agent;
mod api;
mod archive;
mod chance;
mod cmdline;
mod command;
mod config;
mod configdrive;
mod fault;
mod hardware;
mod heartbeat;
pub mod hints;
mod image;
mod inspection;
mod journal;
mod node;
mod partition;
mod root_device;
mod server;
mod shared;

pub use agent::{Agent, AgentBuilder, AgentError};
pub use api::ApiError;
pub use cmdline::KernelParams;
pub use command::CommandReport;
pub(crate) use command::MANAGER_VERSION;
pub use config::{AgentConfig, ConfigError, DEFAULT_PORT};
pub use configdrive::{ConfigDrive, MAX_CONFIG_DRIVE_MIB};
pub use fault::{Fault, FaultKind};
pub use hardware::{
    BlockDevice, BootInfo, BootMode, Bootloader, Cpu, Disk, FileDisk, FileHardware,
    FileHardwareBuilder, Firmware, Hardware, HardwareError, Inventory, LinuxHardware, LogFile,
    Memory, NetworkInterface, PciDevice, PowerAction, SystemVendor,
};
pub use node::Node;
pub use root_device::{MIN_ROOT_DISK, guess_root_disk};

/// The version that heartbeats announce: that of the agent whose protocol this is.
pub const VERSION: &str = "13.0.0";
