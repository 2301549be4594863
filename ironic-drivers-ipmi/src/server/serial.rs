//! The machine's serial port, over the LAN.

use std::{collections::VecDeque, time::Instant};

use crate::{codec::CompletionCode, command::SolActivation, console::SolConsole};

/// The largest payload either way, as small BMCs have it.
const PAYLOAD: u16 = 200;

/// Serial over LAN is active already (IPMI 2.0 §24.1).
const ALREADY_ACTIVE: CompletionCode = CompletionCode::new(0x80);
/// There is no serial port (IPMI 2.0 §24.1: the payload type is disabled).
const DISABLED: CompletionCode = CompletionCode::new(0x81);

/// The serial port, and who has it.
#[derive(Debug, Default)]
pub(crate) struct Serial {
    present: bool,
    port: u16,
    active: Option<(u32, SolConsole)>,
    typed: VecDeque<Vec<u8>>,
}

impl Serial {
    pub(crate) fn new(present: bool) -> Self {
        Self {
            present,
            port: crate::server::RMCP_PORT,
            ..Self::default()
        }
    }

    /// The UDP port that the BMC is spoken to at.
    pub(crate) fn listens_at(&mut self, port: u16) {
        self.port = port;
    }

    pub(crate) fn activate(&mut self, session: u32) -> Result<SolActivation, CompletionCode> {
        if !self.present {
            return Err(DISABLED);
        }
        if self.active.is_some() {
            return Err(ALREADY_ACTIVE);
        }
        let activation = SolActivation::new(PAYLOAD, PAYLOAD, self.port);
        self.active = Some((session, SolConsole::of_bmc(activation)));
        Ok(activation)
    }

    pub(crate) fn deactivate(&mut self) -> Result<(), CompletionCode> {
        if !self.present {
            return Err(DISABLED);
        }
        // Of what is not active 80h says so, too (IPMI 2.0 §24.2).
        self.active.take().map(|_| ()).ok_or(ALREADY_ACTIVE)
    }

    pub(crate) fn session_ended(&mut self, session: u32) {
        self.active.take_if(|(active, _)| *active == session);
    }

    /// Takes a payload in.
    pub(crate) fn handle(&mut self, now: Instant, session: u32, payload: &[u8]) {
        let Some((_, sol)) = self
            .active
            .as_mut()
            .filter(|(active, _)| *active == session)
        else {
            return;
        };
        match sol.handle(now, payload) {
            Ok(typed) if !typed.is_empty() => self.typed.push_back(typed),
            Ok(_) => {}
            Err(_) => self.active = None,
        }
    }

    /// How many characters there is room for; none where nobody is there.
    pub(crate) fn room(&self) -> usize {
        self.active.as_ref().map_or(0, |(_, sol)| sol.room())
    }

    /// What the machine says.
    pub(crate) fn say(&mut self, now: Instant, characters: &[u8]) {
        if let Some((_, sol)) = &mut self.active {
            sol.write(now, characters);
        }
    }

    pub(crate) fn poll_typed(&mut self) -> Option<Vec<u8>> {
        self.typed.pop_front()
    }

    /// The next payload, and the session that it belongs to.
    pub(crate) fn poll_payload(&mut self) -> Option<(u32, Vec<u8>)> {
        let (session, sol) = self.active.as_mut()?;
        sol.poll_payload().map(|payload| (*session, payload))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.active.as_ref()?.1.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let gone = match &mut self.active {
            Some((_, sol)) => sol.handle_timeout(now).is_err(),
            None => false,
        };
        if gone {
            self.active = None;
        }
    }
}
