use super::Command;
use crate::codec::{CodecError, NetFn, Privilege, reader::Reader};

/// The channel that the request itself comes through (IPMI 2.0 §6.3).
pub const THIS_CHANNEL: u8 = 0x0e;

/// How many bytes of cipher suite records one response holds at most.
const CHUNK: usize = 16;

/// Get Channel Authentication Capabilities (IPMI 2.0 §22.13); it needs no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetAuthenticationCapabilities {
    /// The channel asked about.
    pub channel: u8,
    /// Whether IPMI 2.0's capabilities are to be in the answer.
    pub extended: bool,
    /// The privilege level that the session is to have.
    pub privilege: Privilege,
}

impl GetAuthenticationCapabilities {
    /// A request about the channel that it comes through.
    #[must_use]
    pub const fn new(privilege: Privilege) -> Self {
        Self {
            channel: THIS_CHANNEL,
            extended: true,
            privilege,
        }
    }
}

/// How sessions can be opened on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticationCapabilities {
    /// The channel's number.
    pub channel: u8,
    /// Whether the channel speaks RMCP+.
    pub rmcp_plus: bool,
    /// Whether a BMC key other than zero is set.
    pub has_bmc_key: bool,
    /// Whether users with a name can open a session.
    pub named_users: bool,
    /// Whether users without a name, but with a password, can.
    pub null_users: bool,
    /// Whether a user with neither can.
    pub anonymous: bool,
}

impl AuthenticationCapabilities {
    /// A channel for RMCP+ and for named users alone.
    #[must_use]
    pub const fn rmcp_plus(channel: u8, has_bmc_key: bool) -> Self {
        Self {
            channel,
            rmcp_plus: true,
            has_bmc_key,
            named_users: true,
            null_users: false,
            anonymous: false,
        }
    }
}

impl Command for GetAuthenticationCapabilities {
    type Response = AuthenticationCapabilities;

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x38;
    const PRIVILEGE: Privilege = Privilege::Callback;

    fn encode(&self) -> Vec<u8> {
        vec![
            (u8::from(self.extended) << 7) | (self.channel & 0x0f),
            self.privilege.number(),
        ]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get channel authentication capabilities request");
        let [channel, privilege] = reader.array()?;
        reader.finish()?;
        Ok(Self {
            channel: channel & 0x0f,
            extended: channel & 0x80 != 0,
            privilege: Privilege::from_number(privilege & 0x0f)?,
        })
    }

    fn encode_response(response: &AuthenticationCapabilities) -> Vec<u8> {
        let status = (u8::from(response.has_bmc_key) << 5)
            | (u8::from(response.named_users) << 2)
            | (u8::from(response.null_users) << 1)
            | u8::from(response.anonymous);
        let mut out = vec![
            response.channel & 0x0f,
            // Bit 7: the fifth byte counts. None of IPMI 1.5's authentication types.
            u8::from(response.rmcp_plus) << 7,
            status,
            u8::from(response.rmcp_plus) << 1,
        ];
        out.extend_from_slice(&[0; 4]);
        out
    }

    fn decode_response(data: &[u8]) -> Result<AuthenticationCapabilities, CodecError> {
        let mut reader = Reader::new(data, "get channel authentication capabilities response");
        let [channel, types, status, extended, _, _, _, _] = reader.array()?;
        Ok(AuthenticationCapabilities {
            channel: channel & 0x0f,
            rmcp_plus: types & 0x80 != 0 && extended & 0x02 != 0,
            has_bmc_key: status & 0x20 != 0,
            named_users: status & 0x04 != 0,
            null_users: status & 0x02 != 0,
            anonymous: status & 0x01 != 0,
        })
    }
}

/// Get Channel Cipher Suites (IPMI 2.0 §22.15); it needs no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetCipherSuites {
    /// The channel asked about.
    pub channel: u8,
    /// The payload type asked about: 0 for IPMI messages.
    pub payload: u8,
    /// Whether whole suites are listed; else algorithms, each once.
    pub by_suite: bool,
    /// Which run of sixteen bytes of the list, 0 to 63.
    pub index: u8,
}

impl GetCipherSuites {
    /// A request for one run of the list of whole suites.
    #[must_use]
    pub const fn new(index: u8) -> Self {
        Self {
            channel: THIS_CHANNEL,
            payload: 0,
            by_suite: true,
            index: index & 0x3f,
        }
    }
}

/// One run of a channel's list of cipher suites.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CipherSuiteChunk {
    /// The channel's number.
    pub channel: u8,
    /// Up to sixteen bytes of the list; fewer in the last run.
    pub records: Vec<u8>,
}

impl CipherSuiteChunk {
    /// The run of that index of a whole list.
    #[must_use]
    pub fn of_list(channel: u8, list: &[u8], index: u8) -> Self {
        let records = list
            .chunks(CHUNK)
            .nth(index.into())
            .unwrap_or_default()
            .to_vec();
        Self { channel, records }
    }

    /// Whether no further run follows.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.records.len() < CHUNK
    }
}

impl Command for GetCipherSuites {
    type Response = CipherSuiteChunk;

    const NET_FN: NetFn = NetFn::APP;
    const NUMBER: u8 = 0x54;
    const PRIVILEGE: Privilege = Privilege::Callback;

    fn encode(&self) -> Vec<u8> {
        vec![
            self.channel & 0x0f,
            self.payload & 0x3f,
            (u8::from(self.by_suite) << 7) | (self.index & 0x3f),
        ]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get channel cipher suites request");
        let [channel, payload, index] = reader.array()?;
        reader.finish()?;
        Ok(Self {
            channel: channel & 0x0f,
            payload: payload & 0x3f,
            by_suite: index & 0x80 != 0,
            index: index & 0x3f,
        })
    }

    fn encode_response(response: &CipherSuiteChunk) -> Vec<u8> {
        let mut out = vec![response.channel];
        out.extend(response.records.iter().take(CHUNK));
        out
    }

    fn decode_response(data: &[u8]) -> Result<CipherSuiteChunk, CodecError> {
        let mut reader = Reader::new(data, "get channel cipher suites response");
        let channel = reader.u8()?;
        let records = reader.rest();
        if records.len() > CHUNK {
            return Err(CodecError::Trailing {
                what: "cipher suite records",
                extra: records.len() - CHUNK,
            });
        }
        Ok(CipherSuiteChunk {
            channel,
            records: records.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_round_trip() {
        let capabilities = AuthenticationCapabilities::rmcp_plus(1, true);
        let bytes = GetAuthenticationCapabilities::encode_response(&capabilities);
        assert_eq!(bytes, [0x01, 0x80, 0x24, 0x02, 0, 0, 0, 0]);
        assert_eq!(
            GetAuthenticationCapabilities::decode_response(&bytes),
            Ok(capabilities)
        );
        let request = GetAuthenticationCapabilities::new(Privilege::Administrator);
        assert_eq!(request.encode(), [0x8e, 0x04]);
        assert_eq!(
            GetAuthenticationCapabilities::decode(&request.encode()),
            Ok(request)
        );
    }

    #[test]
    fn a_list_ends_with_a_short_run() {
        let list: Vec<u8> = (0..40).collect();
        let runs: Vec<_> = (0..4)
            .map(|index| CipherSuiteChunk::of_list(1, &list, index))
            .collect();
        assert_eq!(
            runs.iter().map(|run| run.records.len()).collect::<Vec<_>>(),
            [16, 16, 8, 0]
        );
        assert_eq!(
            runs.iter()
                .map(CipherSuiteChunk::is_last)
                .collect::<Vec<_>>(),
            [false, false, true, true]
        );
    }
}
