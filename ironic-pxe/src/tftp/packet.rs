use std::fmt;

use thiserror::Error;

use super::TftpOptions;

// RFC 1350 §5, RFC 2347.
const READ: u16 = 1;
const WRITE: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OPTION_ACK: u16 = 6;

// Requests fit one unfragmented packet (RFC 2347 says 512 octets at most; some firmware pads).
const LONGEST_REQUEST: usize = 1400;

/// A TFTP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// A request to read a file.
    Read(ReadRequest),
    /// A request to write a file, which is always refused.
    Write {
        /// Name of the file.
        filename: String,
    },
    /// A block of the file.
    Data {
        /// Number of the block, from 1, counting on from 0 after 65535.
        block: u16,
        /// The content.
        content: &'a [u8],
    },
    /// Tells that a block and all before it arrived.
    Ack {
        /// Number of the block; 0 answers agreed options.
        block: u16,
    },
    /// Ends the transfer.
    Error {
        /// What happened.
        code: ErrorCode,
        /// The same for people, without control characters.
        message: String,
    },
    /// The options that the sender agreed to.
    OptionAck(TftpOptions),
}

/// A request to read a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadRequest {
    /// Name of the file, as the machine wrote it.
    pub filename: String,
    /// How content travels.
    pub mode: Mode,
    /// The options asked for.
    pub options: TftpOptions,
}

impl ReadRequest {
    /// Asks for a file, byte for byte.
    pub fn new(filename: impl Into<String>) -> Self {
        Self {
            filename: filename.into(),
            mode: Mode::Octet,
            options: TftpOptions::new(),
        }
    }

    /// Sets how content travels.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the options to ask for.
    #[must_use]
    pub fn with_options(mut self, options: TftpOptions) -> Self {
        self.options = options;
        self
    }
}

/// How content travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Byte for byte.
    Octet,
    /// As lines of text.
    Netascii,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Octet => "octet",
            Self::Netascii => "netascii",
        }
    }
}

/// Error codes of RFC 1350 §5 and RFC 2347.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// 0: see the message.
    Undefined,
    /// 1: no such file.
    FileNotFound,
    /// 2: the file is not for this machine.
    AccessViolation,
    /// 3: no room.
    DiskFull,
    /// 4: a packet that makes no sense here.
    IllegalOperation,
    /// 5: a packet of another transfer.
    UnknownTransfer,
    /// 6: the file is there already.
    FileExists,
    /// 7: no such user.
    NoSuchUser,
    /// 8: options that can not be agreed to.
    OptionNegotiation,
    /// Any other.
    Other(u16),
}

impl ErrorCode {
    const KNOWN: [Self; 9] = [
        Self::Undefined,
        Self::FileNotFound,
        Self::AccessViolation,
        Self::DiskFull,
        Self::IllegalOperation,
        Self::UnknownTransfer,
        Self::FileExists,
        Self::NoSuchUser,
        Self::OptionNegotiation,
    ];

    /// Reads a code.
    pub fn from_number(number: u16) -> Self {
        Self::KNOWN
            .get(usize::from(number))
            .copied()
            .unwrap_or(Self::Other(number))
    }

    /// Returns the code.
    pub fn number(self) -> u16 {
        match self {
            Self::Undefined => 0,
            Self::FileNotFound => 1,
            Self::AccessViolation => 2,
            Self::DiskFull => 3,
            Self::IllegalOperation => 4,
            Self::UnknownTransfer => 5,
            Self::FileExists => 6,
            Self::NoSuchUser => 7,
            Self::OptionNegotiation => 8,
            Self::Other(number) => number,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}", self.number())
    }
}

/// Why bytes are not a TFTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// Fewer bytes than the kind of packet has.
    #[error("packet is too short")]
    TooShort,
    /// More bytes than a request may have.
    #[error("request is too long")]
    TooLong,
    /// A kind of packet that RFC 1350 and RFC 2347 do not know.
    #[error("unknown operation {0}")]
    UnknownOperation(u16),
    /// A text without its end, or not in UTF-8.
    #[error("malformed text")]
    MalformedText,
    /// A mode other than octet and netascii.
    #[error("unknown transfer mode")]
    UnknownMode,
}

impl PacketError {
    /// Tells whether the same bytes may be understood later: never.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

impl<'a> Packet<'a> {
    /// Reads a packet.
    ///
    /// # Errors
    ///
    /// When the bytes are not one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let (operation, rest) = split_number(bytes)?;
        match operation {
            READ | WRITE if bytes.len() > LONGEST_REQUEST => Err(PacketError::TooLong),
            READ => parse_read(rest).map(Self::Read),
            WRITE => Ok(Self::Write {
                filename: split_text(rest)?.0.to_owned(),
            }),
            DATA => {
                let (block, content) = split_number(rest)?;
                Ok(Self::Data { block, content })
            }
            ACK => Ok(Self::Ack {
                block: split_number(rest)?.0,
            }),
            ERROR => Ok(parse_error(rest)?),
            OPTION_ACK => match parse_options(rest) {
                (options, true) => Ok(Self::OptionAck(options)),
                _ => Err(PacketError::MalformedText),
            },
            other => Err(PacketError::UnknownOperation(other)),
        }
    }

