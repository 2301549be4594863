//! The ramdisk's agent: its command API, and the interfaces that work through it.

mod client;
mod command;
mod direct;
mod fast_track;
#[cfg(feature = "http")]
mod http;
mod image_info;
mod image_proxies;
mod power;
mod ramdisk;
mod rescue;
mod steps;
mod tear_down;
mod transport;

pub use client::AgentClient;
pub use command::{AgentCommand, CommandStatus};
pub use direct::AgentDeploy;
pub use fast_track::is_fast_track;
#[cfg(feature = "http")]
pub use http::HttpAgentTransport;
pub use power::AgentPower;
pub use ramdisk::ramdisk_params;
pub(crate) use ramdisk::{boot as boot_ramdisk, booting as booting_ramdisk, stopping};
pub use rescue::AgentRescue;
pub use transport::{AgentAnswer, AgentRequest, AgentTransport};
