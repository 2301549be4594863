//! Bytes to values and back: no sessions, no time, no I/O.

mod completion;
mod error;
mod message;
pub(crate) mod packet;
mod privilege;
mod rakp;
pub(crate) mod reader;
pub(crate) mod rmcp;
mod sol;
mod status;
mod suite;

pub use completion::CompletionCode;
pub use error::CodecError;
pub use message::{NetFn, RequestMessage, ResponseMessage};
pub use packet::{Packet, PayloadType, ProtectedPacket, encode_outside, encode_plain};
pub use privilege::Privilege;
pub use rakp::{
    BmcProof, MAX_USERNAME, OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, RakpCode, Role,
    SessionGrant,
};
pub use rmcp::Rmcp;
pub use sol::SolPacket;
pub use status::SessionStatus;
pub use suite::{Algorithms, CipherSuite};
