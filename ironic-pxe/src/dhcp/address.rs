use std::fmt;
use std::str::FromStr;

use super::MessageError;

/// A machine's hardware address, of up to sixteen bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HardwareAddress {
    length: u8,
    bytes: [u8; 16],
}

impl HardwareAddress {
    /// Makes an address.
    ///
    /// # Errors
    ///
    /// When there are more than sixteen bytes.
    pub fn new(address: &[u8]) -> Result<Self, MessageError> {
        let mut bytes = [0; 16];
        bytes
            .get_mut(..address.len())
            .ok_or(MessageError::Malformed("hardware address"))?
            .copy_from_slice(address);
        Ok(Self {
            length: u8::try_from(address.len()).unwrap_or(16),
            bytes,
        })
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.into()).unwrap_or_default()
    }
}

impl From<[u8; 6]> for HardwareAddress {
    fn from(mac: [u8; 6]) -> Self {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(mac) {
            *to = from;
        }
        Self { length: 6, bytes }
    }
}

impl FromStr for HardwareAddress {
    type Err = MessageError;

    /// Reads pairs of hexadecimal digits joined by colons or hyphens.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MessageError::Malformed("hardware address");
        let mut bytes = Vec::new();
        for pair in text.split([':', '-']) {
            let digits = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            let byte = u8::from_str_radix(pair, 16)
                .ok()
                .filter(|_| digits && bytes.len() < 16);
            bytes.push(byte.ok_or(malformed)?);
        }
        Self::new(&bytes)
    }
}

impl fmt::Display for HardwareAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for byte in self.as_bytes() {
            write!(f, "{separator}{byte:02x}")?;
            separator = ":";
        }
        Ok(())
    }
}

impl fmt::Debug for HardwareAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
