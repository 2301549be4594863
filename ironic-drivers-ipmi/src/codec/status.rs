use std::fmt;

/// How a step of opening a session went (IPMI 2.0 table 13-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionStatus(u8);

impl SessionStatus {
    /// No error.
    pub const OK: Self = Self(0x00);
    /// No room for another session.
    pub const NO_RESOURCES: Self = Self(0x01);
    /// The session id is not known.
    pub const INVALID_SESSION: Self = Self(0x02);
    /// The authentication algorithm is not supported.
    pub const INVALID_AUTHENTICATION: Self = Self(0x04);
    /// The integrity algorithm is not supported.
    pub const INVALID_INTEGRITY: Self = Self(0x05);
    /// No authentication payload suits.
    pub const NO_AUTHENTICATION_MATCH: Self = Self(0x06);
    /// No integrity payload suits.
    pub const NO_INTEGRITY_MATCH: Self = Self(0x07);
    /// The role does not exist.
    pub const INVALID_ROLE: Self = Self(0x09);
    /// The user may not have the role.
    pub const UNAUTHORIZED_ROLE: Self = Self(0x0a);
    /// The user name is too long.
    pub const INVALID_NAME_LENGTH: Self = Self(0x0c);
    /// The user is not known.
    pub const UNAUTHORIZED_NAME: Self = Self(0x0d);
    /// The other end's proof of the password is wrong.
    pub const INVALID_INTEGRITY_CHECK: Self = Self(0x0f);
    /// The confidentiality algorithm is not supported.
    pub const INVALID_CONFIDENTIALITY: Self = Self(0x10);
    /// The algorithms proposed are no cipher suite of the BMC.
    pub const NO_CIPHER_SUITE: Self = Self(0x11);
    /// A parameter is not understood.
    pub const ILLEGAL_PARAMETER: Self = Self(0x12);

    /// The status of that number.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether there was no error.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Whether the other end cannot do the algorithms that were proposed.
    #[must_use]
    pub const fn is_algorithm_refusal(self) -> bool {
        matches!(self.0, 0x04 | 0x05 | 0x06 | 0x07 | 0x10 | 0x11)
    }

    /// What the status means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self.0 {
            0x00 => "no error",
            0x01 => "no room for another session",
            0x02 => "session id not known",
            0x03 => "payload type not known",
            0x04 => "authentication algorithm not supported",
            0x05 => "integrity algorithm not supported",
            0x06 => "no matching authentication payload",
            0x07 => "no matching integrity payload",
            0x08 => "session id not active",
            0x09 => "no such role",
            0x0a => "role not allowed to that user",
            0x0b => "no room for another session at that role",
            0x0c => "user name of invalid length",
            0x0d => "user name not allowed",
            0x0e => "GUID not allowed",
            0x0f => "integrity check failed",
            0x10 => "confidentiality algorithm not supported",
            0x11 => "no such cipher suite",
            0x12 => "parameter not understood",
            _ => "reserved status",
        }
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#04x})", self.meaning(), self.0)
    }
}
