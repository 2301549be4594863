use std::fmt;

use super::Command;
use crate::codec::{CodecError, NetFn, Privilege, reader::Reader};

/// Get Chassis Status (IPMI 2.0 §28.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GetChassisStatus;

/// What a chassis says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChassisStatus {
    power_state: u8,
    last_event: u8,
    misc: u8,
}

impl ChassisStatus {
    /// A chassis of which only the power is known.
    #[must_use]
    pub const fn powered(on: bool) -> Self {
        Self {
            power_state: on as u8,
            last_event: 0,
            misc: 0,
        }
    }

    /// Whether the system's power is on.
    #[must_use]
    pub const fn is_powered(self) -> bool {
        self.power_state & 0x01 != 0
    }

    /// Whether power went off by an overload or a fault, as far as the BMC can tell.
    #[must_use]
    pub const fn is_power_fault(self) -> bool {
        self.power_state & 0x0a != 0
    }

    /// Whether the chassis intrusion switch has fired.
    #[must_use]
    pub const fn is_intruded(self) -> bool {
        self.misc & 0x01 != 0
    }

    /// The bytes as they travel: power state, last power event, miscellaneous.
    #[must_use]
    pub const fn bytes(self) -> [u8; 3] {
        [self.power_state, self.last_event, self.misc]
    }
}

impl Command for GetChassisStatus {
    type Response = ChassisStatus;

    const NET_FN: NetFn = NetFn::CHASSIS;
    const NUMBER: u8 = 0x01;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        Reader::new(data, "get chassis status request").finish()?;
        Ok(Self)
    }

    fn encode_response(response: &ChassisStatus) -> Vec<u8> {
        response.bytes().to_vec()
    }

    fn decode_response(data: &[u8]) -> Result<ChassisStatus, CodecError> {
        let mut reader = Reader::new(data, "get chassis status response");
        // A fourth byte, of front panel buttons, is optional.
        let [power_state, last_event, misc] = reader.array()?;
        Ok(ChassisStatus {
            power_state,
            last_event,
            misc,
        })
    }
}

/// Chassis Control (IPMI 2.0 §28.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChassisControl(
    /// What the chassis is to do.
    pub ChassisAction,
);

impl ChassisControl {
    /// A request for that action.
    #[must_use]
    pub const fn new(action: ChassisAction) -> Self {
        Self(action)
    }
}

/// What a chassis can be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChassisAction {
    /// Power off at once.
    PowerDown,
    /// Power on.
    PowerUp,
    /// Power off, a second or more of pause, power on.
    PowerCycle,
    /// Reset without a change of power.
    HardReset,
    /// Interrupt the operating system for a dump (NMI).
    DiagnosticInterrupt,
    /// Ask the operating system, through ACPI, to shut down.
    SoftShutdown,
}

impl ChassisAction {
    /// Every action.
    pub const ALL: [Self; 6] = [
        Self::PowerDown,
        Self::PowerUp,
        Self::PowerCycle,
        Self::HardReset,
        Self::DiagnosticInterrupt,
        Self::SoftShutdown,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::PowerDown => 0,
            Self::PowerUp => 1,
            Self::PowerCycle => 2,
            Self::HardReset => 3,
            Self::DiagnosticInterrupt => 4,
            Self::SoftShutdown => 5,
        }
    }

    /// Whether doing it twice in a row comes to the same as doing it once.
    #[must_use]
    pub const fn is_repeatable(self) -> bool {
        matches!(self, Self::PowerDown | Self::PowerUp | Self::SoftShutdown)
    }
}

impl fmt::Display for ChassisAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerDown => "power down",
            Self::PowerUp => "power up",
            Self::PowerCycle => "power cycle",
            Self::HardReset => "hard reset",
            Self::DiagnosticInterrupt => "diagnostic interrupt",
            Self::SoftShutdown => "soft shutdown",
        })
    }
}

impl Command for ChassisControl {
    type Response = ();

    const NET_FN: NetFn = NetFn::CHASSIS;
    const NUMBER: u8 = 0x02;
    const PRIVILEGE: Privilege = Privilege::Operator;

    fn is_repeatable(&self) -> bool {
        self.0.is_repeatable()
    }

    fn encode(&self) -> Vec<u8> {
        vec![self.0.number()]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "chassis control request");
        let number = reader.u8()? & 0x0f;
        reader.finish()?;
        ChassisAction::ALL
            .into_iter()
            .find(|action| action.number() == number)
            .map(Self)
            .ok_or(CodecError::Invalid {
                what: "chassis control",
                value: number.into(),
            })
    }

    fn encode_response((): &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(_data: &[u8]) -> Result<(), CodecError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_carry_the_numbers_of_the_standard() {
        for (number, action) in (0u8..).zip(ChassisAction::ALL) {
            assert_eq!(ChassisControl(action).encode(), [number]);
            assert_eq!(
                ChassisControl::decode(&[number]),
                Ok(ChassisControl(action))
            );
        }
        assert!(ChassisControl::decode(&[6]).is_err());
        assert!(ChassisControl::decode(&[]).is_err());
        assert!(ChassisControl::decode(&[1, 2]).is_err());
    }

    #[test]
    fn status_round_trips_with_and_without_its_fourth_byte() {
        for on in [false, true] {
            let bytes = GetChassisStatus::encode_response(&ChassisStatus::powered(on));
            let status = GetChassisStatus::decode_response(&bytes).unwrap();
            assert_eq!(status.is_powered(), on);
        }
        assert!(
            GetChassisStatus::decode_response(&[0x61, 0x10, 0x40, 0x70])
                .unwrap()
                .is_powered()
        );
        assert!(GetChassisStatus::decode_response(&[1, 0]).is_err());
    }
}
