use std::fmt;

use super::Command;
use crate::codec::{CodecError, NetFn, Privilege, reader::Reader};

/// Get Device ID (IPMI 2.0 §20.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GetDeviceId;

/// Who a BMC is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceId {
    /// The maker's number for the kind of device.
    pub device: u8,
    /// Its revision, 0 to 15.
    pub revision: u8,
    /// Whether it has device SDRs.
    pub has_device_sdrs: bool,
    /// Whether it is starting up or updating its firmware, and does little else.
    pub is_updating: bool,
    /// Firmware's major version, 0 to 127.
    pub firmware_major: u8,
    /// Firmware's minor version, 0 to 99.
    pub firmware_minor: u8,
    /// IPMI's version as major and minor.
    pub ipmi_version: (u8, u8),
    /// What it supports besides (IPMI 2.0 table 20-2, byte 7): bit 7 chassis, 3 FRU, 2 SEL, 1 SDR, 0 sensors.
    pub support: u8,
    /// The maker's enterprise number, 20 bits.
    pub manufacturer: u32,
    /// The maker's number for the product.
    pub product: u16,
}

impl DeviceId {
    /// An IPMI 2.0 chassis device and nothing else.
    #[must_use]
    pub const fn chassis(
        manufacturer: u32,
        product: u16,
        firmware_major: u8,
        firmware_minor: u8,
    ) -> Self {
        Self {
            device: 0x20,
            revision: 1,
            has_device_sdrs: false,
            is_updating: false,
            firmware_major,
            firmware_minor,
            ipmi_version: (2, 0),
            support: 0x80,
            manufacturer,
            product,
        }
    }
}

impl Command for GetDeviceId {
    type Response = DeviceId;

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x01;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        Reader::new(data, "get device id request").finish()?;
        Ok(Self)
    }

    fn encode_response(id: &DeviceId) -> Vec<u8> {
        let (major, minor) = id.ipmi_version;
        let minor_bcd = ((id.firmware_minor / 10 % 10) << 4) | (id.firmware_minor % 10);
        let [m0, m1, m2, _] = id.manufacturer.to_le_bytes();
        let [p0, p1] = id.product.to_le_bytes();
        vec![
            id.device,
            (u8::from(id.has_device_sdrs) << 7) | (id.revision & 0x0f),
            (u8::from(id.is_updating) << 7) | (id.firmware_major & 0x7f),
            minor_bcd,
            (minor << 4) | (major & 0x0f),
            id.support,
            m0,
            m1,
            m2 & 0x0f,
            p0,
            p1,
        ]
    }

    fn decode_response(data: &[u8]) -> Result<DeviceId, CodecError> {
        let mut reader = Reader::new(data, "get device id response");
        let [device, revision, major, minor, version, support] = reader.array()?;
        let [m0, m1, m2] = reader.array()?;
        Ok(DeviceId {
            device,
            revision: revision & 0x0f,
            has_device_sdrs: revision & 0x80 != 0,
            is_updating: major & 0x80 != 0,
            firmware_major: major & 0x7f,
            firmware_minor: (minor >> 4) * 10 + (minor & 0x0f),
            ipmi_version: (version & 0x0f, version >> 4),
            support,
            manufacturer: u32::from_le_bytes([m0, m1, m2 & 0x0f, 0]),
            product: reader.u16()?,
        })
    }
}

/// Get System GUID (IPMI 2.0 §22.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GetSystemGuid;

/// A machine's GUID, in the order of its bytes on the wire.
///
/// The standard's order is the reverse of a UUID's text; many makers use SMBIOS's order. Who reads it has to know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(
    /// The bytes.
    pub [u8; 16],
);

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Command for GetSystemGuid {
    type Response = Guid;

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x37;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        Reader::new(data, "get system guid request").finish()?;
        Ok(Self)
    }

    fn encode_response(guid: &Guid) -> Vec<u8> {
        guid.0.to_vec()
    }

    fn decode_response(data: &[u8]) -> Result<Guid, CodecError> {
        Ok(Guid(Reader::new(data, "get system guid response").array()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_id_round_trips() {
        let id = DeviceId::chassis(0x1_2345, 0x6789, 2, 17);
        let bytes = GetDeviceId::encode_response(&id);
        assert_eq!(
            bytes,
            [
                0x20, 0x01, 0x02, 0x17, 0x02, 0x80, 0x45, 0x23, 0x01, 0x89, 0x67
            ]
        );
        assert_eq!(GetDeviceId::decode_response(&bytes), Ok(id));
    }
}
