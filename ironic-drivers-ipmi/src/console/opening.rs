//! How a session is opened, seen from the console (IPMI 2.0 §13.17 to §13.24): three exchanges.

use super::{AuthenticationFailure, ConsoleConfig, IpmiError, open::Open};
use crate::{
    codec::{
        CipherSuite, OpenSessionRequest, OpenSessionResponse, PayloadType, Rakp1, Rakp2, RakpCode,
        Role, SessionStatus, encode_outside,
    },
    session::{Digest, Handshake, Random, SessionKeys, random_bytes},
};

/// A session that is being opened.
#[derive(Debug)]
pub(crate) struct Opening {
    suite: CipherSuite,
    console_session: u32,
    tag: u8,
    stage: Stage,
    /// What was sent last, to be sent again as it is.
    pub(crate) datagram: Vec<u8>,
}

#[derive(Debug)]
enum Stage {
    Asked,
    Named(Handshake),
    Proved {
        bmc_session: u32,
        keys: SessionKeys,
        check: Digest,
    },
}

/// Where an answer takes the handshake.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nowhere: the datagram is not the answer that is waited for.
    Ignored,
    /// To the next message, which is to be sent.
    Next,
    /// To its end.
    Opened(Box<Open>),
    /// Nowhere with this cipher suite.
    OtherSuite,
    /// To failure; perhaps with a last message to the BMC, so that it gives the session up.
    Failed(IpmiError, Option<Vec<u8>>),
}

impl Opening {
    /// Begins: the first message is to be sent.
    pub(crate) fn start(
        config: &ConsoleConfig,
        suite: CipherSuite,
        console_session: u32,
        tag: u8,
    ) -> Self {
        let request = OpenSessionRequest::new(
            tag,
            config.privilege.number(),
            console_session,
            suite.algorithms(),
        );
        Self {
            suite,
            console_session,
            tag,
            stage: Stage::Asked,
            datagram: encode_outside(PayloadType::OpenSessionRequest, &request.encode()),
        }
    }

