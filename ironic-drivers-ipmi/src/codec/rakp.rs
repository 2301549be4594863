//! The messages that open a session: Open Session and RAKP 1 to 4 (IPMI 2.0 §13.17 to §13.24).

use super::{Algorithms, CodecError, SessionStatus, reader::Reader};

/// The longest user name, in bytes.
pub const MAX_USERNAME: usize = 16;

/// In RAKP 1's role: look the user up by name alone, not by name and level (IPMI 2.0 §13.20).
const NAME_ONLY: u8 = 0x10;

/// The remote console asks for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenSessionRequest {
    /// Comes back in the response.
    pub tag: u8,
    /// The highest privilege level wanted; 0 for the highest that the algorithms allow.
    pub max_privilege: u8,
    /// The id by which the console wants to be addressed.
    pub console_session: u32,
    /// What it proposes.
    pub algorithms: Algorithms,
}

impl OpenSessionRequest {
    /// A request for a session.
    #[must_use]
    pub const fn new(
        tag: u8,
        max_privilege: u8,
        console_session: u32,
        algorithms: Algorithms,
    ) -> Self {
        Self {
            tag,
            max_privilege,
            console_session,
            algorithms,
        }
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// It is not laid out as IPMI 2.0 §13.17 says.
    pub fn decode(payload: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(payload, "open session request");
        let [tag, privilege, _, _] = reader.array()?;
        Ok(Self {
            tag,
            max_privilege: privilege & 0x0f,
            console_session: reader.u32()?,
            algorithms: Algorithms::decode(&mut reader)?,
        })
    }

    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.tag, self.max_privilege & 0x0f, 0, 0];
        out.extend_from_slice(&self.console_session.to_le_bytes());
        self.algorithms.encode(&mut out);
        out
    }
}

/// The BMC grants or refuses a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenSessionResponse {
    /// The request's tag.
    pub tag: u8,
    /// The id that the console gave; 0 in a refusal that was cut short.
    pub console_session: u32,
    /// What was granted, or why nothing was.
    pub outcome: Result<SessionGrant, SessionStatus>,
}

/// What the BMC grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionGrant {
    /// The highest privilege level that the algorithms allow.
    pub max_privilege: u8,
    /// The id by which the BMC wants to be addressed.
    pub bmc_session: u32,
    /// The algorithms of the session.
    pub algorithms: Algorithms,
}

impl SessionGrant {
    /// A session granted.
    #[must_use]
    pub const fn new(max_privilege: u8, bmc_session: u32, algorithms: Algorithms) -> Self {
        Self {
            max_privilege,
            bmc_session,
            algorithms,
        }
    }
}

impl OpenSessionResponse {
    /// The response to a request.
    #[must_use]
    pub const fn new(
        request: &OpenSessionRequest,
        outcome: Result<SessionGrant, SessionStatus>,
    ) -> Self {
        Self {
            tag: request.tag,
            console_session: request.console_session,
            outcome,
        }
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// It is not laid out as IPMI 2.0 §13.18 says.
    pub fn decode(payload: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(payload, "open session response");
        let [tag, status] = reader.array()?;
        let status = SessionStatus::new(status);
        if !status.is_ok() {
            let console_session = refused_session(reader);
            return Ok(Self {
                tag,
                console_session,
                outcome: Err(status),
            });
        }
        let [privilege, _] = reader.array()?;
        Ok(Self {
            tag,
            console_session: reader.u32()?,
            outcome: Ok(SessionGrant {
                max_privilege: privilege & 0x0f,
                bmc_session: reader.u32()?,
                algorithms: Algorithms::decode(&mut reader)?,
            }),
        })
    }

    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self.outcome {
            Ok(grant) => {
                let mut out = vec![self.tag, 0, grant.max_privilege & 0x0f, 0];
                out.extend_from_slice(&self.console_session.to_le_bytes());
                out.extend_from_slice(&grant.bmc_session.to_le_bytes());
                grant.algorithms.encode(&mut out);
                out
            }
            Err(status) => refusal(self.tag, status, self.console_session),
        }
    }
}

/// The role that RAKP 1 asks for: a level, and how to look the user up.
///
/// The byte goes into every digest of the handshake as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role(u8);

impl Role {
    /// A role of that level (0 to 15).
    #[must_use]
    pub const fn new(level: u8, name_only: bool) -> Self {
        Self((level & 0x0f) | if name_only { NAME_ONLY } else { 0 })
    }

