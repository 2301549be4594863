use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::{ClientArch, MessageError};

/// Codes of options (RFC 2132 where nothing else is said).
pub mod code {
    /// Subnet mask.
    pub const SUBNET_MASK: u8 = 1;
    /// Routers.
    pub const ROUTERS: u8 = 3;
    /// Name servers.
    pub const NAME_SERVERS: u8 = 6;
    /// Host name.
    pub const HOST_NAME: u8 = 12;
    /// Domain name.
    pub const DOMAIN_NAME: u8 = 15;
    /// What the vendor class defines; PXE's own options (PXE 2.1 §2.4).
    pub const VENDOR_SPECIFIC: u8 = 43;
    /// Address that a client asks for.
    pub const REQUESTED_ADDRESS: u8 = 50;
    /// Lease time in seconds.
    pub const LEASE_TIME: u8 = 51;
    /// Which of the fields `file` and `sname` hold further options.
    pub const OVERLOAD: u8 = 52;
    /// Kind of message.
    pub const MESSAGE_TYPE: u8 = 53;
    /// Server that an offer is from, or a request is for.
    pub const SERVER_ID: u8 = 54;
    /// Options that a client asks for.
    pub const PARAMETER_LIST: u8 = 55;
    /// Largest message that a client takes, in bytes with headers.
    pub const MAX_SIZE: u8 = 57;
    /// Vendor class: `PXEClient…`, `HTTPClient…`.
    pub const VENDOR_CLASS: u8 = 60;
    /// Identifier of the client.
    pub const CLIENT_ID: u8 = 61;
    /// Name of the TFTP server.
    pub const TFTP_SERVER_NAME: u8 = 66;
    /// Name of the boot file.
    pub const BOOT_FILE: u8 = 67;
    /// User class (RFC 3004); iPXE says `iPXE`.
    pub const USER_CLASS: u8 = 77;
    /// Kind of machine (RFC 4578 §2.1).
    pub const CLIENT_ARCH: u8 = 93;
    /// Network interface of the firmware (RFC 4578 §2.2).
    pub const CLIENT_INTERFACE: u8 = 94;
    /// Identifier of the machine (RFC 4578 §2.3).
    pub const CLIENT_MACHINE_ID: u8 = 97;
    /// Addresses of TFTP servers (RFC 5859).
    pub const TFTP_SERVER_ADDRESSES: u8 = 150;
    /// iPXE's own options.
    pub const IPXE_ENCAPSULATED: u8 = 175;
    /// pxelinux: configuration file (RFC 5071 §4).
    pub const PXELINUX_CONFIG_FILE: u8 = 209;
    /// pxelinux: what stands before paths (RFC 5071 §5).
    pub const PXELINUX_PATH_PREFIX: u8 = 210;

    pub(crate) const PAD: u8 = 0;
    pub(crate) const END: u8 = 255;
}

/// Kind of a DHCP message (RFC 2132 §9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// A client looks for servers.
    Discover,
    /// A server offers an address.
    Offer,
    /// A client takes an offer, or keeps what it has.
    Request,
    /// A client found its address in use.
    Decline,
    /// A server agrees.
    Ack,
    /// A server refuses.
    Nak,
    /// A client gives its address back.
    Release,
    /// A client that has an address asks for options.
    Inform,
}

impl MessageType {
    const ALL: [Self; 8] = [
        Self::Discover,
        Self::Offer,
        Self::Request,
        Self::Decline,
        Self::Ack,
        Self::Nak,
        Self::Release,
        Self::Inform,
    ];

    /// Reads a number, 1 to 8.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number.checked_sub(1)?)).copied()
    }

    /// Returns the number.
    pub fn number(self) -> u8 {
        match self {
            Self::Discover => 1,
            Self::Offer => 2,
            Self::Request => 3,
            Self::Decline => 4,
            Self::Ack => 5,
            Self::Nak => 6,
            Self::Release => 7,
            Self::Inform => 8,
        }
    }
}

/// Options of a message, by code; those that nothing here knows are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DhcpOptions(BTreeMap<u8, Vec<u8>>);

impl DhcpOptions {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an option's bytes.
    pub fn get(&self, code: u8) -> Option<&[u8]> {
        self.0.get(&code).map(Vec::as_slice)
    }

