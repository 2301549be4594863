//! System boot options (IPMI 2.0 §28.12, §28.13, table 28-14).

use std::fmt;

use super::Command;
use crate::codec::{CodecError, NetFn, Privilege, reader::Reader};

const SET_IN_PROGRESS: u8 = 0;
const VALID_CLEARING: u8 = 3;
const INFO_ACK: u8 = 4;
const FLAGS: u8 = 5;
/// The only version of the parameters' layout.
const PARAMETER_VERSION: u8 = 0x01;
/// In front of a parameter's number: the parameter is locked, or to be.
const INVALID: u8 = 0x80;

/// Which boot option is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootOption(u8);

impl BootOption {
    /// Who is setting options.
    pub const SET_IN_PROGRESS: Self = Self(SET_IN_PROGRESS);
    /// What leaves the boot flags valid.
    pub const VALID_CLEARING: Self = Self(VALID_CLEARING);
    /// Who has taken note of the boot flags.
    pub const INFO_ACK: Self = Self(INFO_ACK);
    /// The boot flags.
    pub const FLAGS: Self = Self(FLAGS);

    /// The option of that number, of which seven bits count.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number & !INVALID)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// How far a series of changes has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SetInProgress {
    /// Nobody is changing anything.
    #[default]
    Complete,
    /// Somebody is changing options.
    InProgress,
    /// The changes are to be kept.
    Commit,
}

/// A boot option with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootParameter {
    /// How far a series of changes has come (0).
    SetInProgress(SetInProgress),
    /// Which events leave the flags valid (3), one bit each; 08h: the 60 seconds without a chassis control.
    ValidClearing(u8),
    /// Which initiators have taken note of the flags (4).
    InfoAck {
        /// The bits that count.
        mask: u8,
        /// One bit for each initiator.
        data: u8,
    },
    /// The boot flags (5).
    Flags(BootFlags),
    /// Any other option.
    Other {
        /// Which.
        option: BootOption,
        /// Its bytes.
        data: Vec<u8>,
    },
}

impl BootParameter {
    /// Which option it is.
    #[must_use]
    pub const fn option(&self) -> BootOption {
        match self {
            Self::SetInProgress(_) => BootOption::SET_IN_PROGRESS,
            Self::ValidClearing(_) => BootOption::VALID_CLEARING,
            Self::InfoAck { .. } => BootOption::INFO_ACK,
            Self::Flags(_) => BootOption::FLAGS,
            Self::Other { option, .. } => *option,
        }
    }

    fn decode(option: BootOption, mut reader: Reader<'_>) -> Result<Self, CodecError> {
        match option.number() {
            SET_IN_PROGRESS => match reader.u8()? & 0x03 {
                0 => Ok(Self::SetInProgress(SetInProgress::Complete)),
                1 => Ok(Self::SetInProgress(SetInProgress::InProgress)),
                2 => Ok(Self::SetInProgress(SetInProgress::Commit)),
                other => Err(CodecError::Invalid {
                    what: "set in progress",
                    value: other.into(),
                }),
            },
            VALID_CLEARING => Ok(Self::ValidClearing(reader.u8()?)),
            INFO_ACK => {
                let [mask, data] = reader.array()?;
                Ok(Self::InfoAck { mask, data })
            }
            FLAGS => Ok(Self::Flags(BootFlags(reader.array()?))),
            _ => Ok(Self::Other {
                option,
                data: reader.rest().to_vec(),
            }),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::SetInProgress(state) => out.push(match state {
                SetInProgress::Complete => 0,
                SetInProgress::InProgress => 1,
                SetInProgress::Commit => 2,
            }),
            Self::ValidClearing(bits) => out.push(*bits),
            Self::InfoAck { mask, data } => out.extend_from_slice(&[*mask, *data]),
            Self::Flags(flags) => out.extend_from_slice(&flags.0),
            Self::Other { data, .. } => out.extend_from_slice(data),
        }
    }
}

