use super::Command;
use crate::codec::{CodecError, NetFn, PayloadType, Privilege, reader::Reader};

/// The only instance of serial over LAN that every BMC has.
const INSTANCE: u8 = 0x01;
/// Encrypted and authenticated (IPMI 2.0 table 24-2, byte 3).
const PROTECTED: u8 = 0xc0;

/// Activate Payload (IPMI 2.0 §24.1), for serial over LAN, encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActivateSol;

/// How serial over LAN runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SolActivation {
    /// The largest payload that the BMC takes, in bytes.
    pub inbound: u16,
    /// The largest payload that it sends.
    pub outbound: u16,
    /// The UDP port that it is to be spoken to at.
    pub port: u16,
}

impl SolActivation {
    /// Payloads of at most so many bytes, in and out, at that port.
    #[must_use]
    pub const fn new(inbound: u16, outbound: u16, port: u16) -> Self {
        Self {
            inbound,
            outbound,
            port,
        }
    }
}

impl Command for ActivateSol {
    type Response = SolActivation;

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x48;
    const PRIVILEGE: Privilege = Privilege::User;

    // In a second session it would meet the first one's.
    fn is_repeatable(&self) -> bool {
        false
    }

    fn encode(&self) -> Vec<u8> {
        let kind = PayloadType::SerialOverLan.number();
        vec![kind, INSTANCE, PROTECTED, 0, 0, 0]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        decode_sol(data, "activate payload request").map(|()| Self)
    }

    fn encode_response(activation: &SolActivation) -> Vec<u8> {
        let mut out = vec![0; 4];
        out.extend_from_slice(&activation.inbound.to_le_bytes());
        out.extend_from_slice(&activation.outbound.to_le_bytes());
        out.extend_from_slice(&activation.port.to_le_bytes());
        // No VLAN.
        out.extend_from_slice(&[0xff, 0xff]);
        out
    }

    fn decode_response(data: &[u8]) -> Result<SolActivation, CodecError> {
        let mut reader = Reader::new(data, "activate payload response");
        let _auxiliary = reader.u32()?;
        Ok(SolActivation {
            inbound: reader.u16()?,
            outbound: reader.u16()?,
            port: reader.u16()?,
        })
    }
}

/// Deactivate Payload (IPMI 2.0 §24.2), for serial over LAN, in whichever session it is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeactivateSol;

impl Command for DeactivateSol {
    type Response = ();

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x49;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        let kind = PayloadType::SerialOverLan.number();
        vec![kind, INSTANCE, 0, 0, 0, 0]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        decode_sol(data, "deactivate payload request").map(|()| Self)
    }

    fn encode_response((): &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(_data: &[u8]) -> Result<(), CodecError> {
        Ok(())
    }
}

fn decode_sol(data: &[u8], what: &'static str) -> Result<(), CodecError> {
    let mut reader = Reader::new(data, what);
    let [kind, _instance] = reader.array()?;
    let _auxiliary = reader.u32()?;
    reader.finish()?;
    if kind & 0x3f == PayloadType::SerialOverLan.number() {
        return Ok(());
    }
    Err(CodecError::Invalid {
        what: "payload type",
        value: kind.into(),
    })
}
