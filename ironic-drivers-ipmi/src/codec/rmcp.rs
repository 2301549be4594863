//! The Remote Management Control Protocol's header and the ASF presence exchange
//! (IPMI 2.0 §13.1.3, §13.2.3, §13.2.4).

use super::{CodecError, reader::Reader};

/// RMCP version 1.0.
const VERSION: u8 = 0x06;
/// A sequence number that asks for no RMCP acknowledgement.
const NO_ACK: u8 = 0xff;
const CLASS_ASF: u8 = 0x06;
const CLASS_IPMI: u8 = 0x07;
/// The Alerting Standards Forum's enterprise number.
const ASF_IANA: u32 = 4542;
const ASF_PONG: u8 = 0x40;
const ASF_PING: u8 = 0x80;

/// What an RMCP datagram carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rmcp<'a> {
    /// An IPMI session packet, header of the session included.
    Ipmi(&'a [u8]),
    /// An ASF presence ping.
    Ping {
        /// Comes back in the pong.
        tag: u8,
    },
    /// An ASF presence pong.
    Pong {
        /// The ping's tag.
        tag: u8,
        /// Whether the sender says that it speaks IPMI.
        ipmi: bool,
    },
}

impl<'a> Rmcp<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// The datagram is no RMCP, or of a class or an ASF message type other than these three.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(datagram, "rmcp datagram");
        let version = reader.u8()?;
        if version != VERSION {
            return Err(CodecError::Invalid {
                what: "rmcp version",
                value: version.into(),
            });
        }
        let [_reserved, _sequence, class] = reader.array()?;
        match class {
            CLASS_IPMI => Ok(Self::Ipmi(reader.rest())),
            CLASS_ASF => decode_asf(reader),
            other => Err(CodecError::Invalid {
                what: "rmcp class",
                value: other.into(),
            }),
        }
    }

    /// Writes the datagram.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match *self {
            Self::Ipmi(packet) => {
                let mut out = ipmi_header(packet.len());
                out.extend_from_slice(packet);
                out
            }
            Self::Ping { tag } => encode_asf(ASF_PING, tag, &[]),
            Self::Pong { tag, ipmi } => {
                let mut data = [0; 16];
                let fields = ASF_IANA
                    .to_be_bytes()
                    .into_iter()
                    .chain([0; 4])
                    // Supported entities: ASF 1.0, and IPMI in bit 7.
                    .chain([if ipmi { 0x81 } else { 0x01 }]);
                for (slot, byte) in data.iter_mut().zip(fields) {
                    *slot = byte;
                }
                encode_asf(ASF_PONG, tag, &data)
            }
        }
    }
}

/// The header in front of an IPMI packet, with room for `len` more bytes.
pub(crate) fn ipmi_header(len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + len);
    out.extend_from_slice(&[VERSION, 0, NO_ACK, CLASS_IPMI]);
    out
}

fn decode_asf(mut reader: Reader<'_>) -> Result<Rmcp<'_>, CodecError> {
    let iana = u32::from_be_bytes(reader.array()?);
    if iana != ASF_IANA {
        return Err(CodecError::Invalid {
            what: "asf enterprise number",
            value: iana,
        });
    }
    let [kind, tag, _reserved, len] = reader.array()?;
    let data = reader.take(len.into())?;
    match kind {
        ASF_PING => Ok(Rmcp::Ping { tag }),
        ASF_PONG => {
            let mut pong = Reader::new(data, "asf pong");
            pong.take(8)?;
            Ok(Rmcp::Pong {
                tag,
                ipmi: pong.u8()? & 0x80 != 0,
            })
        }
        other => Err(CodecError::Invalid {
            what: "asf message type",
            value: other.into(),
        }),
    }
}

fn encode_asf(kind: u8, tag: u8, data: &[u8]) -> Vec<u8> {
    let mut out = vec![VERSION, 0, NO_ACK, CLASS_ASF];
    out.extend_from_slice(&ASF_IANA.to_be_bytes());
    // A pong's data are 16 bytes and a ping's none, so the length fits.
    out.extend_from_slice(&[kind, tag, 0, u8::try_from(data.len()).unwrap_or(u8::MAX)]);
    out.extend_from_slice(data);
    out
}