/// A device to boot from (IPMI 2.0 table 28-14, parameter 5, data 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BootDevice {
    /// No override.
    None,
    /// The network.
    Pxe,
    /// The default hard disk.
    Disk,
    /// The default hard disk, safe mode.
    SafeMode,
    /// The diagnostic partition.
    Diagnostic,
    /// The default CD or DVD.
    Cdrom,
    /// Firmware's own setup.
    Setup,
    /// The default floppy or other removable medium.
    Floppy,
    /// A selector without a name here.
    Other(u8),
}

impl BootDevice {
    const NAMED: [Self; 8] = [
        Self::None,
        Self::Pxe,
        Self::Disk,
        Self::SafeMode,
        Self::Diagnostic,
        Self::Cdrom,
        Self::Setup,
        Self::Floppy,
    ];

    /// The selector, four bits.
    #[must_use]
    pub const fn selector(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Pxe => 1,
            Self::Disk => 2,
            Self::SafeMode => 3,
            Self::Diagnostic => 4,
            Self::Cdrom => 5,
            Self::Setup => 6,
            Self::Floppy => 15,
            Self::Other(selector) => selector & 0x0f,
        }
    }

    /// The device of that selector, of which four bits count.
    #[must_use]
    pub fn from_selector(selector: u8) -> Self {
        let selector = selector & 0x0f;
        Self::NAMED
            .into_iter()
            .find(|device| device.selector() == selector)
            .unwrap_or(Self::Other(selector))
    }
}

/// The boot flags: what to boot from next, and how (five bytes; those without a name here are kept).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct BootFlags(pub(crate) [u8; 5]);

impl BootFlags {
    const VALID: u8 = 0x80;
    const PERSISTENT: u8 = 0x40;
    const EFI: u8 = 0x20;

    /// Flags that hold for the next boot alone, of a legacy BIOS.
    #[must_use]
    pub const fn next_boot(device: BootDevice) -> Self {
        Self([Self::VALID, device.selector() << 2, 0, 0, 0])
    }

    /// Flags of those bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }

    /// The bytes on the wire.
    #[must_use]
    pub const fn bytes(self) -> [u8; 5] {
        self.0
    }

    /// The same for all boots to come, or for the next alone.
    #[must_use]
    pub const fn persistent(self, persistent: bool) -> Self {
        self.with(Self::PERSISTENT, persistent)
    }

    /// The same for EFI, or for a legacy BIOS.
    #[must_use]
    pub const fn efi(self, efi: bool) -> Self {
        self.with(Self::EFI, efi)
    }

    /// The same, counting or not.
    #[must_use]
    pub const fn valid(self, valid: bool) -> Self {
        self.with(Self::VALID, valid)
    }

    /// What to boot from.
    #[must_use]
    pub fn device(self) -> BootDevice {
        let [_, device, ..] = self.0;
        BootDevice::from_selector(device >> 2)
    }

    /// Whether the flags count.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.has(Self::VALID)
    }

    /// Whether they hold for all boots to come.
    #[must_use]
    pub const fn is_persistent(self) -> bool {
        self.has(Self::PERSISTENT)
    }

    /// Whether they are for EFI.
    #[must_use]
    pub const fn is_efi(self) -> bool {
        self.has(Self::EFI)
    }

    const fn has(self, bit: u8) -> bool {
        let [first, ..] = self.0;
        first & bit != 0
    }

    const fn with(self, bit: u8, set: bool) -> Self {
        let [first, b, c, d, e] = self.0;
        let first = if set { first | bit } else { first & !bit };
        Self([first, b, c, d, e])
    }
}

impl fmt::Debug for BootFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootFlags")
            .field("valid", &self.is_valid())
            .field("device", &self.device())
            .field("persistent", &self.is_persistent())
            .field("efi", &self.is_efi())
            .field("bytes", &self.0)
            .finish()
    }
}

/// Set System Boot Options (IPMI 2.0 §28.12).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetBootOptions {
    /// The option and its value.
    pub parameter: BootParameter,
    /// Whether the option is to be locked.
    pub lock: bool,
}

impl SetBootOptions {
    /// A request to set that option.
    #[must_use]
    pub const fn new(parameter: BootParameter) -> Self {
        Self {
            parameter,
            lock: false,
        }
    }
}

