use std::{net::SocketAddr, time::Instant};

use super::{config::User, replies::Replies};
use crate::{
    codec::{CipherSuite, OpenSessionRequest, Privilege},
    session::{Digest, Handshake, Key, SequenceCounter, SequenceWindow, SessionKeys},
};

/// A session at the BMC, from Open Session on.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) peer: SocketAddr,
    pub(crate) request: OpenSessionRequest,
    pub(crate) suite: CipherSuite,
    /// When the session began, or the console last proved to be there.
    pub(crate) heard: Instant,
    pub(crate) stage: Stage,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// Open Session was granted.
    Granted,
    /// RAKP 2 was sent.
    Challenged(Box<Challenge>),
    /// RAKP 4 was sent.
    Active(Box<ActiveSession>),
}

/// What the console has to live up to in RAKP 3.
#[derive(Debug)]
pub(crate) struct Challenge {
    /// RAKP 1, but for its tag, to know it again.
    pub(crate) rakp1: Vec<u8>,
    pub(crate) handshake: Handshake,
    pub(crate) user_key: Key,
    pub(crate) limit: Privilege,
}

impl Challenge {
    pub(crate) fn new(rakp1: Vec<u8>, handshake: Handshake, user: &User, limit: Privilege) -> Self {
        Self {
            rakp1,
            handshake,
            user_key: user.password.clone(),
            limit,
        }
    }
}

/// A session that carries commands.
#[derive(Debug)]
pub(crate) struct ActiveSession {
    pub(crate) console_session: u32,
    pub(crate) keys: SessionKeys,
    pub(crate) window: SequenceWindow,
    pub(crate) counter: SequenceCounter,
    pub(crate) level: Privilege,
    pub(crate) limit: Privilege,
    pub(crate) replies: Replies,
    /// RAKP 3's code and RAKP 4's, for a console that did not get the latter.
    pub(crate) rakp3: Vec<u8>,
    pub(crate) rakp4: Digest,
}

impl Session {
    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Active(_))
    }
}
