//! Both ends of a TFTP transfer joined in memory, by a network that loses, doubles and delays.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ironic_pxe::tftp::{
    ErrorCode, Mode, Packet, ReadRequest, ReceiveConfig, ReceiveTransfer, RetryPolicy,
    SendTransfer, TftpOptions, TransferError, TransferLimits,
};
use proptest::prelude::*;

const LATENCY: Duration = Duration::from_millis(5);

/// Decides what happens to the packet with this running number: one delay per copy that arrives.
type Fate<'a> = &'a mut dyn FnMut(u64) -> Vec<Duration>;

struct Run {
    sender: SendTransfer,
    receiver: ReceiveTransfer,
    content: Vec<u8>,
    data_packets: u64,
    elapsed: Duration,
}

fn run(request: ReadRequest, file: &[u8], fate: Fate<'_>) -> Run {
    let server: SocketAddr = "192.0.2.1:69".parse().unwrap();
    let transfer_port: SocketAddr = "192.0.2.1:40000".parse().unwrap();
    let retry = RetryPolicy::new(Duration::from_millis(100), Duration::from_secs(2), 12);
    let limits = TransferLimits::new(65464, 65535);
    let mut receiver = ReceiveTransfer::new(
        server,
        request,
        ReceiveConfig::new(retry, u64::MAX),
        Duration::ZERO,
    );
    let mut sender: Option<SendTransfer> = None;
    // What is under way, by arrival; the number keeps packets of one moment in order.
    let mut network: BTreeMap<(Duration, u64, bool), Vec<u8>> = BTreeMap::new();
    let (mut now, mut number, mut copies, mut data_packets) = (Duration::ZERO, 0, 0, 0);
    let mut content = Vec::new();
    for _ in 0..4_000_000 {
        let mut leaving: Vec<(bool, Vec<u8>)> = Vec::new();
        while let Some((_, bytes)) = receiver.poll_transmit() {
            leaving.push((true, bytes));
        }
        if let Some(sender) = &mut sender {
            loop {
                while let Some(wanted) = sender.wanted() {
                    let start = usize::try_from(wanted.offset).unwrap();
                    sender.supply(&file[start..start + wanted.length]);
                }
                let Some(bytes) = sender.poll_transmit() else {
                    break;
                };
                data_packets += u64::from(matches!(Packet::parse(&bytes), Ok(Packet::Data { .. })));
                leaving.push((false, bytes));
            }
        }
        for (to_server, bytes) in leaving {
            for delay in fate(number) {
                network.insert((now + LATENCY + delay, copies, to_server), bytes.clone());
                copies += 1;
            }
            number += 1;
        }
        content.append(&mut receiver.take_content());
        let ended = sender
            .as_ref()
            .is_some_and(|sender| sender.outcome().is_some());
        if ended && receiver.outcome().is_some() {
            break;
        }
        let due = [
            receiver.poll_timeout(),
            sender.as_ref().and_then(SendTransfer::poll_timeout),
        ];
        let due = due.into_iter().flatten().min();
        let arrival = network.keys().next().copied();
        match arrival {
            Some(key) if due.is_none_or(|due| key.0 <= due) => {
                now = key.0;
                let bytes = network.remove(&key).unwrap();
                match (key.2, &mut sender) {
                    (false, _) => receiver.handle_datagram(transfer_port, &bytes, now),
                    (true, Some(sender)) => sender.handle_datagram(&bytes, now),
                    (true, none) => {
                        let Ok(Packet::Read(request)) = Packet::parse(&bytes) else {
                            continue;
                        };
                        let size = file.len() as u64;
                        *none = Some(SendTransfer::new(&request, size, limits, retry, now));
                    }
                }
            }
            _ => {
                let Some(due) = due else { break };
                now = due;
                receiver.handle_timeout(now);
                if let Some(sender) = &mut sender {
                    sender.handle_timeout(now);
                }
            }
        }
    }
    Run {
        sender: sender.unwrap(),
        receiver,
        content,
        data_packets,
        elapsed: now,
    }
}

fn perfect() -> impl FnMut(u64) -> Vec<Duration> {
    |_| vec![Duration::ZERO]
}

fn file(size: usize) -> Vec<u8> {
    (0..size)
        .map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap())
        .collect()
}

fn options(blksize: Option<u16>, windowsize: Option<u16>) -> TftpOptions {
    let mut options = TftpOptions::new();
    (options.blksize, options.windowsize) = (blksize, windowsize);
    options
}

