//! Session packets: IPMI 1.5 without authentication, as commands before a session travel (IPMI 2.0 §13.6), and
//! RMCP+ (§13.6, table 13-8).

use super::{CodecError, reader::Reader, rmcp::ipmi_header};

const FORMAT_NONE: u8 = 0x00;
const FORMAT_RMCP_PLUS: u8 = 0x06;
const ENCRYPTED: u8 = 0x80;
const AUTHENTICATED: u8 = 0x40;
/// The only value of the trailer's next header field.
pub(crate) const NEXT_HEADER: u8 = 0x07;

/// What an RMCP+ packet carries (IPMI 2.0 table 13-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PayloadType {
    /// An IPMI message.
    Ipmi,
    /// Serial over LAN.
    SerialOverLan,
    /// Open Session Request.
    OpenSessionRequest,
    /// Open Session Response.
    OpenSessionResponse,
    /// RAKP message 1.
    Rakp1,
    /// RAKP message 2.
    Rakp2,
    /// RAKP message 3.
    Rakp3,
    /// RAKP message 4.
    Rakp4,
}

impl PayloadType {
    const ALL: [Self; 8] = [
        Self::Ipmi,
        Self::SerialOverLan,
        Self::OpenSessionRequest,
        Self::OpenSessionResponse,
        Self::Rakp1,
        Self::Rakp2,
        Self::Rakp3,
        Self::Rakp4,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipmi => 0x00,
            Self::SerialOverLan => 0x01,
            Self::OpenSessionRequest => 0x10,
            Self::OpenSessionResponse => 0x11,
            Self::Rakp1 => 0x12,
            Self::Rakp2 => 0x13,
            Self::Rakp3 => 0x14,
            Self::Rakp4 => 0x15,
        }
    }

    fn from_number(number: u8) -> Result<Self, CodecError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.number() == number)
            .ok_or(CodecError::Invalid {
                what: "payload type",
                value: number.into(),
            })
    }
}

/// One packet of either format, its protection not yet undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// IPMI 1.5 without authentication: an IPMI message outside a session.
    Plain(&'a [u8]),
    /// RMCP+ outside a session: the session id and the sequence number are zero.
    Outside {
        /// What it carries.
        kind: PayloadType,
        /// The payload.
        payload: &'a [u8],
    },
    /// RMCP+ inside a session.
    Inside(ProtectedPacket<'a>),
}

/// An RMCP+ packet of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectedPacket<'a> {
    /// What it carries.
    pub kind: PayloadType,
    /// Whether the payload is encrypted.
    pub encrypted: bool,
    /// Whether a trailer with an authentication code follows.
    pub authenticated: bool,
    /// The receiver's session id.
    pub session: u32,
    /// The sender's sequence number.
    pub sequence: u32,
    /// The payload as it travels.
    pub payload: &'a [u8],
    /// From the format byte to the packet's end; the authentication code covers all of it but itself.
    pub(crate) whole: &'a [u8],
    /// How much of `whole` header and payload are.
    pub(crate) unpadded: usize,
}

impl<'a> Packet<'a> {
    /// Reads what follows an RMCP header of class IPMI.
    ///
    /// # Errors
    /// It is neither format, carries an unknown payload, or ends early.
    pub fn decode(packet: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(packet, "session packet");
        match reader.u8()? {
            FORMAT_NONE => {
                let _sequence = reader.u32()?;
                let session = reader.u32()?;
                if session != 0 {
                    return Err(CodecError::Invalid {
                        what: "session id of an unauthenticated packet",
                        value: session,
                    });
                }
                let len = reader.u8()?;
                // A pad byte may follow some lengths (IPMI 2.0 table 13-8, legacy pad).
                Ok(Self::Plain(reader.take(len.into())?))
            }
            FORMAT_RMCP_PLUS => Self::decode_rmcp_plus(packet, reader),
            other => Err(CodecError::Invalid {
                what: "session format",
                value: other.into(),
            }),
        }
    }

    fn decode_rmcp_plus(whole: &'a [u8], mut reader: Reader<'a>) -> Result<Self, CodecError> {
        let flags = reader.u8()?;
        let kind = PayloadType::from_number(flags & 0x3f)?;
        let session = reader.u32()?;
        let sequence = reader.u32()?;
        let len = usize::from(reader.u16()?);
        let payload = reader.take(len)?;
        let encrypted = flags & ENCRYPTED != 0;
        let authenticated = flags & AUTHENTICATED != 0;
        if session != 0 {
            return Ok(Self::Inside(ProtectedPacket {
                kind,
                encrypted,
                authenticated,
                session,
                sequence,
                payload,
                whole,
                unpadded: whole.len() - reader.rest().len(),
            }));
        }
        if encrypted || authenticated {
            return Err(CodecError::Invalid {
                what: "payload type outside a session",
                value: flags.into(),
            });
        }
        Ok(Self::Outside { kind, payload })
    }
}

/// Writes a whole datagram with an IPMI message outside a session, in IPMI 1.5's format.
#[must_use]
pub fn encode_plain(message: &[u8]) -> Vec<u8> {
    let mut out = ipmi_header(10 + message.len());
    out.push(FORMAT_NONE);
    out.extend_from_slice(&[0; 8]);
    // No message outside a session comes near 255 bytes.
    out.push(u8::try_from(message.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(message);
    out
}

/// Writes a whole datagram with a payload outside a session, in RMCP+'s format.
#[must_use]
pub fn encode_outside(kind: PayloadType, payload: &[u8]) -> Vec<u8> {
    let mut out = ipmi_header(12 + payload.len());
    encode_header(&mut out, kind.number(), 0, 0, payload.len());
    out.extend_from_slice(payload);
    out
}

/// Appends header and payload of a protected packet; what follows is the trailer.
pub(crate) fn encode_inside(
    out: &mut Vec<u8>,
    kind: PayloadType,
    session: u32,
    sequence: u32,
    payload: &[u8],
) {
    let flags = kind.number() | ENCRYPTED | AUTHENTICATED;
    encode_header(out, flags, session, sequence, payload.len());
    out.extend_from_slice(payload);
}

fn encode_header(out: &mut Vec<u8>, flags: u8, session: u32, sequence: u32, len: usize) {
    out.extend_from_slice(&[FORMAT_RMCP_PLUS, flags]);
    out.extend_from_slice(&session.to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    // Payloads are built here from messages of a few hundred bytes at most.
    out.extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes());
}