    /// Writes a packet.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let number = |bytes: &mut Vec<u8>, number: u16| bytes.extend(number.to_be_bytes());
        let texts = |bytes: &mut Vec<u8>, texts: &[&str]| {
            for text in texts {
                bytes.extend(text.bytes().filter(|byte| *byte != 0));
                bytes.push(0);
            }
        };
        match self {
            Self::Read(request) => {
                number(&mut bytes, READ);
                texts(&mut bytes, &[&request.filename, request.mode.name()]);
                for (name, value) in request.options.pairs() {
                    texts(&mut bytes, &[name, &value]);
                }
            }
            Self::Write { filename } => {
                number(&mut bytes, WRITE);
                texts(&mut bytes, &[filename, Mode::Octet.name()]);
            }
            Self::Data { block, content } => {
                bytes.reserve(content.len().saturating_add(4));
                number(&mut bytes, DATA);
                number(&mut bytes, *block);
                bytes.extend_from_slice(content);
            }
            Self::Ack { block } => {
                number(&mut bytes, ACK);
                number(&mut bytes, *block);
            }
            Self::Error { code, message } => {
                number(&mut bytes, ERROR);
                number(&mut bytes, code.number());
                texts(&mut bytes, &[message]);
            }
            Self::OptionAck(options) => {
                number(&mut bytes, OPTION_ACK);
                for (name, value) in options.pairs() {
                    texts(&mut bytes, &[name, &value]);
                }
            }
        }
        bytes
    }
}

fn parse_read(bytes: &[u8]) -> Result<ReadRequest, PacketError> {
    let (filename, rest) = split_text(bytes)?;
    let (mode, rest) = split_text(rest)?;
    let mode = match mode.to_ascii_lowercase().as_str() {
        "octet" => Mode::Octet,
        "netascii" => Mode::Netascii,
        _ => return Err(PacketError::UnknownMode),
    };
    // Firmware is known to leave rubbish behind the mode: options end where pairs end.
    let (options, _) = parse_options(rest);
    Ok(ReadRequest {
        filename: filename.to_owned(),
        mode,
        options,
    })
}

// The options up to the end, or up to where there is no further pair; and whether it was the end.
fn parse_options(mut bytes: &[u8]) -> (TftpOptions, bool) {
    let mut options = TftpOptions::new();
    while !bytes.is_empty() {
        let pair = split_text(bytes)
            .and_then(|(name, rest)| split_text(rest).map(|(value, rest)| (name, value, rest)));
        let Ok((name, value, rest)) = pair else {
            return (options, false);
        };
        options.set(name, value);
        bytes = rest;
    }
    (options, true)
}

fn parse_error(bytes: &[u8]) -> Result<Packet<'static>, PacketError> {
    let (code, rest) = split_number(bytes)?;
    // Some senders leave out the message's end, or the message.
    let text = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let message = text.chars().filter(|c| !c.is_control()).take(256).collect();
    Ok(Packet::Error {
        code: ErrorCode::from_number(code),
        message,
    })
}

fn split_number(bytes: &[u8]) -> Result<(u16, &[u8]), PacketError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(PacketError::TooShort)?;
    Ok((u16::from_be_bytes(*number), rest))
}

fn split_text(bytes: &[u8]) -> Result<(&str, &[u8]), PacketError> {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .ok_or(PacketError::MalformedText)?;
    let (text, rest) = bytes.split_at(end);
    let text = std::str::from_utf8(text).map_err(|_| PacketError::MalformedText)?;
    Ok((text, rest.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_as_firmware_sends_it() {
        let bytes = b"\0\x01pxelinux.0\0OCTET\0tsize\x000\0BLKSIZE\x001456\0x\0y\0";
        let Packet::Read(request) = Packet::parse(bytes).unwrap() else {
            panic!("a read")
        };
        assert_eq!(
            (request.filename.as_str(), request.mode),
            ("pxelinux.0", Mode::Octet)
        );
        assert_eq!(
            (request.options.tsize, request.options.blksize),
            (Some(0), Some(1456))
        );
    }

    #[test]
    fn values_out_of_range_are_as_if_not_there() {
        let bytes = b"\0\x01f\0octet\0blksize\x007\0timeout\x000\0windowsize\x000\0tsize\0-1\0";
        let Packet::Read(request) = Packet::parse(bytes).unwrap() else {
            panic!("a read")
        };
        assert!(request.options.is_empty());
    }

    proptest! {
        #[test]
        fn any_datagram_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Packet::parse(&bytes);
        }

        #[test]
        fn what_is_written_reads_the_same(
            operation in 1u16..=6,
            rest in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut bytes = operation.to_be_bytes().to_vec();
            bytes.extend(rest);
            if let Ok(packet) = Packet::parse(&bytes) {
                let written = packet.to_bytes();
                prop_assert_eq!(Packet::parse(&written), Ok(packet));
            }
        }
    }
}
