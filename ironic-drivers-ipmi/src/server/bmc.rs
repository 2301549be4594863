use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Instant,
};

use super::{
    boot::BootOptions,
    config::BmcConfig,
    dispatch::{self, Action},
    machine::{MachineAnswer, MachineRequest},
    replies::Seen,
    sensors::Repository,
    serial::Serial,
    session::{ActiveSession, Session, Stage},
};
use crate::{
    codec::{
        CompletionCode, Packet, PayloadType, Privilege, ProtectedPacket, RequestMessage,
        ResponseMessage, Rmcp, encode_outside, encode_plain,
    },
    command::{
        ActivateSol, CloseSession, Command, GetBootOptions, GetChassisStatus, GetEventEnable,
        GetSdr, GetSdrInfo, GetSensorReading, GetThresholds, ReserveSdr, SetSessionPrivilege,
    },
    session::{Random, random_bytes},
};

/// How many requests may wait for the machine; one more is told that the BMC is busy.
const MAX_OPERATIONS: usize = 64;

/// A BMC's end of the protocol, without sockets: datagrams and times go in, datagrams and requests to the machine
/// come out.
///
/// After each call that takes something in, drain [`poll_transmit`](Self::poll_transmit) and
/// [`poll_operation`](Self::poll_operation); call [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct BmcServer {
    pub(crate) config: BmcConfig,
    pub(crate) sessions: BTreeMap<u32, Session>,
    boot: BootOptions,
    repository: Repository,
    serial: Serial,
    transmits: VecDeque<Transmit>,
    operations: VecDeque<Operation>,
    waiting: BTreeMap<u64, Waiting>,
    operations_begun: u64,
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// The whole of it.
    pub datagram: Vec<u8>,
}

/// Something that the machine has to do, in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// To be given back with the answer.
    pub token: OperationToken,
    /// What to do.
    pub request: MachineRequest,
}

/// Stands for an operation until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationToken(u64);

/// A request that waits for the machine.
#[derive(Debug)]
struct Waiting {
    session: u32,
    header: RequestHeader,
}

/// What of a request its response repeats.
#[derive(Debug, Clone, Copy)]
struct RequestHeader {
    requester: u8,
    sequence: u8,
    net_fn: crate::codec::NetFn,
    command: u8,
}

impl RequestHeader {
    fn of(request: &RequestMessage<'_>) -> Self {
        Self {
            requester: request.requester,
            sequence: request.sequence,
            net_fn: request.net_fn,
            command: request.command,
        }
    }

    fn respond(self, result: Result<&[u8], CompletionCode>) -> Vec<u8> {
        let (completion, data) = match result {
            Ok(data) => (CompletionCode::OK, data),
            Err(code) => (code, [].as_slice()),
        };
        let mut request = RequestMessage::new(self.net_fn, self.command, self.sequence, &[]);
        request.requester = self.requester;
        let response: ResponseMessage<'_> = request.respond(completion, data);
        response.encode()
    }
}

impl BmcServer {
    /// A BMC without sessions.
    #[must_use]
    pub fn new(config: BmcConfig) -> Self {
        Self {
            repository: Repository::new(&config.sensors),
            serial: Serial::new(config.serial_port),
            config,
            sessions: BTreeMap::new(),
            boot: BootOptions::default(),
            transmits: VecDeque::new(),
            operations: VecDeque::new(),
            waiting: BTreeMap::new(),
            operations_begun: 0,
        }
    }