    /// What the BMC has not answered yet.
    pub(crate) const fn waits_for(&self) -> &'static str {
        match self.stage {
            Stage::Asked => "open session",
            Stage::Named(_) => "rakp message 1",
            Stage::Proved { .. } => "rakp message 3",
        }
    }

    /// Whether the BMC has answered at all.
    pub(crate) const fn is_answered(&self) -> bool {
        !matches!(self.stage, Stage::Asked)
    }

    /// Takes a payload in.
    pub(crate) fn handle(
        &mut self,
        config: &ConsoleConfig,
        kind: PayloadType,
        payload: &[u8],
        random: &mut dyn Random,
    ) -> Step {
        match (&self.stage, kind) {
            (Stage::Asked, PayloadType::OpenSessionResponse) => {
                self.opened(config, payload, random)
            }
            (Stage::Named(_), PayloadType::Rakp2) => self.challenged(config, payload),
            (Stage::Proved { .. }, PayloadType::Rakp4) => self.finished(config, payload),
            _ => Step::Ignored,
        }
    }

    fn opened(&mut self, config: &ConsoleConfig, payload: &[u8], random: &mut dyn Random) -> Step {
        let Ok(response) = OpenSessionResponse::decode(payload) else {
            return Step::Ignored;
        };
        if response.tag != self.tag
            || !self.is_mine(response.console_session, response.outcome.is_err())
        {
            return Step::Ignored;
        }
        let grant = match response.outcome {
            Ok(grant) => grant,
            Err(status) if status.is_algorithm_refusal() => return Step::OtherSuite,
            Err(status) => return Step::Failed(refusal(config, status), None),
        };
        // Some BMCs grant a weaker suite than was asked for, without a word.
        if grant.algorithms != self.suite.algorithms() {
            return Step::OtherSuite;
        }
        let role = Role::new(config.privilege.number(), true);
        let handshake = Handshake {
            suite: self.suite,
            console_session: self.console_session,
            bmc_session: grant.bmc_session,
            console_random: random_bytes(random),
            bmc_random: [0; 16],
            guid: [0; 16],
            role,
            username: config.username.clone(),
        };
        self.tag = self.tag.wrapping_add(1);
        let rakp1 = Rakp1::new(
            self.tag,
            grant.bmc_session,
            handshake.console_random,
            role,
            &config.username,
        );
        self.datagram = encode_outside(PayloadType::Rakp1, &rakp1.encode());
        self.stage = Stage::Named(handshake);
        Step::Next
    }

    /// Whether a message is for this session; of a refusal some BMCs send no more than tag and status.
    const fn is_mine(&self, session: u32, refused: bool) -> bool {
        session == self.console_session || (refused && session == 0)
    }

    fn challenged(&mut self, config: &ConsoleConfig, payload: &[u8]) -> Step {
        let Ok(rakp2) = Rakp2::decode(payload) else {
            return Step::Ignored;
        };
        if rakp2.tag != self.tag || !self.is_mine(rakp2.console_session, rakp2.outcome.is_err()) {
            return Step::Ignored;
        }
        let Stage::Named(handshake) = &mut self.stage else {
            return Step::Ignored;
        };
        let proof = match rakp2.outcome {
            Ok(proof) => proof,
            Err(status) => return Step::Failed(refusal(config, status), None),
        };
        handshake.bmc_random = proof.bmc_random;
        handshake.guid = proof.guid;
        let bmc_session = handshake.bmc_session;
        let tag = self.tag.wrapping_add(1);
        let rakp3 = |outcome| {
            encode_outside(
                PayloadType::Rakp3,
                &RakpCode::new(tag, bmc_session, outcome).encode(),
            )
        };
        let expected = handshake.bmc_code(&config.password);
        if !expected.matches(proof.code, self.suite.digest_len()) {
            let farewell = rakp3(Err(SessionStatus::INVALID_INTEGRITY_CHECK));
            let error = IpmiError::Authentication(AuthenticationFailure::Password);
            return Step::Failed(error, Some(farewell));
        }
        let code = handshake.console_code(&config.password);
        let (keys, check) = handshake.finish(&config.password, config.bmc_key.as_ref());
        self.datagram = rakp3(Ok(code.bytes()));
        self.tag = tag;
        self.stage = Stage::Proved {
            bmc_session,
            keys,
            check,
        };
        Step::Next
    }

    fn finished(&mut self, config: &ConsoleConfig, payload: &[u8]) -> Step {
        let Stage::Proved {
            bmc_session,
            keys,
            check,
        } = &self.stage
        else {
            return Step::Ignored;
        };
        let Ok(rakp4) = RakpCode::decode(payload) else {
            return Step::Ignored;
        };
        if rakp4.tag != self.tag || !self.is_mine(rakp4.session, rakp4.outcome.is_err()) {
            return Step::Ignored;
        }
        match rakp4.outcome {
            Err(status) => Step::Failed(refusal(config, status), None),
            Ok(code) if check.matches(code, self.suite.integrity_len()) => {
                Step::Opened(Box::new(Open::new(
                    self.console_session,
                    *bmc_session,
                    keys.clone(),
                    config.privilege.initial(),
                )))
            }
            // RAKP 2 has shown that the password is right, so the other key is not.
            Ok(_) => Step::Failed(
                IpmiError::Authentication(AuthenticationFailure::BmcKey),
                None,
            ),
        }
    }
}

fn refusal(config: &ConsoleConfig, status: SessionStatus) -> IpmiError {
    match status {
        SessionStatus::UNAUTHORIZED_NAME => IpmiError::Authentication(AuthenticationFailure::User),
        SessionStatus::INVALID_INTEGRITY_CHECK => {
            IpmiError::Authentication(AuthenticationFailure::Password)
        }
        SessionStatus::INVALID_ROLE | SessionStatus::UNAUTHORIZED_ROLE => IpmiError::Privilege {
            wanted: config.privilege,
        },
        status => IpmiError::Refused { status },
    }
}
