use std::net::Ipv4Addr;

use thiserror::Error;

use super::{DhcpOptions, HardwareAddress, MessageType, code};

// RFC 2131 §2 and §3: the fixed fields, the cookie, and the size below which relays and firmware
// of BOOTP's time drop messages.
const FIXED: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const SMALLEST: usize = 300;
const BROADCAST: u16 = 0x8000;
const SNAME: usize = 64;
const FILE: usize = 128;

/// Who a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A client.
    Request,
    /// A server.
    Reply,
}

/// A DHCP message (RFC 2131 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DhcpMessage {
    /// Who it is from.
    pub operation: Operation,
    /// Type of the hardware address: 1 is Ethernet, 32 InfiniBand.
    pub hardware_type: u8,
    /// Number of relays that it came through.
    pub hops: u8,
    /// Number of the exchange, which the client chose.
    pub transaction: u32,
    /// Seconds since the client began.
    pub seconds: u16,
    /// Whether the client can only take broadcasts.
    pub broadcast: bool,
    /// The client's address, when it has one that it answers at.
    pub client_address: Ipv4Addr,
    /// The address that the client is given.
    pub your_address: Ipv4Addr,
    /// The server to boot from.
    pub server_address: Ipv4Addr,
    /// The relay that it came through.
    pub relay_address: Ipv4Addr,
    /// The client's hardware address.
    pub hardware_address: HardwareAddress,
    /// Name of the server to boot from, up to 63 bytes.
    pub server_name: String,
    /// Boot file, up to 127 bytes.
    pub boot_file: String,
    /// Everything else.
    pub options: DhcpOptions,
}

/// Why bytes are not a DHCP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Fewer bytes than every message has.
    #[error("message is too short")]
    TooShort,
    /// A BOOTP message without DHCP's options.
    #[error("message has no options")]
    NoCookie,
    /// A part that does not fit its form.
    #[error("malformed {0}")]
    Malformed(&'static str),
}

impl MessageError {
    /// Tells whether the same bytes may be understood later: never.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

impl DhcpMessage {
    /// Makes a message of a client with no addresses.
    pub fn request(kind: MessageType, hardware_address: HardwareAddress, transaction: u32) -> Self {
        let mut options = DhcpOptions::new();
        options.set(code::MESSAGE_TYPE, [kind.number()]);
        Self {
            operation: Operation::Request,
            hardware_type: 1,
            hops: 0,
            transaction,
            seconds: 0,
            broadcast: false,
            client_address: Ipv4Addr::UNSPECIFIED,
            your_address: Ipv4Addr::UNSPECIFIED,
            server_address: Ipv4Addr::UNSPECIFIED,
            relay_address: Ipv4Addr::UNSPECIFIED,
            hardware_address,
            server_name: String::new(),
            boot_file: String::new(),
            options,
        }
    }

    /// Makes the answer to a client's message, with what answers repeat (RFC 2131 §4.3.1, RFC
    /// 6842, and PXE's machine identifier).
    #[must_use]
    pub fn reply(&self, kind: MessageType) -> Self {
        let mut reply = Self::request(kind, self.hardware_address, self.transaction);
        reply.operation = Operation::Reply;
        reply.hardware_type = self.hardware_type;
        reply.broadcast = self.broadcast;
        reply.relay_address = self.relay_address;
        // 82: what a relay put in it expects back (RFC 3046 §2.2).
        for code in [code::CLIENT_ID, code::CLIENT_MACHINE_ID, 82] {
            if let Some(value) = self.options.get(code) {
                reply.options.set(code, value);
            }
        }
        reply
    }

    /// Returns the boot file, wherever it stands.
    pub fn boot_file(&self) -> Option<&str> {
        let option = self
            .options
            .text(code::BOOT_FILE)
            .filter(|name| !name.is_empty());
        option.or_else(|| Some(self.boot_file.as_str()).filter(|name| !name.is_empty()))
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// When the bytes are not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let (fixed, rest) = bytes
            .split_first_chunk::<FIXED>()
            .ok_or(MessageError::TooShort)?;
        let rest = rest.strip_prefix(&COOKIE).ok_or(MessageError::NoCookie)?;
        let mut reader = Reader(fixed);
        let operation = match reader.take()? {
            [1] => Operation::Request,
            [2] => Operation::Reply,
            _ => return Err(MessageError::Malformed("operation")),
        };
        let [hardware_type, length, hops] = reader.take()?;
        let transaction = u32::from_be_bytes(reader.take()?);
        let seconds = u16::from_be_bytes(reader.take()?);
        let flags = u16::from_be_bytes(reader.take()?);
        let client_address = Ipv4Addr::from(reader.take::<4>()?);
        let your_address = Ipv4Addr::from(reader.take::<4>()?);
        let server_address = Ipv4Addr::from(reader.take::<4>()?);
        let relay_address = Ipv4Addr::from(reader.take::<4>()?);
        let hardware: [u8; 16] = reader.take()?;
        let hardware = hardware
            .get(..usize::from(length))
            .ok_or(MessageError::Malformed("hardware address"))?;
        let server_name: [u8; SNAME] = reader.take()?;
        let boot_file: [u8; FILE] = reader.take()?;

        let mut options = DhcpOptions::new();
        options.parse_into(rest)?;
        let overload = match options.get(code::OVERLOAD) {
            Some([overload]) => *overload,
            _ => 0,
        };
        // In this order, so that parts of one option join rightly (RFC 3396 §7).
        if overload & 1 != 0 {
            options.parse_into(&boot_file)?;
        }
        if overload & 2 != 0 {
            options.parse_into(&server_name)?;
        }
        options.remove(code::OVERLOAD);
        Ok(Self {
            operation,
            hardware_type,
            hops,
            transaction,
            seconds,
            broadcast: flags & BROADCAST != 0,
            client_address,
            your_address,
            server_address,
            relay_address,
            hardware_address: HardwareAddress::new(hardware)?,
            server_name: if overload & 2 == 0 {
                c_string(&server_name)
            } else {
                String::new()
            },
            boot_file: if overload & 1 == 0 {
                c_string(&boot_file)
            } else {
                String::new()
            },
            options,
        })
    }