    /// Takes a datagram in. One that makes no sense, or proves nothing, is dropped without an answer.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &[u8],
        random: &mut dyn Random,
    ) {
        self.handle_timeout(now);
        let packet = match Rmcp::decode(datagram) {
            Ok(Rmcp::Ipmi(packet)) => packet,
            Ok(Rmcp::Ping { tag }) => {
                return self.send(from, Rmcp::Pong { tag, ipmi: true }.encode());
            }
            Ok(_) | Err(_) => return,
        };
        match Packet::decode(packet) {
            Ok(Packet::Plain(message)) => {
                if let Some(response) = self.answer_outside(message) {
                    self.send(from, encode_plain(&response));
                }
            }
            Ok(Packet::Outside { kind, payload }) => {
                self.handle_outside(now, from, kind, payload, random)
            }
            Ok(Packet::Inside(packet)) => self.handle_inside(now, from, &packet, random),
            Err(_) => {}
        }
    }

    fn handle_outside(
        &mut self,
        now: Instant,
        from: SocketAddr,
        kind: PayloadType,
        payload: &[u8],
        random: &mut dyn Random,
    ) {
        let reply = match kind {
            PayloadType::Ipmi => self
                .answer_outside(payload)
                .map(|response| (PayloadType::Ipmi, response)),
            PayloadType::OpenSessionRequest => self.handle_open(now, from, payload, random),
            PayloadType::Rakp1 => self.handle_rakp1(from, payload, random),
            PayloadType::Rakp3 => self.handle_rakp3(now, from, payload),
            _ => None,
        };
        if let Some((kind, payload)) = reply {
            self.send(from, encode_outside(kind, &payload));
        }
    }

    fn answer_outside(&self, message: &[u8]) -> Option<Vec<u8>> {
        let request = RequestMessage::decode(message).ok()?;
        let result = dispatch::outside(&self.config, &request);
        let result = result.as_deref().map_err(|code| *code);
        Some(RequestHeader::of(&request).respond(result))
    }

    fn handle_inside(
        &mut self,
        now: Instant,
        from: SocketAddr,
        packet: &ProtectedPacket<'_>,
        random: &mut dyn Random,
    ) {
        if !matches!(packet.kind, PayloadType::Ipmi | PayloadType::SerialOverLan) {
            return;
        }
        let id = packet.session;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Stage::Active(active) = &mut session.stage else {
            return;
        };
        let Ok(plain) = active.keys.open(packet) else {
            return;
        };
        if !active.window.accept(packet.sequence) {
            return;
        }
        if packet.kind == PayloadType::SerialOverLan {
            (session.heard, session.peer) = (now, from);
            self.serial.handle(now, id, &plain);
            return self.drive_serial_port(now, random);
        }
        let Ok(request) = RequestMessage::decode(&plain) else {
            return;
        };
        session.heard = now;
        session.peer = from;
        if dispatch::changes_machine(&request) {
            match active.replies.seen(now, &request) {
                Seen::No => active.replies.start(now, &request),
                Seen::Running => return,
                Seen::Answered(message) => {
                    let message = message.to_vec();
                    return self.send_inside(id, &message, random);
                }
            }
        }
        let level = active.level;
        let header = RequestHeader::of(&request);
        match dispatch::in_session(&self.config, &request, level) {
            Ok(action) => self.act(now, id, header, action, random),
            Err(code) => self.reply(now, id, header, Err(code), random),
        }
    }

    fn act(
        &mut self,
        now: Instant,
        id: u32,
        header: RequestHeader,
        action: Action,
        random: &mut dyn Random,
    ) {
        let result = match action {
            Action::Answer(data) => Ok(data),
            Action::Machine(request) => match self.begin(id, header, request) {
                Ok(()) => return,
                Err(code) => Err(code),
            },
            Action::SetBootOption(parameter) => self.boot.set(id, &parameter).map(|()| Vec::new()),
            Action::GetBootOption(option) => self
                .boot
                .get(option)
                .map(|parameter| GetBootOptions::encode_response(&parameter)),
            Action::ActivateSol => {
                let activated = self.serial.activate(id);
                activated.map(|activation| ActivateSol::encode_response(&activation))
            }
            Action::DeactivateSol => self.serial.deactivate().map(|()| Vec::new()),
            Action::SdrInfo => Ok(GetSdrInfo::encode_response(&self.repository.info())),
            Action::ReserveSdr => Ok(ReserveSdr::encode_response(&self.repository.reserve())),
            Action::GetSdr(get) => {
                let part = self.repository.part(get);
                part.map(|part| GetSdr::encode_response(&part))
            }
            Action::SensorReading(number) => {
                let reading = MachineRequest::Sensor(number);
                let known = self.repository.check(number);
                match known.and_then(|()| self.begin(id, header, reading)) {
                    Ok(()) => return,
                    Err(code) => Err(code),
                }
            }
            Action::Thresholds(number) => {
                let values = self.repository.thresholds(number);
                values.map(|values| GetThresholds::encode_response(&values))
            }
            Action::Events(number) => {
                let events = self.repository.events(number);
                events.map(|events| GetEventEnable::encode_response(&events))
            }
            Action::SetPrivilege(level) => self
                .set_privilege(id, level)
                .map(|level| SetSessionPrivilege::encode_response(&level)),
            Action::CloseSession(other) => {
                return self.close(now, id, header, other, random);
            }
        };
        self.reply(
            now,
            id,
            header,
            result.as_deref().map_err(|code| *code),
            random,
        );
    }

    /// Queues a request for the machine.
    fn begin(
        &mut self,
        session: u32,
        header: RequestHeader,
        request: MachineRequest,
    ) -> Result<(), CompletionCode> {
        if self.waiting.len() >= MAX_OPERATIONS {
            return Err(CompletionCode::NODE_BUSY);
        }
        self.operations_begun += 1;
        let token = self.operations_begun;
        self.waiting.insert(token, Waiting { session, header });
        self.operations.push_back(Operation {
            token: OperationToken(token),
            request,
        });
        Ok(())
    }

    fn set_privilege(
        &mut self,
        id: u32,
        level: Option<Privilege>,
    ) -> Result<Privilege, CompletionCode> {
        let active = self.active(id).ok_or(CompletionCode::UNSPECIFIED)?;
        if let Some(level) = level {
            // A level above the user's limit (IPMI 2.0 §22.18).
            if level > active.limit {
                return Err(CompletionCode::new(0x81));
            }
            active.level = level;
        }
        Ok(active.level)
    }

    fn close(
        &mut self,
        now: Instant,
        id: u32,
        header: RequestHeader,
        other: u32,
        random: &mut dyn Random,
    ) {
        let own = other == id;
        let allowed = own
            || self
                .active(id)
                .is_some_and(|active| active.level >= Privilege::Administrator);
        let result = if !allowed {
            Err(CompletionCode::INSUFFICIENT_PRIVILEGE)
        } else if self.sessions.contains_key(&other) {
            Ok(CloseSession::encode_response(&()))
        } else {
            // No such session (IPMI 2.0 §22.19).
            Err(CompletionCode::new(0x87))
        };
        self.reply(
            now,
            id,
            header,
            result.as_deref().map_err(|code| *code),
            random,
        );
        if result.is_ok() {
            self.remove(other);
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing that the machine has to do. Each is to be answered with [`respond`](Self::respond).
    pub fn poll_operation(&mut self) -> Option<Operation> {
        self.operations.pop_front()
    }

    /// Takes the machine's answer to an operation.
    pub fn respond(
        &mut self,
        now: Instant,
        token: OperationToken,
        result: Result<MachineAnswer, CompletionCode>,
        random: &mut dyn Random,
    ) {
        let Some(Waiting { session, header }) = self.waiting.remove(&token.0) else {
            return;
        };
        let data = result.map(|answer| match answer {
            MachineAnswer::Status(status) => GetChassisStatus::encode_response(&status),
            MachineAnswer::BootFlags(flags) => {
                GetBootOptions::encode_response(&crate::command::BootParameter::Flags(flags))
            }
            MachineAnswer::Sensor(reading) => GetSensorReading::encode_response(&reading),
            MachineAnswer::Done => Vec::new(),
        });
        self.reply(
            now,
            session,
            header,
            data.as_deref().map_err(|code| *code),
            random,
        );
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due, when the first session ends for lack of use, or
    /// [`drive_serial_port`](Self::drive_serial_port).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sessions
            .values()
            .filter_map(|session| self.deadline(session))
            .chain(self.serial.poll_timeout())
            .min()
    }

    /// Says at which UDP port the BMC is spoken to, which it tells to consoles of its serial port. Default 623.
    pub fn listens_at(&mut self, port: u16) {
        self.serial.listens_at(port);
    }

    /// The next characters that somebody has typed at the serial port's console.
    pub fn poll_typed(&mut self) -> Option<Vec<u8>> {
        self.serial.poll_typed()
    }

    /// How many characters of the serial port there is room for; none where nobody reads them.
    #[must_use]
    pub fn serial_room(&self) -> usize {
        self.serial.room()
    }

    /// Takes characters of the serial port's, as many as there is room for.
    pub fn say(&mut self, now: Instant, characters: &[u8], random: &mut dyn Random) {
        self.serial.say(now, characters);
        self.drive_serial_port(now, random);
    }

    /// Sends what is due of the serial port.
    pub fn drive_serial_port(&mut self, now: Instant, random: &mut dyn Random) {
        self.serial.handle_timeout(now);
        while let Some((session, payload)) = self.serial.poll_payload() {
            self.send_payload(PayloadType::SerialOverLan, session, &payload, random);
        }
    }

    /// Ends the sessions that have not been used for too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        let over: Vec<u32> = self
            .sessions
            .iter()
            .filter(|(_, session)| self.deadline(session).is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.remove(id);
        }
    }

    /// How many sessions there are, those that are being opened included.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    fn deadline(&self, session: &Session) -> Option<Instant> {
        let patience = if session.is_active() {
            self.config.idle_timeout
        } else {
            self.config.handshake_timeout
        };
        session.heard.checked_add(patience)
    }

    pub(crate) fn remove(&mut self, id: u32) {
        self.sessions.remove(&id);
        self.boot.session_ended(id);
        self.serial.session_ended(id);
    }

    fn active(&mut self, id: u32) -> Option<&mut ActiveSession> {
        match &mut self.sessions.get_mut(&id)?.stage {
            Stage::Active(active) => Some(active),
            _ => None,
        }
    }

    fn reply(
        &mut self,
        now: Instant,
        id: u32,
        header: RequestHeader,
        result: Result<&[u8], CompletionCode>,
        random: &mut dyn Random,
    ) {
        let message = header.respond(result);
        if let Some(active) = self.active(id) {
            active
                .replies
                .answer(now, header.sequence, header.command, &message);
        }
        self.send_inside(id, &message, random);
    }

    fn send_inside(&mut self, id: u32, message: &[u8], random: &mut dyn Random) {
        self.send_payload(PayloadType::Ipmi, id, message, random);
    }

    fn send_payload(
        &mut self,
        kind: PayloadType,
        id: u32,
        payload: &[u8],
        random: &mut dyn Random,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Stage::Active(active) = &mut session.stage else {
            return;
        };
        let sequence = active.counter.next();
        let (to, iv) = (active.console_session, random_bytes(random));
        let sealed = active.keys.seal(kind, to, sequence, payload, iv);
        let to = session.peer;
        if let Ok(datagram) = sealed {
            self.send(to, datagram);
        }
    }

    fn send(&mut self, to: SocketAddr, datagram: Vec<u8>) {
        self.transmits.push_back(Transmit { to, datagram });
    }
}