fn octet(options: TftpOptions) -> ReadRequest {
    ReadRequest::new("file").with_options(options)
}

#[test]
fn sizes_around_a_block() {
    for size in [0, 1, 511, 512, 513, 1024] {
        let run = run(octet(TftpOptions::new()), &file(size), &mut perfect());
        assert_eq!(run.content, file(size));
        assert_eq!(run.data_packets, size as u64 / 512 + 1, "{size} bytes");
        assert_eq!(
            (run.sender.outcome(), run.receiver.outcome()),
            (Some(&Ok(())), Some(&Ok(())))
        );
    }
}

#[test]
fn block_numbers_go_on_from_zero() {
    let content = file(8 * 70_000 + 3);
    for window in [None, Some(7), Some(65_535)] {
        let run = run(octet(options(Some(8), window)), &content, &mut perfect());
        assert_eq!(run.receiver.outcome(), Some(&Ok(())), "window {window:?}");
        assert_eq!(run.sender.acknowledged(), 70_001);
        assert_eq!(run.data_packets, 70_001);
        assert!(run.content == content);
    }
}

#[test]
fn a_window_saves_round_trips() {
    let content = file(512 * 64);
    let plain = run(octet(TftpOptions::new()), &content, &mut perfect());
    let windowed = run(octet(options(None, Some(16))), &content, &mut perfect());
    assert!(windowed.content == content);
    assert!(
        windowed.elapsed * 8 < plain.elapsed,
        "{:?} {:?}",
        windowed.elapsed,
        plain.elapsed
    );
}

#[test]
fn doubled_packets_are_not_doubled_again() {
    // Every packet arrives twice. A sender that answers a repeated acknowledgement would send
    // every block twice from then on, and the network would double those again.
    for window in [None, Some(4)] {
        let content = file(512 * 100);
        let run = run(octet(options(None, window)), &content, &mut |_| {
            vec![Duration::ZERO, Duration::from_millis(1)]
        });
        assert!(run.content == content);
        let most = if window.is_none() { 101 } else { 101 * 2 };
        assert!(
            run.data_packets <= most,
            "{} packets, window {window:?}",
            run.data_packets
        );
    }
}

#[test]
fn a_delayed_acknowledgement_does_not_double_the_transfer() {
    let content = file(512 * 100);
    // The tenth packet comes so late that its sender repeats: RFC 1123 §4.2.3.1.
    let run = run(octet(TftpOptions::new()), &content, &mut |number| {
        vec![if number == 10 {
            Duration::from_millis(150)
        } else {
            Duration::ZERO
        }]
    });
    assert!(run.content == content);
    assert!(run.data_packets <= 102, "{} packets", run.data_packets);
}

#[test]
fn netascii_arrives_as_it_was() {
    let text = b"one\ntwo\r\nthree\r".repeat(200);
    let request = ReadRequest::new("file").with_mode(Mode::Netascii);
    let run = run(request, &text, &mut perfect());
    assert_eq!(run.content, text);
}

#[test]
fn silence_ends_both_ends() {
    let run = run(octet(TftpOptions::new()), &file(5000), &mut |number| {
        if number < 4 {
            vec![Duration::ZERO]
        } else {
            Vec::new()
        }
    });
    let timed_out = Some(&Err(TransferError::TimedOut { attempts: 13 }));
    assert_eq!(
        (run.sender.outcome(), run.receiver.outcome()),
        (timed_out, timed_out)
    );
    // 0.1, 0.2, … doubling up to 2 s, thirteen times: back-off, not a storm.
    assert!(run.elapsed > Duration::from_secs(15), "{:?}", run.elapsed);
}