    /// Tells whether an option is there.
    pub fn contains(&self, code: u8) -> bool {
        self.0.contains_key(&code)
    }

    /// Sets an option; codes 0 and 255 are no options and are passed over.
    pub fn set(&mut self, code: u8, value: impl Into<Vec<u8>>) {
        if code != code::PAD && code != code::END {
            self.0.insert(code, value.into());
        }
    }

    /// Sets an option to addresses.
    pub fn set_addresses(&mut self, code: u8, addresses: &[Ipv4Addr]) {
        self.set(
            code,
            addresses
                .iter()
                .flat_map(|address| address.octets())
                .collect::<Vec<_>>(),
        );
    }

    /// Removes an option.
    pub fn remove(&mut self, code: u8) {
        self.0.remove(&code);
    }

    /// Returns codes and bytes, by code.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.0.iter().map(|(code, value)| (*code, value.as_slice()))
    }

    /// Returns the kind of message.
    pub fn message_type(&self) -> Option<MessageType> {
        match self.get(code::MESSAGE_TYPE)? {
            [number] => MessageType::from_number(*number),
            _ => None,
        }
    }

    /// Returns an option that holds one address.
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let bytes: [u8; 4] = self.get(code)?.try_into().ok()?;
        Some(bytes.into())
    }

    /// Returns an option that holds addresses.
    pub fn addresses(&self, code: u8) -> Vec<Ipv4Addr> {
        let (addresses, _) = self.get(code).unwrap_or_default().as_chunks::<4>();
        addresses
            .iter()
            .map(|address| Ipv4Addr::from(*address))
            .collect()
    }

    /// Returns an option that holds a number of two bytes.
    pub fn short(&self, code: u8) -> Option<u16> {
        Some(u16::from_be_bytes(self.get(code)?.try_into().ok()?))
    }

    /// Returns an option that holds a number of four bytes.
    pub fn long(&self, code: u8) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(code)?.try_into().ok()?))
    }

    /// Returns an option that holds text, without NULs at its end.
    pub fn text(&self, code: u8) -> Option<&str> {
        let text = std::str::from_utf8(self.get(code)?).ok()?;
        Some(text.trim_end_matches('\0'))
    }

    /// Returns the first kind of machine that the client says it is.
    pub fn client_arch(&self) -> Option<ClientArch> {
        let number = self.get(code::CLIENT_ARCH)?.first_chunk()?;
        Some(ClientArch(u16::from_be_bytes(*number)))
    }

    /// Tells whether the client is iPXE.
    pub fn is_ipxe(&self) -> bool {
        // By RFC 3004 each class has its length before it; iPXE sends its bare name.
        let class = self.get(code::USER_CLASS);
        self.contains(code::IPXE_ENCAPSULATED)
            || class == Some(b"iPXE".as_slice())
            || class == Some(b"\x04iPXE".as_slice())
    }

    /// Reads options up to their end; repeated ones are parts of one (RFC 3396).
    pub(crate) fn parse_into(&mut self, mut bytes: &[u8]) -> Result<(), MessageError> {
        while let Some((code, rest)) = bytes.split_first() {
            bytes = match *code {
                code::PAD => rest,
                code::END => return Ok(()),
                code => {
                    let (length, rest) = rest
                        .split_first()
                        .ok_or(MessageError::Malformed("option"))?;
                    let (value, rest) = rest
                        .split_at_checked(usize::from(*length))
                        .ok_or(MessageError::Malformed("option"))?;
                    self.0.entry(code).or_default().extend_from_slice(value);
                    rest
                }
            };
        }
        Ok(())
    }

    /// Writes options: the kind of message first, long ones in parts (RFC 3396), then the end.
    pub(crate) fn write_to(&self, bytes: &mut Vec<u8>) {
        let first = self.0.get_key_value(&code::MESSAGE_TYPE);
        let others = self
            .0
            .iter()
            .filter(|(code, _)| **code != code::MESSAGE_TYPE);
        for (code, value) in first.into_iter().chain(others) {
            let mut rest = value.as_slice();
            loop {
                let (part, behind) = rest.split_at(rest.len().min(255));
                bytes.push(*code);
                bytes.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
                bytes.extend_from_slice(part);
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
        }
        bytes.push(code::END);
    }
}
