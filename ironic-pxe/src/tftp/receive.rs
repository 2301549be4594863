use std::net::SocketAddr;
use std::time::Duration;

use super::netascii::Decoder;
use super::options::DEFAULT_BLKSIZE;
use super::retry::{Retry, RetryTimer};
use super::send::wire_number;
use super::{ErrorCode, Mode, Packet, ReadRequest, RetryPolicy, TftpOptions, TransferError};

/// How a file is fetched.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReceiveConfig {
    /// When to repeat.
    pub retry: RetryPolicy,
    /// Most bytes to take, default 256 MiB; a larger file ends the transfer.
    pub limit: u64,
}

impl Default for ReceiveConfig {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            limit: 256 * 1024 * 1024,
        }
    }
}

impl ReceiveConfig {
    /// Makes a configuration.
    pub fn new(retry: RetryPolicy, limit: u64) -> Self {
        Self { retry, limit }
    }
}

/// The receiving end of a transfer: what a machine does to load a file.
///
/// Time is given as a duration since any moment that stays the same. After every call, send all
/// that [`poll_transmit`](Self::poll_transmit) gives, and take what
/// [`take_content`](Self::take_content) gives. A transfer that is done still answers repetitions
/// of the last block, whose acknowledgement may have been lost.
#[derive(Debug)]
pub struct ReceiveTransfer {
    request: ReadRequest,
    server: SocketAddr,
    // The address that the server answers this transfer from, once it did.
    peer: Option<SocketAddr>,
    limit: u64,
    agreed: TftpOptions,
    blksize: usize,
    window: u64,
    received: u64,
    taken: u64,
    in_window: u64,
    // The gap after the last block in order was told.
    gap_told: bool,
    decoder: Decoder,
    content: Vec<u8>,
    to_send: Option<(SocketAddr, Vec<u8>)>,
    last_sent: Vec<u8>,
    timer: RetryTimer,
    outcome: Option<Result<(), TransferError>>,
}

impl ReceiveTransfer {
    /// Starts a transfer from a server, whose address is that of its port 69.
    pub fn new(
        server: SocketAddr,
        request: ReadRequest,
        config: ReceiveConfig,
        now: Duration,
    ) -> Self {
        let bytes = Packet::Read(request.clone()).to_bytes();
        let mut timer = RetryTimer::new(config.retry);
        timer.restart(now);
        Self {
            request,
            server,
            peer: None,
            limit: config.limit,
            agreed: TftpOptions::new(),
            blksize: DEFAULT_BLKSIZE.into(),
            window: 1,
            received: 0,
            taken: 0,
            in_window: 0,
            gap_told: false,
            decoder: Decoder::default(),
            content: Vec::new(),
            to_send: Some((server, bytes.clone())),
            last_sent: bytes,
            timer,
            outcome: None,
        }
    }

    /// Returns the options that the server agreed to.
    pub fn options(&self) -> &TftpOptions {
        &self.agreed
    }

    /// Tells how the transfer ended; none while it runs.
    pub fn outcome(&self) -> Option<&Result<(), TransferError>> {
        self.outcome.as_ref()
    }