#[test]
fn sizes_are_told_and_limits_hold() {
    let mut asked = TftpOptions::new();
    asked.tsize = Some(0);
    let told = run(octet(asked), &file(3000), &mut perfect());
    assert_eq!(told.receiver.options().tsize, Some(3000));

    let server: SocketAddr = "192.0.2.1:69".parse().unwrap();
    let config = ReceiveConfig::new(RetryPolicy::default(), 1000);
    for bytes in [
        Packet::Data {
            block: 1,
            content: &[0; 513],
        }
        .to_bytes(),
        Packet::OptionAck(options(Some(9000), None)).to_bytes(),
    ] {
        let mut receiver =
            ReceiveTransfer::new(server, octet(TftpOptions::new()), config, Duration::ZERO);
        let _ = receiver.poll_transmit();
        receiver.handle_datagram(server, &bytes, Duration::ZERO);
        assert!(matches!(
            receiver.outcome(),
            Some(Err(TransferError::Protocol(_)))
        ));
        let (_, answer) = receiver.poll_transmit().unwrap();
        assert!(matches!(Packet::parse(&answer), Ok(Packet::Error { .. })));
    }
    let mut receiver =
        ReceiveTransfer::new(server, octet(TftpOptions::new()), config, Duration::ZERO);
    for block in 1..=2 {
        let bytes = Packet::Data {
            block,
            content: &[0; 512],
        }
        .to_bytes();
        receiver.handle_datagram(server, &bytes, Duration::ZERO);
    }
    assert_eq!(
        receiver.outcome(),
        Some(&Err(TransferError::TooLarge { limit: 1000 }))
    );
}

#[test]
fn another_transfer_of_the_same_server_is_turned_away() {
    let server: SocketAddr = "192.0.2.1:69".parse().unwrap();
    let (first, second): (SocketAddr, SocketAddr) = (
        "192.0.2.1:1000".parse().unwrap(),
        "192.0.2.1:1001".parse().unwrap(),
    );
    let stranger: SocketAddr = "198.51.100.1:1000".parse().unwrap();
    let request = octet(TftpOptions::new());
    let mut receiver =
        ReceiveTransfer::new(server, request, ReceiveConfig::default(), Duration::ZERO);
    let _ = receiver.poll_transmit();
    let block = Packet::Data {
        block: 1,
        content: &[1; 512],
    }
    .to_bytes();
    receiver.handle_datagram(stranger, &block, Duration::ZERO);
    assert_eq!(receiver.poll_transmit(), None);
    receiver.handle_datagram(first, &block, Duration::ZERO);
    assert_eq!(receiver.poll_transmit().unwrap().0, first);
    receiver.handle_datagram(second, &block, Duration::ZERO);
    let (to, answer) = receiver.poll_transmit().unwrap();
    let Ok(Packet::Error { code, .. }) = Packet::parse(&answer) else {
        panic!("an error")
    };
    assert_eq!((to, code), (second, ErrorCode::UnknownTransfer));
    assert_eq!(receiver.outcome(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_bad_network_changes_nothing(
        size in 0usize..20_000,
        blksize in prop_oneof![Just(None), (8u16..600).prop_map(Some)],
        window in prop_oneof![Just(None), (1u16..20).prop_map(Some)],
        netascii in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let content = file(size);
        let mode = if netascii { Mode::Netascii } else { Mode::Octet };
        let request = octet(options(blksize, window)).with_mode(mode);
        let mut state = seed | 1;
        let mut chance = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % 100
        };
        // One packet in ten is lost, one in ten doubled, one in ten overtaken.
        let run = run(request, &content, &mut |_| match chance() {
            0..10 => Vec::new(),
            10..20 => vec![Duration::ZERO, Duration::from_millis(chance())],
            20..30 => vec![Duration::from_millis(20)],
            _ => vec![Duration::ZERO],
        });
        prop_assert_eq!(run.receiver.outcome(), Some(&Ok(())));
        prop_assert!(run.content == content);
    }

    #[test]
    fn random_datagrams_do_no_harm(
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..40),
        operations in proptest::collection::vec(1u8..7, 40),
    ) {
        let server: SocketAddr = "192.0.2.1:69".parse().unwrap();
        let retry = RetryPolicy::default();
        let request = octet(options(Some(100), Some(3)));
        let mut sender =
            SendTransfer::new(&request, 1000, TransferLimits::default(), retry, Duration::ZERO);
        let mut receiver =
            ReceiveTransfer::new(server, request, ReceiveConfig::default(), Duration::ZERO);
        for (datagram, operation) in datagrams.iter().zip(operations) {
            let mut bytes = vec![0, operation];
            bytes.extend(datagram);
            sender.handle_datagram(&bytes, Duration::ZERO);
            receiver.handle_datagram(server, &bytes, Duration::ZERO);
            while let Some(wanted) = sender.wanted() {
                sender.supply(&vec![0; wanted.length]);
            }
            while sender.poll_transmit().is_some() {}
            while receiver.poll_transmit().is_some() {}
        }
    }
}
