use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    ConsoleConfig, IpmiError, Outcome, Request, RequestId,
    open::{Flight, Open, Purpose, Retry},
    opening::{Opening, Step},
};
use crate::{
    codec::{CompletionCode, Packet, PayloadType, Privilege, ProtectedPacket, Rmcp},
    command::{CloseSession, Command, GetDeviceId, SetSessionPrivilege},
    session::{Random, fresh_id, random_bytes},
};

/// How many payloads of serial over LAN wait for whoever reads them; the BMC repeats what is dropped.
const MAX_SOL: usize = 64;
/// How many requests may wait for one BMC.
const MAX_WAITING: usize = 64;

/// A console's end of the protocol towards one BMC, without sockets.
///
/// Requests are carried out one at a time, in order. A session is opened for the first, kept while there are more,
/// and opened anew where the BMC has ended it. A request that must not run twice is sent only in a session that has
/// just proved to be there, and never in a second one.
///
/// After each call that takes something in, drain [`poll_transmit`](Self::poll_transmit) and
/// [`poll_outcome`](Self::poll_outcome); call [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct ConsoleSession {
    config: Arc<ConsoleConfig>,
    link: Link,
    queue: VecDeque<Queued>,
    transmits: VecDeque<Vec<u8>>,
    outcomes: VecDeque<Outcome>,
    sol: VecDeque<Vec<u8>>,
    submitted: u64,
    /// Which of the configured suites is spoken.
    suite: usize,
    tag: u8,
    /// When the caller last asked for something.
    used: Option<Instant>,
    exchanges: u64,
}

#[derive(Debug)]
enum Link {
    Closed,
    Opening {
        opening: Box<Opening>,
        retry: Retry,
        /// Whether this is the second try from the start.
        again: bool,
    },
    Open {
        open: Box<Open>,
        /// When the command in flight is to be sent again.
        retry: Option<Retry>,
        /// When the BMC last answered.
        heard: Instant,
    },
}

#[derive(Debug)]
struct Queued {
    id: RequestId,
    request: Request,
    /// Whether a session was opened anew for it already.
    reopened: bool,
    /// Whether the session has proved to be there since the request came to the front.
    proved: bool,
}

impl ConsoleSession {
    /// A console without a session.
    #[must_use]
    pub fn new(config: Arc<ConsoleConfig>) -> Self {
        Self {
            config,
            link: Link::Closed,
            queue: VecDeque::new(),
            transmits: VecDeque::new(),
            outcomes: VecDeque::new(),
            sol: VecDeque::new(),
            submitted: 0,
            suite: 0,
            tag: 0,
            used: None,
            exchanges: 0,
        }
    }

    /// Queues a request.
    ///
    /// # Errors
    /// [`IpmiError::Busy`]: 64 requests wait already.
    pub fn submit(
        &mut self,
        now: Instant,
        request: Request,
        random: &mut dyn Random,
    ) -> Result<RequestId, IpmiError> {
        if self.queue.len() >= MAX_WAITING {
            return Err(IpmiError::Busy {
                waiting: self.queue.len(),
            });
        }
        self.submitted += 1;
        let id = RequestId(self.submitted);
        self.used = Some(now);
        self.queue.push_back(Queued {
            id,
            request,
            reopened: false,
            proved: false,
        });
        self.advance(now, random);
        Ok(id)
    }

    /// Forgets a request: it is sent no more, and has no outcome. It may have run.
    pub fn cancel(&mut self, now: Instant, id: RequestId, random: &mut dyn Random) {
        let in_flight = self.queue.front().is_some_and(|queued| queued.id == id);
        self.queue.retain(|queued| queued.id != id);
        if in_flight && let Link::Open { open, retry, .. } = &mut self.link {
            let dropped = open
                .flight
                .take_if(|flight| flight.purpose == Purpose::Request);
            if dropped.is_some() {
                *retry = None;
            }
        }
        self.advance(now, random);
    }

