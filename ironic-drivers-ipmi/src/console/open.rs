use std::time::Instant;

use super::Request;
use crate::{
    codec::{
        CodecError, NetFn, PayloadType, Privilege, ProtectedPacket, RequestMessage, ResponseMessage,
    },
    session::{Random, SequenceCounter, SequenceWindow, SessionKeys, random_bytes},
};

/// A session that carries commands, one at a time.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) console_session: u32,
    pub(crate) bmc_session: u32,
    pub(crate) level: Privilege,
    pub(crate) flight: Option<Flight>,
    keys: SessionKeys,
    window: SequenceWindow,
    counter: SequenceCounter,
    next_sequence: u8,
}

/// A command that waits for its answer.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) purpose: Purpose,
    /// Whether the session was known to be there when the command was first sent.
    pub(crate) fresh: bool,
    net_fn: NetFn,
    command: u8,
    sequence: u8,
    message: Vec<u8>,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The caller asked for it.
    Request,
    /// It raises the session's privilege level.
    Raise,
    /// It shows whether the BMC still knows the session, before a command that must not run twice.
    Probe,
    /// It keeps the BMC from ending the session.
    KeepAlive,
}

impl Open {
    pub(crate) fn new(
        console_session: u32,
        bmc_session: u32,
        keys: SessionKeys,
        level: Privilege,
    ) -> Self {
        Self {
            console_session,
            bmc_session,
            level,
            flight: None,
            keys,
            window: SequenceWindow::default(),
            counter: SequenceCounter::default(),
            next_sequence: 0,
        }
    }

    /// Puts a command into flight; [`datagram`](Self::datagram) is to be sent.
    pub(crate) fn launch(
        &mut self,
        purpose: Purpose,
        net_fn: NetFn,
        command: u8,
        data: &[u8],
        fresh: bool,
    ) {
        let sequence = self.take_sequence();
        let message = RequestMessage::new(net_fn, command, sequence, data);
        self.put_into_flight(purpose, &message, fresh);
    }

    /// Puts what the caller asked for into flight.
    pub(crate) fn launch_request(&mut self, request: &Request, fresh: bool) {
        let sequence = self.take_sequence();
        let mut message =
            RequestMessage::new(request.net_fn, request.command, sequence, &request.data);
        message.lun = request.lun & 0x03;
        self.put_into_flight(Purpose::Request, &message, fresh);
    }

    fn take_sequence(&mut self) -> u8 {
        let sequence = self.next_sequence;
        self.next_sequence = (sequence + 1) & 0x3f;
        sequence
    }

    fn put_into_flight(&mut self, purpose: Purpose, message: &RequestMessage<'_>, fresh: bool) {
        self.flight = Some(Flight {
            purpose,
            fresh,
            net_fn: message.net_fn,
            command: message.command,
            sequence: message.sequence,
            message: message.encode(),
        });
    }

    /// The command in flight in a new packet: a BMC drops a packet that it has seen (IPMI 2.0 §6.12.13).
    pub(crate) fn datagram(
        &mut self,
        random: &mut dyn Random,
    ) -> Result<Option<Vec<u8>>, CodecError> {
        let Some(flight) = &self.flight else {
            return Ok(None);
        };
        let sequence = self.counter.next();
        self.keys
            .seal(
                PayloadType::Ipmi,
                self.bmc_session,
                sequence,
                &flight.message,
                random_bytes(random),
            )
            .map(Some)
    }

    /// A payload of serial over LAN in a packet.
    pub(crate) fn seal_sol(
        &mut self,
        payload: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, CodecError> {
        let (kind, sequence) = (PayloadType::SerialOverLan, self.counter.next());
        let iv = random_bytes(random);
        self.keys
            .seal(kind, self.bmc_session, sequence, payload, iv)
    }

    /// The payload of serial over LAN that a packet carries.
    pub(crate) fn open_sol(&mut self, packet: &ProtectedPacket<'_>) -> Option<Vec<u8>> {
        let ours = packet.session == self.console_session;
        if !ours || packet.kind != PayloadType::SerialOverLan {
            return None;
        }
        let plain = self.keys.open(packet).ok()?;
        self.window.accept(packet.sequence).then(|| plain.to_vec())
    }

    /// The answer to the command in flight, where the packet is one: completion code and data.
    pub(crate) fn answer(&mut self, packet: &ProtectedPacket<'_>) -> Option<(Flight, u8, Vec<u8>)> {
        if packet.session != self.console_session || packet.kind != PayloadType::Ipmi {
            return None;
        }
        let plain = self.keys.open(packet).ok()?;
        if !self.window.accept(packet.sequence) {
            return None;
        }
        let response = ResponseMessage::decode(&plain).ok()?;
        let flight = self.flight.take_if(|flight| {
            flight.sequence == response.sequence
                && flight.net_fn == response.net_fn
                && flight.command == response.command
        })?;
        Some((flight, response.completion.number(), response.data.to_vec()))
    }
}

/// When a datagram is to be sent again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retry {
    /// How often it has been sent.
    pub(crate) attempt: u32,
    pub(crate) due: Instant,
}
