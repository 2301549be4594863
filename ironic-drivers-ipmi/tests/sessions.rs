//! What becomes of sessions: forged, replayed, crowded out, idle, kept.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and an instant to count from; no time passes but what the test adds"
)]

mod world;

use std::time::Duration;

use ironic_drivers_ipmi::{
    codec::{CipherSuite, Packet, PayloadType, Privilege, RakpCode, Rmcp, SessionStatus},
    command::{ChassisAction, ChassisControl, GetChassisStatus, Guid},
    console::{AuthenticationFailure, IpmiError, Request},
    server::{BmcConfig, BmcServer, User},
};
use world::{Fate, World, status_of};

fn reset() -> Request {
    Request::of(&ChassisControl::new(ChassisAction::HardReset))
}

fn status() -> Request {
    Request::of(&GetChassisStatus)
}

/// The payload of a datagram outside a session, where it is of that kind.
fn payload(datagram: &[u8], wanted: PayloadType) -> Option<Vec<u8>> {
    let Ok(Rmcp::Ipmi(packet)) = Rmcp::decode(datagram) else {
        return None;
    };
    match Packet::decode(packet) {
        Ok(Packet::Outside { kind, payload }) if kind == wanted => Some(payload.to_vec()),
        _ => None,
    }
}

#[test]
fn a_bmc_lets_nobody_in_without_the_right_code() {
    for suite in CipherSuite::PREFERENCE {
        // Each bit of the code in RAKP 3, which ends the datagram.
        for bit in 0..suite.digest_len() * 8 {
            let mut world = World::new(suite, Vec::new(), 1);
            world.submit(reset());
            let mut verdict = None;
            world.run_with(|world, mut datagram| {
                if payload(&datagram, PayloadType::Rakp3).is_some() {
                    let at = datagram.len() - suite.digest_len() + bit / 8;
                    datagram[at] ^= 1 << (bit % 8);
                    world.deliver_to_bmc(&datagram);
                    let answer = world.bmc.poll_transmit().unwrap().datagram;
                    let rakp4 = payload(&answer, PayloadType::Rakp4).unwrap();
                    verdict = RakpCode::decode(&rakp4).unwrap().outcome.err();
                    world.bmc_to_console.push_back(answer);
                } else {
                    world.deliver_to_bmc(&datagram);
                }
            });
            assert_eq!(verdict, Some(SessionStatus::INVALID_INTEGRITY_CHECK));
            assert_eq!(world.bmc.session_count(), 0);
            assert!(world.actions.is_empty());
            assert!(world.outcomes.values().all(|outcome| *outcome
                == Err(IpmiError::Authentication(AuthenticationFailure::Password))));
        }
    }
}

#[test]
fn a_console_proves_nothing_to_a_bmc_that_does_not_know_the_password() {
    let mut world = World::new(CipherSuite::Sha256Aes128, Vec::new(), 1);
    let user = User::new("admin", "another", Privilege::Administrator).unwrap();
    world.bmc = BmcServer::new(BmcConfig::new(Guid([7; 16]), vec![user]).unwrap());
    let id = world.submit(status());
    let mut farewells = 0;
    world.run_with(|world, datagram| {
        if let Some(rakp3) = payload(&datagram, PayloadType::Rakp3) {
            let rakp3 = RakpCode::decode(&rakp3).unwrap();
            assert_eq!(
                rakp3.outcome,
                Err(SessionStatus::INVALID_INTEGRITY_CHECK),
                "it gave a code away"
            );
            farewells += 1;
        }
        world.deliver_to_bmc(&datagram);
    });
    assert_eq!(
        world.outcomes[&id],
        Err(IpmiError::Authentication(AuthenticationFailure::Password))
    );
    assert_eq!((farewells, world.bmc.session_count()), (1, 0));
}

#[test]
fn an_old_packet_is_dropped_even_when_its_command_is_forgotten() {
    for suite in CipherSuite::PREFERENCE {
        let mut world = World::new(suite, Vec::new(), 1);
        world.submit(reset());
        let mut heard = Vec::new();
        world.run_with(|world, datagram| {
            heard.push(datagram.clone());
            world.deliver_to_bmc(&datagram);
        });
        // Longer than a BMC remembers commands by their number, shorter than it keeps sessions.
        world.now += Duration::from_secs(20);
        for datagram in heard {
            world.deliver_to_bmc(&datagram);
        }
        assert_eq!(world.actions, [ChassisAction::HardReset]);
    }
}

