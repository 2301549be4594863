use std::fmt;

use super::CodecError;

/// A privilege level (IPMI 2.0 §6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    /// May ask for a call back and nothing else.
    Callback = 1,
    /// May read.
    User = 2,
    /// May also act on the machine.
    Operator = 3,
    /// May also configure the BMC.
    Administrator = 4,
}

impl Privilege {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The level of that number.
    ///
    /// # Errors
    /// The number is reserved, or the OEM level.
    pub fn from_number(number: u8) -> Result<Self, CodecError> {
        match number {
            1 => Ok(Self::Callback),
            2 => Ok(Self::User),
            3 => Ok(Self::Operator),
            4 => Ok(Self::Administrator),
            other => Err(CodecError::Invalid {
                what: "privilege level",
                value: other.into(),
            }),
        }
    }

    /// Where a session starts that was opened for this level at most (IPMI 2.0 §22.18).
    #[must_use]
    pub fn initial(self) -> Self {
        self.min(Self::User)
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Callback => "callback",
            Self::User => "user",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        })
    }
}
