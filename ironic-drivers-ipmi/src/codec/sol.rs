//! Packets of serial over LAN (IPMI 2.0 §15.9).

use super::{CodecError, reader::Reader};

/// To the other end: the characters were not, or not all, taken.
const NACK: u8 = 0x40;
/// From the BMC: no characters can be taken just now.
const UNAVAILABLE: u8 = 0x20;
/// From the BMC: serial over LAN is over.
const DEACTIVATED: u8 = 0x10;

/// A packet of serial over LAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SolPacket<'a> {
    /// The number of these characters, 1 to 15; 0 for a packet that only acknowledges.
    pub sequence: u8,
    /// Which packet is acknowledged; 0 for none.
    pub acked: u8,
    /// How many of its characters were taken.
    pub accepted: u8,
    /// The bits of status, or of what is to be done (IPMI 2.0 table 15-2, byte 4).
    pub status: u8,
    /// The characters.
    pub data: &'a [u8],
}

impl<'a> SolPacket<'a> {
    /// Characters under a number.
    #[must_use]
    pub const fn data(sequence: u8, data: &'a [u8]) -> Self {
        Self {
            sequence,
            acked: 0,
            accepted: 0,
            status: 0,
            data,
        }
    }

    /// So many characters of that packet were taken.
    #[must_use]
    pub const fn ack(acked: u8, accepted: u8) -> Self {
        Self {
            sequence: 0,
            acked,
            accepted,
            status: 0,
            data: &[],
        }
    }

    /// Whether characters were refused.
    #[must_use]
    pub const fn is_nack(&self) -> bool {
        self.status & NACK != 0
    }

    /// Whether the BMC takes no characters just now.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        self.status & UNAVAILABLE != 0
    }

    /// Whether serial over LAN is over.
    #[must_use]
    pub const fn is_deactivated(&self) -> bool {
        self.status & DEACTIVATED != 0
    }

    /// Reads a packet.
    ///
    /// # Errors
    /// It ends early.
    pub fn decode(payload: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(payload, "sol packet");
        let [sequence, acked, accepted, status] = reader.array()?;
        Ok(Self {
            sequence: sequence & 0x0f,
            acked: acked & 0x0f,
            accepted,
            status,
            data: reader.rest(),
        })
    }

    /// Writes the packet.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.sequence, self.acked, self.accepted, self.status];
        out.extend_from_slice(self.data);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn random_bytes_are_an_error_or_a_packet(bytes: Vec<u8>) {
            match SolPacket::decode(&bytes) {
                Ok(packet) => prop_assert_eq!(packet.encode().len(), bytes.len()),
                Err(_) => prop_assert!(bytes.len() < 4),
            }
        }
    }
}