#[test]
fn a_step_that_is_repeated_leads_into_the_same_session() {
    for suite in CipherSuite::PREFERENCE {
        // The request for a session doubled; the answer to it, to RAKP 1 and to RAKP 3 lost.
        for (fate, nth) in [
            (Fate::Twice, 0),
            (Fate::Lost, 1),
            (Fate::Lost, 3),
            (Fate::Lost, 5),
        ] {
            let mut fates = vec![Fate::Arrives; nth];
            fates.push(fate);
            let mut world = World::new(suite, fates, 1);
            let id = world.submit(status());
            world.run();
            assert!(status_of(&world.outcomes[&id]));
            assert_eq!(world.bmc.session_count(), 1, "{fate:?} {nth}");
            assert_eq!(world.console.exchanges(), 4, "{fate:?} {nth}");
        }
    }
}

#[test]
fn a_session_is_kept_alive_and_then_closed() {
    let mut world = World::new(CipherSuite::Sha256Aes128, Vec::new(), 1);
    world.submit(status());
    world.run();
    let begun = world.now;
    let mut lived = Duration::ZERO;
    while let Some(due) = world.console.poll_timeout() {
        world.now = due;
        world.bmc.handle_timeout(due);
        lived = due - begun;
        world.wake_console();
        world.run();
    }
    assert_eq!(lived, Duration::from_secs(300));
    assert!(world.console.is_idle());
    assert_eq!(world.bmc.session_count(), 0, "closed, not left to expire");
    assert!(
        (4 + 8..=4 + 10).contains(&world.console.exchanges()),
        "one exchange each 30 seconds, not {}",
        world.console.exchanges()
    );
}

#[test]
fn a_reset_after_the_session_was_lost_is_sent_once_and_works() {
    for action in ChassisAction::ALL {
        let mut world = World::new(CipherSuite::Sha1Aes128, Vec::new(), 1);
        // Raises the session, so that nothing but the action itself is left to send.
        world.submit(Request::of(&ChassisControl::new(ChassisAction::PowerUp)));
        world.run();
        // The BMC ends the session behind the console's back.
        world.now += Duration::from_secs(61);
        world.bmc.handle_timeout(world.now);
        assert_eq!(world.bmc.session_count(), 0);
        let id = world.submit(Request::of(&ChassisControl::new(action)));
        world.run();
        assert_eq!(world.outcomes[&id], Ok(Vec::new()), "{action}");
        assert_eq!(world.actions, [ChassisAction::PowerUp, action]);
    }
}

#[test]
fn a_replayed_conversation_does_nothing() {
    for suite in CipherSuite::PREFERENCE {
        let mut world = World::new(suite, Vec::new(), 1);
        let mut heard = Vec::new();
        world.submit(reset());
        world.run_with(|world, datagram| {
            heard.push(datagram.clone());
            world.deliver_to_bmc(&datagram);
        });
        assert_eq!(heard.len(), 5, "open, rakp 1, rakp 3, privilege, reset");
        for datagram in heard.iter().chain(heard.iter().rev()) {
            world.deliver_to_bmc(datagram);
        }
        assert_eq!(world.actions, [ChassisAction::HardReset]);
    }
}

#[test]
fn sessions_at_a_bmc_are_bounded_and_end() {
    let user = User::new("admin", "password", Privilege::Administrator).unwrap();
    let config = BmcConfig::new(Guid([7; 16]), vec![user])
        .unwrap()
        .max_sessions(3)
        .unwrap();
    let mut world = World::new(CipherSuite::Sha256Aes128, Vec::new(), 1);
    world.bmc = BmcServer::new(config);
    world.submit(status());
    world.run();
    assert_eq!(world.bmc.session_count(), 1);
    // A flood of half-open sessions takes neither more room nor the open session.
    for seed in 0..100 {
        let mut flood = World::new(CipherSuite::Sha256Aes128, Vec::new(), seed + 2);
        flood.submit(status());
        let datagram = flood.console.poll_transmit().unwrap();
        world.deliver_to_bmc(&datagram);
        assert!(world.bmc.session_count() <= 3);
    }
    while world.bmc.poll_transmit().is_some() {}
    let id = world.submit(status());
    world.run();
    assert!(status_of(&world.outcomes[&id]));
    world
        .bmc
        .handle_timeout(world.now + Duration::from_secs(11));
    assert_eq!(world.bmc.session_count(), 1, "half-open sessions end");
    world
        .bmc
        .handle_timeout(world.now + Duration::from_secs(61));
    assert_eq!(world.bmc.session_count(), 0, "idle sessions end");
    // The console finds out by itself.
    world.now += Duration::from_secs(61);
    let id = world.submit(status());
    world.run();
    assert!(status_of(&world.outcomes[&id]));
}