    /// The level's number.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.0 & 0x0f
    }

    /// Whether the level plays no part in finding the user.
    #[must_use]
    pub const fn is_name_only(self) -> bool {
        self.0 & NAME_ONLY != 0
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }
}

/// The console says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rakp1<'a> {
    /// Comes back in RAKP 2.
    pub tag: u8,
    /// The BMC's session id.
    pub bmc_session: u32,
    /// The console's random number.
    pub console_random: [u8; 16],
    /// The role wanted.
    pub role: Role,
    /// The user's name, at most [`MAX_USERNAME`] bytes.
    pub username: &'a [u8],
}

impl<'a> Rakp1<'a> {
    /// A RAKP message 1.
    #[must_use]
    pub const fn new(
        tag: u8,
        bmc_session: u32,
        console_random: [u8; 16],
        role: Role,
        username: &'a [u8],
    ) -> Self {
        Self {
            tag,
            bmc_session,
            console_random,
            role,
            username,
        }
    }

    /// Reads the payload. A name that is too long is left for the session to refuse.
    ///
    /// # Errors
    /// It is not laid out as IPMI 2.0 §13.20 says.
    pub fn decode(payload: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(payload, "rakp message 1");
        let [tag, _, _, _] = reader.array()?;
        let bmc_session = reader.u32()?;
        let console_random = reader.array()?;
        let [role, _, _, name_len] = reader.array()?;
        Ok(Self {
            tag,
            bmc_session,
            console_random,
            // The level and the look-up bit; the reserved bits are kept, as the digests cover them.
            role: Role(role),
            username: reader.take(name_len.into())?,
        })
    }

    /// Writes the payload; of the name at most [`MAX_USERNAME`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let name = self.username.get(..MAX_USERNAME).unwrap_or(self.username);
        let mut out = vec![self.tag, 0, 0, 0];
        out.extend_from_slice(&self.bmc_session.to_le_bytes());
        out.extend_from_slice(&self.console_random);
        out.extend_from_slice(&[self.role.0, 0, 0, u8::try_from(name.len()).unwrap_or(0)]);
        out.extend_from_slice(name);
        out
    }
}

/// The BMC proves that it knows the password, or refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rakp2<'a> {
    /// RAKP 1's tag.
    pub tag: u8,
    /// The console's session id.
    pub console_session: u32,
    /// What the BMC shows, or why it shows nothing.
    pub outcome: Result<BmcProof<'a>, SessionStatus>,
}

/// What RAKP 2 shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BmcProof<'a> {
    /// The BMC's random number.
    pub bmc_random: [u8; 16],
    /// The machine's GUID.
    pub guid: [u8; 16],
    /// The key exchange authentication code.
    pub code: &'a [u8],
}

impl<'a> Rakp2<'a> {
    /// A RAKP message 2 that proves the password.
    #[must_use]
    pub const fn proof(
        tag: u8,
        console_session: u32,
        bmc_random: [u8; 16],
        guid: [u8; 16],
        code: &'a [u8],
    ) -> Self {
        Self {
            tag,
            console_session,
            outcome: Ok(BmcProof {
                bmc_random,
                guid,
                code,
            }),
        }
    }

    /// A RAKP message 2 that refuses.
    #[must_use]
    pub const fn refusal(tag: u8, console_session: u32, status: SessionStatus) -> Self {
        Self {
            tag,
            console_session,
            outcome: Err(status),
        }
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// It is not laid out as IPMI 2.0 §13.21 says.
    pub fn decode(payload: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(payload, "rakp message 2");
        let [tag, status] = reader.array()?;
        let status = SessionStatus::new(status);
        if !status.is_ok() {
            return Ok(Self::refusal(tag, refused_session(reader), status));
        }
        reader.take(2)?;
        Ok(Self {
            tag,
            console_session: reader.u32()?,
            outcome: Ok(BmcProof {
                bmc_random: reader.array()?,
                guid: reader.array()?,
                code: reader.rest(),
            }),
        })
    }

    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self.outcome {
            Ok(proof) => {
                let mut out = refusal(self.tag, SessionStatus::OK, self.console_session);
                out.extend_from_slice(&proof.bmc_random);
                out.extend_from_slice(&proof.guid);
                out.extend_from_slice(proof.code);
                out
            }
            Err(status) => refusal(self.tag, status, self.console_session),
        }
    }
}

