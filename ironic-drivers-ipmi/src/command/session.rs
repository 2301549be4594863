use super::Command;
use crate::codec::{CodecError, NetFn, Privilege, reader::Reader};

/// Set Session Privilege Level (IPMI 2.0 §22.18); `None` asks for the present level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSessionPrivilege(
    /// The level to change to.
    pub Option<Privilege>,
);

impl SetSessionPrivilege {
    /// A request for that level.
    #[must_use]
    pub const fn new(level: Privilege) -> Self {
        Self(Some(level))
    }
}

impl Command for SetSessionPrivilege {
    type Response = Privilege;

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x3b;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        vec![self.0.map_or(0, Privilege::number)]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "set session privilege level request");
        let level = match reader.u8()? & 0x0f {
            0 => None,
            number => Some(Privilege::from_number(number)?),
        };
        reader.finish()?;
        Ok(Self(level))
    }

    fn encode_response(level: &Privilege) -> Vec<u8> {
        vec![level.number()]
    }

    fn decode_response(data: &[u8]) -> Result<Privilege, CodecError> {
        Privilege::from_number(
            Reader::new(data, "set session privilege level response").u8()? & 0x0f,
        )
    }
}

/// Close Session (IPMI 2.0 §22.19), by the BMC's session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseSession(
    /// The BMC's id for the session.
    pub u32,
);

impl CloseSession {
    /// A request to close that session.
    #[must_use]
    pub const fn new(session: u32) -> Self {
        Self(session)
    }
}

impl Command for CloseSession {
    type Response = ();

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x3c;
    const PRIVILEGE: Privilege = Privilege::Callback;

    fn encode(&self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        // A session handle may follow an id of zero; sessions here are closed by id.
        Ok(Self(Reader::new(data, "close session request").u32()?))
    }

    fn encode_response((): &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(_data: &[u8]) -> Result<(), CodecError> {
        Ok(())
    }
}
