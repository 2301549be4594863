//! IPMI messages as they travel on the LAN (IPMI 2.0 §13.8), and their numbers.

use super::{CodecError, CompletionCode, reader::Reader};

/// The BMC's slave address (IPMI 2.0 §5.5).
const BMC_ADDRESS: u8 = 0x20;
/// The first software id of a remote console (IPMI 2.0 §5.5).
const CONSOLE_ADDRESS: u8 = 0x81;

/// A network function, as the even number that requests carry (IPMI 2.0 table 5-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetFn(u8);

impl NetFn {
    /// Chassis: power, boot options.
    pub const CHASSIS: Self = Self(0x00);
    /// Sensor and event: sensors' readings, thresholds and events.
    pub const SENSOR: Self = Self(0x04);
    /// Application: device and session commands.
    pub const APP: Self = Self(0x06);
    /// Storage: SDR, SEL and FRU.
    pub const STORAGE: Self = Self(0x0a);
    /// Transport: LAN and serial parameters.
    pub const TRANSPORT: Self = Self(0x0c);

    /// The network function of that number; the bit that marks responses and what is beyond six bits is dropped.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number & 0x3e)
    }

    /// The even number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// A request message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestMessage<'a> {
    /// Who is asked; anything but a BMC's 20h asks for bridging.
    pub responder: u8,
    /// Who asks.
    pub requester: u8,
    /// Which function.
    pub net_fn: NetFn,
    /// The responder's logical unit, 0 to 3.
    pub lun: u8,
    /// The requester's number for it, 0 to 63.
    pub sequence: u8,
    /// Which command of the function.
    pub command: u8,
    /// The command's own bytes.
    pub data: &'a [u8],
}

/// A response message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseMessage<'a> {
    /// Who answers.
    pub responder: u8,
    /// Who is answered.
    pub requester: u8,
    /// The request's function.
    pub net_fn: NetFn,
    /// The logical unit that answers, 0 to 3.
    pub lun: u8,
    /// The request's number.
    pub sequence: u8,
    /// The request's command.
    pub command: u8,
    /// How it went.
    pub completion: CompletionCode,
    /// The response's own bytes, completion code excluded.
    pub data: &'a [u8],
}

impl<'a> RequestMessage<'a> {
    /// A remote console's request to the BMC itself.
    #[must_use]
    pub const fn new(net_fn: NetFn, command: u8, sequence: u8, data: &'a [u8]) -> Self {
        Self {
            responder: BMC_ADDRESS,
            requester: CONSOLE_ADDRESS,
            net_fn,
            lun: 0,
            sequence: sequence & 0x3f,
            command,
            data,
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// It is too short, a checksum is wrong, or it is a response.
    pub fn decode(message: &'a [u8]) -> Result<Self, CodecError> {
        let raw = RawMessage::decode(message)?;
        if raw.net_fn & 1 != 0 {
            return Err(CodecError::Invalid {
                what: "request's network function",
                value: raw.net_fn.into(),
            });
        }
        Ok(Self {
            responder: raw.to,
            requester: raw.from,
            net_fn: NetFn::new(raw.net_fn),
            lun: raw.to_lun,
            sequence: raw.sequence,
            command: raw.command,
            data: raw.data,
        })
    }

    /// Writes the request.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        RawMessage {
            to: self.responder,
            net_fn: self.net_fn.0,
            to_lun: self.lun,
            from: self.requester,
            sequence: self.sequence,
            from_lun: 0,
            command: self.command,
            data: self.data,
        }
        .encode(None)
    }

    /// The response to this request.
    #[must_use]
    pub const fn respond<'b>(
        &self,
        completion: CompletionCode,
        data: &'b [u8],
    ) -> ResponseMessage<'b> {
        ResponseMessage {
            responder: self.responder,
            requester: self.requester,
            net_fn: self.net_fn,
            lun: self.lun,
            sequence: self.sequence,
            command: self.command,
            completion,
            data,
        }
    }
}

