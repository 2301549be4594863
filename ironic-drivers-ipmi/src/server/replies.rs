use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::codec::{NetFn, RequestMessage};

/// How many commands back a repeated request is recognized.
const DEPTH: usize = 8;
/// How long a requester's sequence number stands for the same request; beyond what any tool's retries take, and below
/// the time in which 64 numbers come round again.
const INTERVAL: Duration = Duration::from_secs(10);

/// The latest commands of a session that change the machine, so that none is run twice.
///
/// A requester that hears no answer sends the request again: in a new packet, but with the same sequence number
/// inside (IPMI 2.0 §6.12.13 for the packet, §13.8 for rqSeq).
#[derive(Debug, Default)]
pub(crate) struct Replies(VecDeque<Reply>);

#[derive(Debug)]
struct Reply {
    sequence: u8,
    net_fn: NetFn,
    command: u8,
    data: Vec<u8>,
    at: Instant,
    message: Option<Vec<u8>>,
}

/// Whether a request came before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen<'a> {
    /// It did not.
    No,
    /// It did, and runs.
    Running,
    /// It did, and this was the answer.
    Answered(&'a [u8]),
}

impl Replies {
    /// Looks a request up.
    pub(crate) fn seen(&self, now: Instant, request: &RequestMessage<'_>) -> Seen<'_> {
        let known = self.0.iter().rev().find(|reply| {
            reply.sequence == request.sequence
                && reply.net_fn == request.net_fn
                && reply.command == request.command
                && reply.data == request.data
                && (reply.message.is_none() || now.saturating_duration_since(reply.at) < INTERVAL)
        });
        match known {
            None => Seen::No,
            Some(reply) => reply
                .message
                .as_deref()
                .map_or(Seen::Running, Seen::Answered),
        }
    }

    /// Notes a request that starts to run.
    pub(crate) fn start(&mut self, now: Instant, request: &RequestMessage<'_>) {
        if self.0.len() == DEPTH {
            self.0.pop_front();
        }
        self.0.push_back(Reply {
            sequence: request.sequence,
            net_fn: request.net_fn,
            command: request.command,
            data: request.data.to_vec(),
            at: now,
            message: None,
        });
    }

    /// Notes how the request that runs under that number was answered.
    pub(crate) fn answer(&mut self, now: Instant, sequence: u8, command: u8, message: &[u8]) {
        let running = self.0.iter_mut().find(|reply| {
            reply.sequence == sequence && reply.command == command && reply.message.is_none()
        });
        if let Some(reply) = running {
            reply.at = now;
            reply.message = Some(message.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_is_the_same_for_a_while_only() {
        let now = tokio::time::Instant::now().into_std();
        let request = RequestMessage::new(NetFn::CHASSIS, 2, 5, &[3]);
        let mut replies = Replies::default();
        assert_eq!(replies.seen(now, &request), Seen::No);
        replies.start(now, &request);
        assert_eq!(replies.seen(now + INTERVAL * 2, &request), Seen::Running);
        replies.answer(now, 5, 2, b"done");
        assert_eq!(replies.seen(now, &request), Seen::Answered(b"done"));
        assert_eq!(replies.seen(now + INTERVAL, &request), Seen::No);
        let other = RequestMessage::new(NetFn::CHASSIS, 2, 5, &[2]);
        assert_eq!(replies.seen(now, &other), Seen::No);
        for sequence in 6..30 {
            replies.start(now, &RequestMessage::new(NetFn::CHASSIS, 2, sequence, &[]));
        }
        assert_eq!(replies.seen(now, &request), Seen::No);
        assert_eq!(replies.0.len(), DEPTH);
    }
}