    /// Takes a datagram from the BMC in. One that is not the answer waited for, or proves nothing, is dropped.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8], random: &mut dyn Random) {
        let Ok(Rmcp::Ipmi(packet)) = Rmcp::decode(datagram) else {
            return;
        };
        match Packet::decode(packet) {
            Ok(Packet::Outside { kind, payload }) => {
                self.handle_opening(now, kind, payload, random)
            }
            Ok(Packet::Inside(packet)) if packet.kind == PayloadType::SerialOverLan => {
                self.handle_sol(now, &packet);
            }
            Ok(Packet::Inside(packet)) => self.handle_answer(now, &packet, random),
            Ok(Packet::Plain(_)) | Err(_) => {}
        }
    }

    /// Repeats what has not been answered, gives up what has not been answered for too long, keeps the session alive.
    pub fn handle_timeout(&mut self, now: Instant, random: &mut dyn Random) {
        match &self.link {
            Link::Closed => {}
            Link::Opening { retry, .. } if retry.due <= now => self.opening_timeout(now, random),
            Link::Open {
                retry: Some(retry), ..
            } if retry.due <= now => self.flight_timeout(now, *retry, random),
            Link::Open {
                retry: None, heard, ..
            } => {
                let heard = *heard;
                self.idle_timeout(now, heard, random);
            }
            Link::Opening { .. } | Link::Open { .. } => {}
        }
        self.advance(now, random);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.link {
            Link::Closed => None,
            Link::Opening { retry, .. }
            | Link::Open {
                retry: Some(retry), ..
            } => Some(retry.due),
            Link::Open {
                retry: None, heard, ..
            } => {
                let timing = &self.config.timing;
                let close = self
                    .used
                    .and_then(|used| used.checked_add(timing.close_after));
                let keep_alive = heard.checked_add(timing.keep_alive);
                close.into_iter().chain(keep_alive).min()
            }
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// Sends a payload of serial over LAN in the session that there is; false where there is none.
    ///
    /// Serial over LAN belongs to the session that it was activated in: in another one it has to be activated anew.
    pub fn send_sol(&mut self, now: Instant, payload: &[u8], random: &mut dyn Random) -> bool {
        let Link::Open { open, .. } = &mut self.link else {
            return false;
        };
        let Ok(datagram) = open.seal_sol(payload, random) else {
            return false;
        };
        self.used = Some(now);
        self.transmits.push_back(datagram);
        true
    }

    /// The next payload of serial over LAN from the BMC.
    pub fn poll_sol(&mut self) -> Option<Vec<u8>> {
        self.sol.pop_front()
    }

    /// The BMC's id of the session that there is.
    #[must_use]
    pub fn session_id(&self) -> Option<u32> {
        match &self.link {
            Link::Open { open, .. } => Some(open.bmc_session),
            _ => None,
        }
    }

    fn handle_sol(&mut self, now: Instant, packet: &ProtectedPacket<'_>) {
        let Link::Open { open, heard, .. } = &mut self.link else {
            return;
        };
        if self.sol.len() >= MAX_SOL {
            return;
        }
        if let Some(payload) = open.open_sol(packet) {
            *heard = now;
            self.used = Some(now);
            self.sol.push_back(payload);
        }
    }

    /// The next request that has ended.
    pub fn poll_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    /// Tells the BMC, without waiting for an answer, that an open session is over.
    pub fn close(&mut self, random: &mut dyn Random) {
        if let Link::Open { open, .. } = &mut self.link {
            let data = CloseSession::new(open.bmc_session).encode();
            let (net_fn, command) = (CloseSession::NET_FN, CloseSession::NUMBER);
            open.launch(Purpose::KeepAlive, net_fn, command, &data, true);
            if let Ok(Some(datagram)) = open.datagram(random) {
                self.transmits.push_back(datagram);
            }
        }
        self.link = Link::Closed;
    }

    /// Whether there is neither a session nor anything to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.link, Link::Closed) && self.queue.is_empty() && self.outcomes.is_empty()
    }

    /// How many exchanges were begun, repetitions not counted.
    #[must_use]
    pub const fn exchanges(&self) -> u64 {
        self.exchanges
    }

    /// Begins what is next, where nothing is under way.
    fn advance(&mut self, now: Instant, random: &mut dyn Random) {
        let Some(front) = self.queue.front() else {
            return;
        };
        let Link::Open { open, heard, .. } = &mut self.link else {
            if matches!(self.link, Link::Closed) {
                self.start(now, false, random);
            }
            return;
        };
        if open.flight.is_some() {
            return;
        }
        let fresh =
            front.proved || now.saturating_duration_since(*heard) < self.config.timing.fresh_for;
        let wanted = self.config.privilege;
        let request = &front.request;
        if request.privilege > open.level && wanted > open.level {
            let data = SetSessionPrivilege::new(wanted).encode();
            let (net_fn, command) = (SetSessionPrivilege::NET_FN, SetSessionPrivilege::NUMBER);
            open.launch(Purpose::Raise, net_fn, command, &data, fresh);
        } else if !request.repeatable && !fresh {
            open.launch(
                Purpose::Probe,
                GetDeviceId::NET_FN,
                GetDeviceId::NUMBER,
                &[],
                false,
            );
        } else {
            open.launch_request(request, fresh);
        }
        self.exchanges += 1;
        self.transmit_flight(now, 1, random);
    }

    fn start(&mut self, now: Instant, again: bool, random: &mut dyn Random) {
        let Some(suite) = self.config.suites.get(self.suite).copied() else {
            self.suite = 0;
            return self.fail_all(&IpmiError::NoCipherSuite);
        };
        // Tags of one handshake are three in a row, and those of the next one others.
        self.tag = self.tag.wrapping_add(4);
        let id = fresh_id(random, |_| false);
        let opening = Opening::start(&self.config, suite, id, self.tag);
        self.transmits.push_back(opening.datagram.clone());
        self.exchanges += 1;
        self.link = Link::Opening {
            opening: Box::new(opening),
            retry: self.retry(now, 1, random),
            again,
        };
    }

    fn handle_opening(
        &mut self,
        now: Instant,
        kind: PayloadType,
        payload: &[u8],
        random: &mut dyn Random,
    ) {
        let Link::Opening { opening, again, .. } = &mut self.link else {
            return;
        };
        let again = *again;
        match opening.handle(&self.config, kind, payload, random) {
            Step::Ignored => {}
            Step::Next => {
                self.transmits.push_back(opening.datagram.clone());
                self.exchanges += 1;
                let next = self.retry(now, 1, random);
                if let Link::Opening { retry, .. } = &mut self.link {
                    *retry = next;
                }
            }
            Step::Opened(open) => {
                self.link = Link::Open {
                    open,
                    retry: None,
                    heard: now,
                };
                self.prove_front();
                self.advance(now, random);
            }
            Step::OtherSuite => {
                self.link = Link::Closed;
                self.suite += 1;
                self.start(now, again, random);
            }
            Step::Failed(error, farewell) => {
                self.transmits.extend(farewell);
                self.link = Link::Closed;
                self.fail_all(&error);
            }
        }
    }

    fn handle_answer(
        &mut self,
        now: Instant,
        packet: &ProtectedPacket<'_>,
        random: &mut dyn Random,
    ) {
        let Link::Open { open, retry, heard } = &mut self.link else {
            return;
        };
        let Some((flight, code, data)) = open.answer(packet) else {
            return;
        };
        *retry = None;
        *heard = now;
        let code = CompletionCode::new(code);
        match flight.purpose {
            Purpose::Request => self.answered(code, data),
            Purpose::Raise => self.raised(code),
            Purpose::Probe => self.prove_front(),
            Purpose::KeepAlive => {}
        }
        self.advance(now, random);
    }

    fn answered(&mut self, code: CompletionCode, data: Vec<u8>) {
        let level = match &self.link {
            Link::Open { open, .. } => open.level,
            _ => return,
        };
        let Some(front) = self.queue.front_mut() else {
            return;
        };
        if code == CompletionCode::INSUFFICIENT_PRIVILEGE && level < self.config.privilege {
            // This BMC wants more for the command than the standard does.
            front.request.privilege = Privilege::Administrator;
            return;
        }
        let (net_fn, command) = (front.request.net_fn, front.request.command);
        let result = if code.is_ok() {
            Ok(data)
        } else {
            Err(IpmiError::Completion {
                net_fn,
                command,
                code,
            })
        };
        self.finish_front(result);
    }

    fn raised(&mut self, code: CompletionCode) {
        let wanted = self.config.privilege;
        if !code.is_ok() {
            return self.finish_front(Err(IpmiError::Privilege { wanted }));
        }
        if let Link::Open { open, .. } = &mut self.link {
            open.level = wanted;
        }
        self.prove_front();
    }

    fn opening_timeout(&mut self, now: Instant, random: &mut dyn Random) {
        let Link::Opening {
            opening,
            retry,
            again,
        } = &self.link
        else {
            return;
        };
        let attempts = retry.attempt;
        if attempts < self.config.timing.attempts {
            self.transmits.push_back(opening.datagram.clone());
            let next = self.retry(now, attempts + 1, random);
            if let Link::Opening { retry, .. } = &mut self.link {
                *retry = next;
            }
            return;
        }
        let (answered, what, again) = (opening.is_answered(), opening.waits_for(), *again);
        self.link = Link::Closed;
        if answered && !again && !self.queue.is_empty() {
            // It answered before; perhaps it has lost the session half-way.
            return self.start(now, true, random);
        }
        self.fail_all(&if answered {
            IpmiError::Timeout {
                what,
                attempts,
                may_have_run: false,
            }
        } else {
            IpmiError::Unreachable { attempts }
        });
    }

    fn flight_timeout(&mut self, now: Instant, retry: Retry, random: &mut dyn Random) {
        let Link::Open { open, .. } = &self.link else {
            return;
        };
        let Some(Flight { purpose, fresh, .. }) = &open.flight else {
            return;
        };
        let (purpose, fresh) = (*purpose, *fresh);
        let timing = &self.config.timing;
        let patience = if fresh {
            timing.attempts
        } else {
            timing.stale_attempts
        };
        if retry.attempt < patience {
            return self.transmit_flight(now, retry.attempt + 1, random);
        }
        // The BMC has most likely ended the session. Should it live, it need not be kept.
        self.close(random);
        let Some(front) = self.queue.front_mut() else {
            return;
        };
        let may_have_run = purpose == Purpose::Request && !front.request.repeatable;
        if front.reopened || may_have_run {
            return self.finish_front(Err(IpmiError::Timeout {
                what: "a command",
                attempts: retry.attempt,
                may_have_run,
            }));
        }
        front.reopened = true;
        front.proved = false;
    }

    fn prove_front(&mut self) {
        if let Some(front) = self.queue.front_mut() {
            front.proved = true;
        }
    }

    fn idle_timeout(&mut self, now: Instant, heard: Instant, random: &mut dyn Random) {
        let timing = &self.config.timing;
        let past = |since: Instant, limit: Duration| now.saturating_duration_since(since) >= limit;
        if self.used.is_none_or(|used| past(used, timing.close_after)) {
            self.close(random);
        } else if past(heard, timing.keep_alive) {
            if let Link::Open { open, .. } = &mut self.link {
                let (net_fn, command) = (GetDeviceId::NET_FN, GetDeviceId::NUMBER);
                open.launch(Purpose::KeepAlive, net_fn, command, &[], false);
            }
            self.exchanges += 1;
            self.transmit_flight(now, 1, random);
        }
    }

    /// Sends the command in flight, for the time of that number.
    fn transmit_flight(&mut self, now: Instant, attempt: u32, random: &mut dyn Random) {
        let next = self.retry(now, attempt, random);
        let Link::Open { open, retry, .. } = &mut self.link else {
            return;
        };
        *retry = Some(next);
        match open.datagram(random) {
            Ok(datagram) => self.transmits.extend(datagram),
            Err(error) => {
                self.link = Link::Closed;
                self.fail_all(&IpmiError::Protocol(error));
            }
        }
    }

    fn retry(&self, now: Instant, attempt: u32, random: &mut dyn Random) -> Retry {
        let [spread] = random_bytes(random);
        Retry {
            attempt,
            due: now + self.config.timing.retry_after(attempt, spread),
        }
    }

    fn finish_front(&mut self, result: Result<Vec<u8>, IpmiError>) {
        if let Some(Queued { id, .. }) = self.queue.pop_front() {
            self.outcomes.push_back(Outcome { id, result });
        }
    }

    fn fail_all(&mut self, error: &IpmiError) {
        while !self.queue.is_empty() {
            self.finish_front(Err(error.clone()));
        }
    }
}