impl<'a> ResponseMessage<'a> {
    /// Reads a response.
    ///
    /// # Errors
    /// It is too short, a checksum is wrong, or it is a request.
    pub fn decode(message: &'a [u8]) -> Result<Self, CodecError> {
        let raw = RawMessage::decode(message)?;
        if raw.net_fn & 1 == 0 {
            return Err(CodecError::Invalid {
                what: "response's network function",
                value: raw.net_fn.into(),
            });
        }
        let mut reader = Reader::new(raw.data, "response message");
        Ok(Self {
            completion: CompletionCode::new(reader.u8()?),
            data: reader.rest(),
            responder: raw.from,
            requester: raw.to,
            net_fn: NetFn::new(raw.net_fn),
            lun: raw.from_lun,
            sequence: raw.sequence,
            command: raw.command,
        })
    }

    /// Writes the response.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        RawMessage {
            to: self.requester,
            net_fn: self.net_fn.0 | 1,
            to_lun: 0,
            from: self.responder,
            sequence: self.sequence,
            from_lun: self.lun,
            command: self.command,
            data: self.data,
        }
        .encode(Some(self.completion))
    }
}

/// What both kinds of message share.
struct RawMessage<'a> {
    to: u8,
    net_fn: u8,
    to_lun: u8,
    from: u8,
    sequence: u8,
    from_lun: u8,
    command: u8,
    data: &'a [u8],
}

impl<'a> RawMessage<'a> {
    fn decode(message: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(message, "ipmi message");
        let header: [u8; 3] = reader.array()?;
        if sum(&header) != 0 {
            return Err(CodecError::Checksum { what: "header" });
        }
        let (body, [_checksum]) = reader.clone().split_last::<1>()?;
        if sum(reader.rest()) != 0 {
            return Err(CodecError::Checksum { what: "body" });
        }
        let [to, net_fn_lun, _checksum] = header;
        let mut reader = Reader::new(body, "ipmi message");
        let [from, sequence_lun, command] = reader.array()?;
        Ok(Self {
            to,
            net_fn: net_fn_lun >> 2,
            to_lun: net_fn_lun & 3,
            from,
            sequence: sequence_lun >> 2,
            from_lun: sequence_lun & 3,
            command,
            data: reader.rest(),
        })
    }

    fn encode(&self, completion: Option<CompletionCode>) -> Vec<u8> {
        let header = [self.to, (self.net_fn << 2) | (self.to_lun & 3)];
        let mut out = Vec::with_capacity(8 + self.data.len());
        out.extend_from_slice(&header);
        out.push(sum(&header).wrapping_neg());
        let body_start = out.len();
        out.extend_from_slice(&[
            self.from,
            (self.sequence << 2) | (self.from_lun & 3),
            self.command,
        ]);
        out.extend(completion.map(CompletionCode::number));
        out.extend_from_slice(self.data);
        let body = out.get(body_start..).unwrap_or_default();
        out.push(sum(body).wrapping_neg());
        out
    }
}

/// The two's complement sum that checksums bring to zero.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn get_device_id_is_laid_out_as_the_tools_send_it() {
        let message = RequestMessage::new(NetFn::APP, 0x01, 1, &[]).encode();
        assert_eq!(message, [0x20, 0x18, 0xc8, 0x81, 0x04, 0x01, 0x7a]);
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        let message = RequestMessage::new(NetFn::CHASSIS, 0x02, 9, &[1]).encode();
        for at in 0..message.len() * 8 {
            let mut bad = message.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(matches!(
                RequestMessage::decode(&bad),
                Err(CodecError::Checksum { .. })
            ));
        }
    }

    proptest! {
        #[test]
        fn requests_round_trip(net_fn: u8, command: u8, sequence in 0u8..64, data: Vec<u8>) {
            let request = RequestMessage::new(NetFn::new(net_fn), command, sequence, &data);
            let bytes = request.encode();
            prop_assert_eq!(RequestMessage::decode(&bytes), Ok(request));
            prop_assert!(ResponseMessage::decode(&request.encode()).is_err());
        }

        #[test]
        fn responses_round_trip(sequence in 0u8..64, code: u8, data: Vec<u8>) {
            let request = RequestMessage::new(NetFn::CHASSIS, 1, sequence, &[]);
            let response = request.respond(CompletionCode::new(code), &data);
            let bytes = response.encode();
            prop_assert_eq!(ResponseMessage::decode(&bytes), Ok(response));
        }

        #[test]
        fn random_bytes_are_an_error_or_a_message(bytes: Vec<u8>) {
            let _ = RequestMessage::decode(&bytes);
            let _ = ResponseMessage::decode(&bytes);
        }
    }
}
