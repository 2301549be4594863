//! How a session is opened, seen from the BMC (IPMI 2.0 §13.17 to §13.24).

use std::{net::SocketAddr, time::Instant};

use super::{
    BmcServer,
    replies::Replies,
    session::{ActiveSession, Challenge, Session, Stage},
};
use crate::{
    codec::{
        CipherSuite, MAX_USERNAME, OpenSessionRequest, OpenSessionResponse, PayloadType, Privilege,
        Rakp1, Rakp2, RakpCode, SessionGrant, SessionStatus,
    },
    session::{Handshake, Random, SequenceCounter, SequenceWindow, fresh_id, random_bytes},
};

type Reply = Option<(PayloadType, Vec<u8>)>;

impl BmcServer {
    pub(crate) fn handle_open(
        &mut self,
        now: Instant,
        from: SocketAddr,
        payload: &[u8],
        random: &mut dyn Random,
    ) -> Reply {
        let request = OpenSessionRequest::decode(payload).ok()?;
        let outcome = self.open(now, from, request, random);
        let response = OpenSessionResponse::new(&request, outcome);
        Some((PayloadType::OpenSessionResponse, response.encode()))
    }

    fn open(
        &mut self,
        now: Instant,
        from: SocketAddr,
        request: OpenSessionRequest,
        random: &mut dyn Random,
    ) -> Result<SessionGrant, SessionStatus> {
        let suite = CipherSuite::from_algorithms(request.algorithms)
            .filter(|suite| self.config.suites.contains(suite))
            .ok_or(SessionStatus::NO_CIPHER_SUITE)?;
        let limit = if request.max_privilege == 0 {
            Privilege::Administrator
        } else {
            Privilege::from_number(request.max_privilege)
                .map_err(|_| SessionStatus::INVALID_ROLE)?
        };
        // A repeated request gets the session that the first one got.
        let repeated = self.sessions.iter().find(|(_, session)| {
            session.peer == from
                && session.request == request
                && matches!(session.stage, Stage::Granted)
        });
        let id = match repeated {
            Some((id, _)) => *id,
            None => {
                self.make_room()?;
                let id = fresh_id(random, |id| self.sessions.contains_key(&id));
                let session = Session {
                    peer: from,
                    request,
                    suite,
                    heard: now,
                    stage: Stage::Granted,
                };
                self.sessions.insert(id, session);
                id
            }
        };
        Ok(SessionGrant::new(limit.number(), id, suite.algorithms()))
    }

    /// Gives up, where the table is full, the session that has been opening the longest; never one that is open.
    fn make_room(&mut self) -> Result<(), SessionStatus> {
        if self.sessions.len() < self.config.max_sessions {
            return Ok(());
        }
        let oldest = self
            .sessions
            .iter()
            .filter(|(_, session)| !session.is_active())
            .min_by_key(|(_, session)| session.heard)
            .map(|(id, _)| *id)
            .ok_or(SessionStatus::NO_RESOURCES)?;
        self.remove(oldest);
        Ok(())
    }

    pub(crate) fn handle_rakp1(
        &mut self,
        from: SocketAddr,
        payload: &[u8],
        random: &mut dyn Random,
    ) -> Reply {
        let rakp1 = Rakp1::decode(payload).ok()?;
        let session = self.sessions.get_mut(&rakp1.bmc_session)?;
        if session.peer != from {
            return None;
        }
        let console_session = session.request.console_session;
        let body = payload.get(1..)?.to_vec();
        let challenge = match &session.stage {
            Stage::Granted => {
                let challenge = match Self::challenge(&self.config, session, &rakp1, body, random) {
                    Ok(challenge) => challenge,
                    Err(status) => {
                        self.remove(rakp1.bmc_session);
                        let refusal = Rakp2::refusal(rakp1.tag, console_session, status);
                        return Some((PayloadType::Rakp2, refusal.encode()));
                    }
                };
                session.stage = Stage::Challenged(Box::new(challenge));
                match &session.stage {
                    Stage::Challenged(challenge) => challenge,
                    _ => return None,
                }
            }
            // The same again gets the same answer; anything else would let a stranger spoil the handshake.
            Stage::Challenged(challenge) if challenge.rakp1 == body => challenge,
            Stage::Challenged(_) | Stage::Active(_) => return None,
        };
        let handshake = &challenge.handshake;
        let code = handshake.bmc_code(&challenge.user_key);
        let proof = Rakp2::proof(
            rakp1.tag,
            console_session,
            handshake.bmc_random,
            handshake.guid,
            code.bytes(),
        );
        Some((PayloadType::Rakp2, proof.encode()))
    }

