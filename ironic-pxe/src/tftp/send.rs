use std::collections::VecDeque;
use std::time::Duration;

use super::netascii;
use super::options::DEFAULT_BLKSIZE;
use super::retry::{Retry, RetryTimer};
use super::{
    ErrorCode, Mode, Packet, ReadRequest, RetryPolicy, TftpOptions, TransferError, TransferLimits,
};

/// The sending end of a transfer: what a server does with one read request.
///
/// Time is given as a duration since any moment that stays the same. After every call, fetch
/// what [`wanted`](Self::wanted) says and [`supply`](Self::supply) it, then send all that
/// [`poll_transmit`](Self::poll_transmit) gives, until neither gives more.
#[derive(Debug)]
pub struct SendTransfer {
    mode: Mode,
    agreed: TftpOptions,
    blksize: usize,
    window: u64,
    // Of the source, not of what travels.
    size: u64,
    supplied: u64,
    // Encoded; what stands before `cut` became blocks.
    encoded: Vec<u8>,
    cut: usize,
    // The blocks that are made and not acknowledged; the first is number `acked + 1`.
    blocks: VecDeque<Vec<u8>>,
    last_block: Option<u64>,
    acked: u64,
    // Number of the next block to send.
    next: u64,
    // Until the agreed options are acknowledged nothing else is sent.
    option_ack: Option<OptionAck>,
    // A repeated acknowledgement makes the window start over once, no more (RFC 1123 §4.2.3.1).
    rewound: bool,
    error_to_send: Option<ErrorCode>,
    timer: RetryTimer,
    outcome: Option<Result<(), TransferError>>,
}

#[derive(Debug, PartialEq)]
enum OptionAck {
    ToSend,
    Sent,
}

/// Content that a transfer needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Offset in the file.
    pub offset: u64,
    /// Number of bytes, at least one.
    pub length: usize,
}

impl SendTransfer {
    /// Starts a transfer of a file of `size` bytes.
    pub fn new(
        request: &ReadRequest,
        size: u64,
        limits: TransferLimits,
        retry: RetryPolicy,
        now: Duration,
    ) -> Self {
        // What netascii makes of the size is not known beforehand.
        let known = (request.mode == Mode::Octet).then_some(size);
        let agreed = limits.agree(&request.options, known);
        let mut timer = RetryTimer::new(retry);
        if let Some(timeout) = agreed.timeout() {
            timer.set_first(timeout);
        }
        timer.restart(now);
        let mut transfer = Self {
            mode: request.mode,
            agreed,
            blksize: agreed.blksize.unwrap_or(DEFAULT_BLKSIZE).into(),
            window: agreed.windowsize.unwrap_or(1).into(),
            size,
            supplied: 0,
            encoded: Vec::new(),
            cut: 0,
            blocks: VecDeque::new(),
            last_block: None,
            acked: 0,
            next: 1,
            option_ack: (!agreed.is_empty()).then_some(OptionAck::ToSend),
            rewound: false,
            error_to_send: None,
            timer,
            outcome: None,
        };
        transfer.make_blocks();
        transfer
    }

    /// Returns the options that were agreed to.
    pub fn options(&self) -> &TftpOptions {
        &self.agreed
    }

    /// Tells how the transfer ended; none while it runs.
    pub fn outcome(&self) -> Option<&Result<(), TransferError>> {
        self.outcome.as_ref()
    }