    /// Returns the content that arrived since the last call.
    pub fn take_content(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.content)
    }

    /// Returns the next packet to send, and whereto.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.to_send.take()
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timer.due()
    }

    /// Repeats what was not answered, when it is due.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.outcome.is_some() {
            return;
        }
        match self.timer.take(now) {
            Retry::NotYet => {}
            Retry::Repeat => {
                self.in_window = 0;
                self.to_send = Some((self.peer.unwrap_or(self.server), self.last_sent.clone()));
            }
            Retry::GiveUp { attempts } => self.end(Err(TransferError::TimedOut { attempts })),
        }
    }

    /// Takes a packet.
    pub fn handle_datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Duration) {
        if from.ip() != self.server.ip() {
            return;
        }
        if self.peer.is_some_and(|peer| peer != from) {
            // A second answer to a repeated request: its transfer is ended, ours goes on.
            self.answer_error(from, ErrorCode::UnknownTransfer);
            return;
        }
        let Ok(packet) = Packet::parse(bytes) else {
            return;
        };
        match packet {
            Packet::Data { block, content } => {
                self.peer = Some(from);
                self.handle_data(block, content, now);
            }
            Packet::OptionAck(options) => {
                self.peer = Some(from);
                self.handle_options(options, now);
            }
            Packet::Error { code, message } if self.outcome.is_none() => {
                self.end(Err(TransferError::Peer { code, message }));
            }
            _ => {}
        }
    }

    fn handle_options(&mut self, options: TftpOptions, now: Duration) {
        if self.outcome.is_some() || self.received > 0 {
            return;
        }
        let asked = &self.request.options;
        let grew =
            |agreed: Option<u16>, asked: Option<u16>| agreed.is_some_and(|a| Some(a) > asked);
        let unasked = (options.timeout.is_some() && options.timeout != asked.timeout)
            || (options.tsize.is_some() && asked.tsize.is_none());
        if unasked
            || grew(options.blksize, asked.blksize)
            || grew(options.windowsize, asked.windowsize)
        {
            self.fail(
                ErrorCode::OptionNegotiation,
                TransferError::Protocol("options not asked for"),
            );
            return;
        }
        if options.tsize.is_some_and(|size| size > self.limit) {
            let error = TransferError::TooLarge { limit: self.limit };
            self.fail(ErrorCode::DiskFull, error);
            return;
        }
        self.agreed = options;
        self.blksize = options.blksize.unwrap_or(DEFAULT_BLKSIZE).into();
        self.window = options.windowsize.unwrap_or(1).into();
        if let Some(timeout) = options.timeout() {
            self.timer.set_first(timeout);
        }
        self.acknowledge(now);
    }

    fn handle_data(&mut self, block: u16, content: &[u8], now: Duration) {
        if content.len() > self.blksize {
            self.fail(
                ErrorCode::IllegalOperation,
                TransferError::Protocol("block is too long"),
            );
            return;
        }
        let ahead = block.wrapping_sub(wire_number(self.received));
        if ahead != 1 || self.outcome.is_some() {
            self.handle_stray(ahead);
            return;
        }
        self.received = self.received.saturating_add(1);
        self.taken = self.taken.saturating_add(content.len() as u64);
        if self.taken > self.limit {
            let error = TransferError::TooLarge { limit: self.limit };
            self.fail(ErrorCode::DiskFull, error);
            return;
        }
        match self.request.mode {
            Mode::Octet => self.content.extend_from_slice(content),
            Mode::Netascii => self.decoder.decode(content, &mut self.content),
        }
        self.gap_told = false;
        self.in_window = self.in_window.saturating_add(1);
        let is_last = content.len() < self.blksize;
        if is_last || self.in_window >= self.window {
            self.acknowledge(now);
        } else {
            self.timer.restart(now);
        }
        if is_last {
            self.decoder.finish(&mut self.content);
            self.end(Ok(()));
        }
    }

    // A block that came before, or one behind a gap.
    fn handle_stray(&mut self, ahead: u16) {
        let behind_gap = ahead != 0 && u64::from(ahead) <= self.window;
        let done = matches!(self.outcome, Some(Ok(())));
        if matches!(self.outcome, Some(Err(_))) || self.received == 0 {
            return;
        }
        if behind_gap && !done {
            if self.gap_told {
                return;
            }
            self.gap_told = true;
        } else if ahead != 0 {
            // Within a window, an earlier block's acknowledgement is that of the window's end.
            return;
        }
        self.in_window = 0;
        if let Some(peer) = self.peer {
            let ack = Packet::Ack {
                block: wire_number(self.received),
            }
            .to_bytes();
            self.last_sent.clone_from(&ack);
            self.to_send = Some((peer, ack));
        }
    }

    fn acknowledge(&mut self, now: Duration) {
        self.in_window = 0;
        self.last_sent = Packet::Ack {
            block: wire_number(self.received),
        }
        .to_bytes();
        self.to_send = Some((self.peer.unwrap_or(self.server), self.last_sent.clone()));
        self.timer.restart(now);
    }

    fn fail(&mut self, code: ErrorCode, error: TransferError) {
        if self.outcome.is_none() {
            self.answer_error(self.peer.unwrap_or(self.server), code);
            self.end(Err(error));
        }
    }

    fn answer_error(&mut self, to: SocketAddr, code: ErrorCode) {
        let bytes = Packet::Error {
            code,
            message: "transfer refused".into(),
        }
        .to_bytes();
        // Never in place of an acknowledgement that still has to leave.
        self.to_send.get_or_insert((to, bytes));
    }

    fn end(&mut self, outcome: Result<(), TransferError>) {
        self.outcome = Some(outcome);
        self.timer.stop();
    }
}