impl Command for SetBootOptions {
    type Response = ();

    const NET_FN: NetFn = NetFn::CHASSIS;
    const NUMBER: u8 = 0x08;
    const PRIVILEGE: Privilege = Privilege::Operator;

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![(u8::from(self.lock) << 7) | self.parameter.option().number()];
        self.parameter.encode(&mut out);
        out
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "set system boot options request");
        let number = reader.u8()?;
        Ok(Self {
            parameter: BootParameter::decode(BootOption::new(number), reader)?,
            lock: number & INVALID != 0,
        })
    }

    fn encode_response((): &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(_data: &[u8]) -> Result<(), CodecError> {
        Ok(())
    }
}

/// Get System Boot Options (IPMI 2.0 §28.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetBootOptions {
    /// Which option.
    pub option: BootOption,
    /// Which set of a parameter that has several; else 0.
    pub set: u8,
    /// Which block of a parameter that has several; else 0.
    pub block: u8,
}

impl GetBootOptions {
    /// A request for that option.
    #[must_use]
    pub const fn new(option: BootOption) -> Self {
        Self {
            option,
            set: 0,
            block: 0,
        }
    }
}

impl Command for GetBootOptions {
    type Response = BootParameter;

    const NET_FN: NetFn = NetFn::CHASSIS;
    const NUMBER: u8 = 0x09;
    const PRIVILEGE: Privilege = Privilege::Operator;

    fn encode(&self) -> Vec<u8> {
        vec![self.option.number(), self.set, self.block]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get system boot options request");
        let [number, set, block] = reader.array()?;
        reader.finish()?;
        Ok(Self {
            option: BootOption::new(number),
            set,
            block,
        })
    }

    fn encode_response(parameter: &BootParameter) -> Vec<u8> {
        let mut out = vec![PARAMETER_VERSION, parameter.option().number()];
        parameter.encode(&mut out);
        out
    }

    fn decode_response(data: &[u8]) -> Result<BootParameter, CodecError> {
        let mut reader = Reader::new(data, "get system boot options response");
        let [_version, number] = reader.array()?;
        BootParameter::decode(BootOption::new(number), reader)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn flags_are_laid_out_as_the_tools_send_them() {
        let flags = BootFlags::next_boot(BootDevice::Pxe)
            .persistent(true)
            .efi(true);
        let request = SetBootOptions::new(BootParameter::Flags(flags));
        assert_eq!(request.encode(), [0x05, 0xe0, 0x04, 0, 0, 0]);
        assert_eq!(
            SetBootOptions::new(BootParameter::ValidClearing(8)).encode(),
            [0x03, 0x08]
        );
    }

    fn parameters() -> impl Strategy<Value = BootParameter> {
        prop_oneof![
            prop::sample::select(vec![
                SetInProgress::Complete,
                SetInProgress::InProgress,
                SetInProgress::Commit
            ])
            .prop_map(BootParameter::SetInProgress),
            any::<u8>().prop_map(BootParameter::ValidClearing),
            any::<(u8, u8)>().prop_map(|(mask, data)| BootParameter::InfoAck { mask, data }),
            any::<[u8; 5]>().prop_map(|bytes| BootParameter::Flags(BootFlags::from_bytes(bytes))),
            (6u8..128, any::<Vec<u8>>()).prop_map(|(number, data)| BootParameter::Other {
                option: BootOption::new(number),
                data
            }),
        ]
    }

    proptest! {
        #[test]
        fn parameters_round_trip(parameter in parameters(), lock: bool) {
            let request = SetBootOptions { parameter: parameter.clone(), lock };
            prop_assert_eq!(SetBootOptions::decode(&request.encode()), Ok(request));
            let response = GetBootOptions::encode_response(&parameter);
            prop_assert_eq!(GetBootOptions::decode_response(&response), Ok(parameter));
        }

        #[test]
        fn devices_round_trip(selector in 0u8..16) {
            let device = BootDevice::from_selector(selector);
            prop_assert_eq!(device.selector(), selector);
            prop_assert_eq!(BootFlags::next_boot(device).device(), device);
        }
    }
}