    /// Writes the message; names that are too long for their field are left out of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SMALLEST);
        let hardware = self.hardware_address.as_bytes();
        bytes.push(match self.operation {
            Operation::Request => 1,
            Operation::Reply => 2,
        });
        bytes.push(self.hardware_type);
        bytes.push(u8::try_from(hardware.len()).unwrap_or(16));
        bytes.push(self.hops);
        bytes.extend(self.transaction.to_be_bytes());
        bytes.extend(self.seconds.to_be_bytes());
        bytes.extend((if self.broadcast { BROADCAST } else { 0 }).to_be_bytes());
        for address in [
            self.client_address,
            self.your_address,
            self.server_address,
            self.relay_address,
        ] {
            bytes.extend(address.octets());
        }
        padded(&mut bytes, hardware, 16);
        for (text, length) in [(&self.server_name, SNAME), (&self.boot_file, FILE)] {
            let fits = text.len() < length;
            padded(&mut bytes, if fits { text.as_bytes() } else { b"" }, length);
        }
        bytes.extend(COOKIE);
        self.options.write_to(&mut bytes);
        if bytes.len() < SMALLEST {
            bytes.resize(SMALLEST, 0);
        }
        bytes
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], MessageError> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(MessageError::TooShort)?;
        self.0 = rest;
        Ok(*taken)
    }
}

fn padded(bytes: &mut Vec<u8>, content: &[u8], length: usize) {
    let end = bytes.len().saturating_add(length);
    bytes.extend(content.iter().take(length));
    bytes.resize(end, 0);
}

fn c_string(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> DhcpMessage {
        let mac = HardwareAddress::from([0x52, 0x54, 0, 1, 2, 3]);
        DhcpMessage::request(MessageType::Discover, mac, 0x0102_0304)
    }

    #[test]
    fn overloaded_fields_hold_options() {
        let mut bytes = message().to_bytes();
        bytes.truncate(240);
        // One option in three parts: in the options, in `file`, in `sname`.
        bytes.extend([53, 1, 1, 52, 1, 3, 67, 2, b'a', b'b', 255]);
        bytes[108..113].copy_from_slice(&[67, 2, b'c', b'd', 255]);
        bytes[44..48].copy_from_slice(&[67, 1, b'e', 255]);
        let parsed = DhcpMessage::parse(&bytes).unwrap();
        assert_eq!(parsed.options.text(code::BOOT_FILE), Some("abcde"));
        assert_eq!(
            (parsed.boot_file.as_str(), parsed.server_name.as_str()),
            ("", "")
        );
        assert!(!parsed.options.contains(code::OVERLOAD));
    }

    #[test]
    fn long_options_travel_in_parts() {
        let mut sent = message();
        sent.options.set(175, vec![7; 700]);
        sent.options.set(224, b"unknown".as_slice());
        assert_eq!(DhcpMessage::parse(&sent.to_bytes()).unwrap(), sent);
    }

    #[test]
    fn lengths_are_checked() {
        let mut bytes = message().to_bytes();
        bytes[2] = 17;
        assert_eq!(
            DhcpMessage::parse(&bytes),
            Err(MessageError::Malformed("hardware address"))
        );
        let mut bytes = message().to_bytes();
        bytes.truncate(243);
        bytes.extend([60, 200, 1]);
        assert_eq!(
            DhcpMessage::parse(&bytes),
            Err(MessageError::Malformed("option"))
        );
        assert_eq!(
            DhcpMessage::parse(&bytes[..200]),
            Err(MessageError::TooShort)
        );
    }

    proptest! {
        #[test]
        fn any_datagram_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = DhcpMessage::parse(&bytes);
        }

        #[test]
        fn what_is_read_writes_the_same(
            fixed in proptest::collection::vec(any::<u8>(), 236),
            options in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut bytes = fixed;
            (bytes[0], bytes[2]) = (1, 6);
            bytes.extend(COOKIE);
            bytes.extend(options);
            if let Ok(message) = DhcpMessage::parse(&bytes) {
                let again = DhcpMessage::parse(&message.to_bytes()).unwrap();
                prop_assert_eq!(again.options, message.options);
                prop_assert_eq!(again.hardware_address, message.hardware_address);
            }
        }
    }
}