    /// Returns the number of blocks that the receiver acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.acked
    }

    /// Tells which content is needed before the window can be filled.
    pub fn wanted(&self) -> Option<Wanted> {
        let full = self.blocks.len() as u64 >= self.window;
        if self.outcome.is_some() || full || self.supplied >= self.size {
            return None;
        }
        let left = usize::try_from(self.size - self.supplied).unwrap_or(usize::MAX);
        Some(Wanted {
            offset: self.supplied,
            length: READ_AHEAD.min(left),
        })
    }

    /// Takes content, from where [`wanted`](Self::wanted) said; none is taken when it ended.
    pub fn supply(&mut self, content: &[u8]) {
        self.supplied = self
            .supplied
            .saturating_add(content.len() as u64)
            .min(self.size);
        match self.mode {
            Mode::Octet => self.encoded.extend_from_slice(content),
            Mode::Netascii => netascii::encode(content, &mut self.encoded),
        }
        self.make_blocks();
    }

    /// Ends the transfer because content could not be read; the receiver is told.
    pub fn abort(&mut self, code: ErrorCode) {
        if self.outcome.is_none() {
            self.error_to_send = Some(code);
            self.end(Err(TransferError::Content));
        }
    }

    /// Returns the next packet to send.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if let Some(code) = self.error_to_send.take() {
            return Some(
                Packet::Error {
                    code,
                    message: "transfer ended".into(),
                }
                .to_bytes(),
            );
        }
        if self.outcome.is_some() {
            return None;
        }
        if let Some(state) = &mut self.option_ack {
            let to_send = std::mem::replace(state, OptionAck::Sent) == OptionAck::ToSend;
            return to_send.then(|| Packet::OptionAck(self.agreed).to_bytes());
        }
        if self.next > self.acked.saturating_add(self.window) {
            return None;
        }
        let place = usize::try_from(self.next.checked_sub(self.acked)?.checked_sub(1)?).ok()?;
        let content = self.blocks.get(place)?;
        let block = wire_number(self.next);
        self.next = self.next.saturating_add(1);
        Some(Packet::Data { block, content }.to_bytes())
    }

    /// Takes a packet from the receiver.
    pub fn handle_datagram(&mut self, bytes: &[u8], now: Duration) {
        if self.outcome.is_some() {
            return;
        }
        match Packet::parse(bytes) {
            Ok(Packet::Ack { block }) => self.handle_ack(block, now),
            Ok(Packet::Error { code, message }) => {
                self.end(Err(TransferError::Peer { code, message }));
            }
            // A repeated request is answered by the repetition that is due anyway.
            Ok(Packet::Read(_)) | Err(_) => {}
            Ok(_) => {
                self.error_to_send = Some(ErrorCode::IllegalOperation);
                self.end(Err(TransferError::Protocol(
                    "neither acknowledgement nor error",
                )));
            }
        }
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
                if let Some(state) = &mut self.option_ack {
                    *state = OptionAck::ToSend;
                }
                self.next = self.acked.saturating_add(1);
            }
            Retry::GiveUp { attempts } => self.end(Err(TransferError::TimedOut { attempts })),
        }
    }

    fn handle_ack(&mut self, block: u16, now: Duration) {
        if self.option_ack.is_some() {
            if block == 0 && self.option_ack == Some(OptionAck::Sent) {
                self.option_ack = None;
                self.timer.restart(now);
            }
            return;
        }
        let ahead = u64::from(block.wrapping_sub(wire_number(self.acked)));
        let number = self.acked.saturating_add(ahead);
        if number >= self.next {
            return;
        }
        if ahead == 0 {
            // With a window it asks for the window again; without, answering it would double
            // every packet from here on.
            if self.window > 1 && !self.rewound {
                self.rewound = true;
                self.next = self.acked.saturating_add(1);
            }
            return;
        }
        for _ in 0..ahead {
            self.blocks.pop_front();
        }
        self.acked = number;
        self.rewound = false;
        // Less than all that was sent: the rest did not arrive (RFC 7440 §4).
        self.next = number.saturating_add(1);
        self.timer.restart(now);
        if self.last_block == Some(number) {
            self.end(Ok(()));
        }
        self.make_blocks();
    }

    fn make_blocks(&mut self) {
        while self.last_block.is_none() && (self.blocks.len() as u64) < self.window {
            let rest = self.encoded.get(self.cut..).unwrap_or_default();
            if rest.len() < self.blksize && self.supplied < self.size {
                break;
            }
            let block = rest.get(..self.blksize).unwrap_or(rest).to_vec();
            self.cut = self.cut.saturating_add(block.len());
            // A block that is not full ends the file, be it empty.
            let is_last = block.len() < self.blksize;
            self.blocks.push_back(block);
            if is_last {
                self.last_block = Some(self.acked.saturating_add(self.blocks.len() as u64));
            }
        }
    }

    fn end(&mut self, outcome: Result<(), TransferError>) {
        self.outcome = Some(outcome);
        self.timer.stop();
        self.blocks.clear();
    }
}

// Twice the largest block, so that small blocks do not each cost a read.
const READ_AHEAD: usize = 128 * 1024;

// Block numbers go on from 0 after 65535.
#[allow(
    clippy::cast_possible_truncation,
    reason = "what travels is the number modulo 2^16"
)]
pub(crate) fn wire_number(block: u64) -> u16 {
    (block & 0xffff) as u16
}
