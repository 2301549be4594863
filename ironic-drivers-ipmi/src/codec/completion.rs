use std::fmt;

/// How a command ended (IPMI 2.0 table 5-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompletionCode(u8);

impl CompletionCode {
    /// The command completed.
    pub const OK: Self = Self(0x00);
    /// Boot options: the parameter is not supported (IPMI 2.0 §28.12).
    pub const PARAMETER_NOT_SUPPORTED: Self = Self(0x80);
    /// Boot options: somebody else's set is in progress (IPMI 2.0 §28.12). Set Session Privilege Level: the level is
    /// not there for this user (IPMI 2.0 §22.18 answers 80h to 82h).
    pub const SET_IN_PROGRESS: Self = Self(0x81);
    /// Boot options: the parameter can only be read (IPMI 2.0 §28.12).
    pub const READ_ONLY: Self = Self(0x82);
    /// The BMC has no resources left for now.
    pub const NODE_BUSY: Self = Self(0xc0);
    /// The BMC does not know the command.
    pub const INVALID_COMMAND: Self = Self(0xc1);
    /// The BMC gave up on the command.
    pub const TIMEOUT: Self = Self(0xc3);
    /// The reservation that the request names is not, or no longer, valid.
    pub const RESERVATION_LOST: Self = Self(0xc5);
    /// The request is of the wrong length.
    pub const INVALID_LENGTH: Self = Self(0xc7);
    /// A parameter is out of range.
    pub const OUT_OF_RANGE: Self = Self(0xc9);
    /// So many bytes cannot be returned.
    pub const TOO_MUCH: Self = Self(0xca);
    /// There is no such sensor, data or record.
    pub const ABSENT: Self = Self(0xcb);
    /// A field of the request is not valid.
    pub const INVALID_FIELD: Self = Self(0xcc);
    /// The BMC is starting up or updating its firmware.
    pub const INITIALIZING: Self = Self(0xd2);
    /// The session's privilege level does not suffice.
    pub const INSUFFICIENT_PRIVILEGE: Self = Self(0xd4);
    /// The command cannot run in the present state, such as a reset of a machine that is off.
    pub const NOT_IN_PRESENT_STATE: Self = Self(0xd5);
    /// Nobody knows.
    pub const UNSPECIFIED: Self = Self(0xff);

    /// The code of that number.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether the command completed.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Whether the same command may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self.0,
            0xc0 | 0xc3 | 0xc4 | 0xce | 0xcf | 0xd0 | 0xd1 | 0xd2 | 0xff
        )
    }

    /// Whether there is no such thing as was asked for.
    pub(crate) const fn is_absent(self) -> bool {
        matches!(self.0, 0xc9 | 0xcb)
    }

    /// Whether less may be had where so much was not: BMCs say so in many ways.
    pub(crate) const fn is_too_much(self) -> bool {
        matches!(self.0, 0xc4 | 0xc6..=0xc8 | 0xca | 0xff)
    }

    /// What the code means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self.0 {
            0x00 => "completed",
            0x01..=0x7e => "device-specific code",
            0x80..=0xbe => "command-specific code",
            0xc0 => "node busy",
            0xc1 => "command not known",
            0xc2 => "command not known to that logical unit",
            0xc3 => "timed out inside the BMC",
            0xc4 => "out of space",
            0xc5 => "reservation lost",
            0xc6 => "request data truncated",
            0xc7 => "request of the wrong length",
            0xc8 => "request data too long",
            0xc9 => "parameter out of range",
            0xca => "cannot return that many bytes",
            0xcb => "no such sensor, data or record",
            0xcc => "invalid field in the request",
            0xcd => "command not legal for that sensor or record",
            0xce => "response not available",
            0xcf => "duplicate request",
            0xd0 => "sensor records are being updated",
            0xd1 => "firmware is being updated",
            0xd2 => "BMC is starting up",
            0xd3 => "destination not available",
            0xd4 => "privilege level too low",
            0xd5 => "not possible in the present state",
            0xd6 => "sub-function disabled",
            0xff => "unspecified error",
            _ => "reserved code",
        }
    }
}

impl fmt::Display for CompletionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#04x})", self.meaning(), self.0)
    }
}