/// The third and the fourth message: a status, a session id, and a code where all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RakpCode<'a> {
    /// The tag; RAKP 4 repeats RAKP 3's.
    pub tag: u8,
    /// The id of the end that the message is for: the BMC's in RAKP 3, the console's in RAKP 4.
    pub session: u32,
    /// The code that proves the sender, or why it gives up.
    pub outcome: Result<&'a [u8], SessionStatus>,
}

impl<'a> RakpCode<'a> {
    /// A RAKP message 3 or 4.
    #[must_use]
    pub const fn new(tag: u8, session: u32, outcome: Result<&'a [u8], SessionStatus>) -> Self {
        Self {
            tag,
            session,
            outcome,
        }
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// It is not laid out as IPMI 2.0 §13.22 and §13.23 say.
    pub fn decode(payload: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(payload, "rakp message 3 or 4");
        let [tag, status] = reader.array()?;
        let status = SessionStatus::new(status);
        if !status.is_ok() {
            return Ok(Self::new(tag, refused_session(reader), Err(status)));
        }
        reader.take(2)?;
        Ok(Self {
            tag,
            session: reader.u32()?,
            outcome: Ok(reader.rest()),
        })
    }

    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self.outcome {
            Ok(code) => {
                let mut out = refusal(self.tag, SessionStatus::OK, self.session);
                out.extend_from_slice(code);
                out
            }
            Err(status) => refusal(self.tag, status, self.session),
        }
    }
}

/// The session id behind a status that refuses; 0 where the message ends before it, as some BMCs' do.
fn refused_session(mut reader: Reader<'_>) -> u32 {
    reader
        .take(2)
        .and_then(|_reserved| reader.u32())
        .unwrap_or(0)
}

fn refusal(tag: u8, status: SessionStatus, session: u32) -> Vec<u8> {
    let mut out = vec![tag, status.number(), 0, 0];
    out.extend_from_slice(&session.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::CipherSuite;

    fn suites() -> impl Strategy<Value = Algorithms> {
        prop::sample::select(
            CipherSuite::PREFERENCE
                .map(CipherSuite::algorithms)
                .to_vec(),
        )
    }

    fn statuses() -> impl Strategy<Value = SessionStatus> {
        (1u8..).prop_map(SessionStatus::new)
    }

    proptest! {
        #[test]
        fn open_session_round_trips(tag: u8, level in 0u8..5, console: u32, bmc: u32, algorithms in suites(), status in statuses()) {
            let request = OpenSessionRequest::new(tag, level, console, algorithms);
            prop_assert_eq!(request.encode().len(), 32);
            prop_assert_eq!(OpenSessionRequest::decode(&request.encode()), Ok(request));
            for outcome in [Ok(SessionGrant::new(level, bmc, algorithms)), Err(status)] {
                let response = OpenSessionResponse::new(&request, outcome);
                prop_assert_eq!(OpenSessionResponse::decode(&response.encode()), Ok(response));
            }
        }

        #[test]
        fn rakp_round_trips(tag: u8, session: u32, random: [u8; 16], guid: [u8; 16], level in 0u8..16, by_name: bool,
                            name in prop::collection::vec(any::<u8>(), 0..=16), code: Vec<u8>, status in statuses()) {
            let first = Rakp1::new(tag, session, random, Role::new(level, by_name), &name);
            let bytes = first.encode();
            prop_assert_eq!(Rakp1::decode(&bytes), Ok(first));
            for second in [Rakp2::proof(tag, session, random, guid, &code), Rakp2::refusal(tag, session, status)] {
                let bytes = second.encode();
                prop_assert_eq!(Rakp2::decode(&bytes), Ok(second));
            }
            for third in [RakpCode::new(tag, session, Ok(&code)), RakpCode::new(tag, session, Err(status))] {
                let bytes = third.encode();
                prop_assert_eq!(RakpCode::decode(&bytes), Ok(third));
            }
        }

        #[test]
        fn random_bytes_are_an_error_or_a_message(bytes: Vec<u8>) {
            let _ = OpenSessionRequest::decode(&bytes);
            let _ = OpenSessionResponse::decode(&bytes);
            let _ = Rakp1::decode(&bytes);
            let _ = Rakp2::decode(&bytes);
            let _ = RakpCode::decode(&bytes);
        }
    }
}