    fn challenge(
        config: &super::BmcConfig,
        session: &Session,
        rakp1: &Rakp1<'_>,
        body: Vec<u8>,
        random: &mut dyn Random,
    ) -> Result<Challenge, SessionStatus> {
        if rakp1.username.len() > MAX_USERNAME {
            return Err(SessionStatus::INVALID_NAME_LENGTH);
        }
        let level =
            Privilege::from_number(rakp1.role.level()).map_err(|_| SessionStatus::INVALID_ROLE)?;
        let granted = session.request.max_privilege;
        if granted != 0 && level.number() > granted {
            return Err(SessionStatus::UNAUTHORIZED_ROLE);
        }
        let user = config
            .find_user(rakp1.username, level, rakp1.role.is_name_only())
            .ok_or(SessionStatus::UNAUTHORIZED_NAME)?;
        if level > user.limit {
            return Err(SessionStatus::UNAUTHORIZED_ROLE);
        }
        let handshake = Handshake {
            suite: session.suite,
            console_session: session.request.console_session,
            bmc_session: rakp1.bmc_session,
            console_random: rakp1.console_random,
            bmc_random: random_bytes(random),
            guid: config.guid.0,
            role: rakp1.role,
            username: rakp1.username.to_vec(),
        };
        Ok(Challenge::new(body, handshake, user, level))
    }

    pub(crate) fn handle_rakp3(&mut self, now: Instant, from: SocketAddr, payload: &[u8]) -> Reply {
        let rakp3 = RakpCode::decode(payload).ok()?;
        let session = self.sessions.get_mut(&rakp3.session)?;
        if session.peer != from {
            return None;
        }
        let console_session = session.request.console_session;
        let check_len = session.suite.integrity_len();
        let tag = rakp3.tag;
        let challenge = match &session.stage {
            Stage::Granted => return None,
            Stage::Challenged(challenge) => challenge,
            Stage::Active(active) => {
                // The console did not get RAKP 4.
                let repeated = rakp3.outcome.is_ok_and(|code| active.rakp3 == code);
                return repeated
                    .then(|| rakp4(tag, console_session, Ok(active.rakp4.truncated(check_len))));
            }
        };
        let Ok(code) = rakp3.outcome else {
            // The console gave up, and expects nothing.
            self.remove(rakp3.session);
            return None;
        };
        let handshake = &challenge.handshake;
        let expected = handshake.console_code(&challenge.user_key);
        if !expected.matches(code, session.suite.digest_len()) {
            self.remove(rakp3.session);
            return Some(rakp4(
                tag,
                console_session,
                Err(SessionStatus::INVALID_INTEGRITY_CHECK),
            ));
        }
        let (keys, check) = handshake.finish(&challenge.user_key, self.config.bmc_key.as_ref());
        let response = rakp4(tag, console_session, Ok(check.truncated(check_len)));
        let limit = challenge.limit;
        session.heard = now;
        session.stage = Stage::Active(Box::new(ActiveSession {
            console_session,
            keys,
            window: SequenceWindow::default(),
            counter: SequenceCounter::default(),
            level: limit.initial(),
            limit,
            replies: Replies::default(),
            rakp3: code.to_vec(),
            rakp4: check,
        }));
        Some(response)
    }
}

fn rakp4(
    tag: u8,
    console_session: u32,
    outcome: Result<&[u8], SessionStatus>,
) -> (PayloadType, Vec<u8>) {
    let message = RakpCode::new(tag, console_session, outcome);
    (PayloadType::Rakp4, message.encode())
}
