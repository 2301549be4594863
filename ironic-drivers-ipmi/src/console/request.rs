use super::IpmiError;
use crate::{
    codec::{NetFn, Privilege},
    command::Command,
};

/// A command with its data, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The network function.
    pub net_fn: NetFn,
    /// The BMC's logical unit that is asked, 0 to 3.
    pub lun: u8,
    /// The command's number.
    pub command: u8,
    /// The command's data.
    pub data: Vec<u8>,
    /// The privilege level it takes.
    pub privilege: Privilege,
    /// Whether running it twice does no more than running it once.
    pub repeatable: bool,
}

impl Request {
    /// A command that this crate has no type for: at administrator level, and never run twice.
    #[must_use]
    pub fn raw(net_fn: NetFn, command: u8, data: &[u8]) -> Self {
        Self {
            net_fn,
            lun: 0,
            command,
            data: data.to_vec(),
            privilege: Privilege::Administrator,
            repeatable: false,
        }
    }

    /// A typed command.
    #[must_use]
    pub fn of<C: Command>(command: &C) -> Self {
        Self {
            net_fn: C::NET_FN,
            lun: 0,
            command: C::NUMBER,
            data: command.encode(),
            privilege: C::PRIVILEGE,
            repeatable: command.is_repeatable(),
        }
    }
}

/// Stands for a request until its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Which request.
    pub id: RequestId,
    /// The response's data, completion code excluded.
    pub result: Result<Vec<u8>, IpmiError>,
}
