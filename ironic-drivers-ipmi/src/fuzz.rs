//! One entry point for each parser, for fuzzers: whatever the bytes, they return.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use crate::{
    codec::{
        CipherSuite, OpenSessionRequest, OpenSessionResponse, Packet, Privilege, Rakp1, Rakp2,
        RakpCode, RequestMessage, ResponseMessage, Rmcp, SolPacket,
    },
    command::{
        ActivateSol, ChassisControl, CloseSession, Command, DeactivateSol,
        GetAuthenticationCapabilities, GetBootOptions, GetChassisStatus, GetCipherSuites,
        GetDeviceId, GetEventEnable, GetReadingFactors, GetSdr, GetSdrInfo, GetSensorReading,
        GetSystemGuid, GetThresholds, Guid, ReserveSdr, SetBootOptions, SetSessionPrivilege,
    },
    console::{ConsoleConfig, ConsoleSession, Request},
    sensor::SensorRecord,
    server::{BmcConfig, BmcServer, User},
    session::{Digest, SessionKeys},
};

/// A whole datagram: RMCP, then the session packet, then what it carries in the clear, or under known keys.
pub fn datagram(bytes: &[u8]) {
    let Ok(Rmcp::Ipmi(packet)) = Rmcp::decode(bytes) else {
        return;
    };
    match Packet::decode(packet) {
        Ok(Packet::Plain(payload)) => message(payload),
        Ok(Packet::Outside { payload, .. }) => handshake(payload),
        Ok(Packet::Inside(packet)) => {
            for suite in CipherSuite::PREFERENCE {
                let keys = SessionKeys::derive(suite, &Digest::hmac(suite, b"key", &[]));
                let _ = keys.open(&packet);
            }
        }
        Err(_) => {}
    }
}

/// An IPMI message, request or response; a packet of serial over LAN; a sensor's record.
pub fn message(bytes: &[u8]) {
    let _ = SolPacket::decode(bytes);
    let _ = SensorRecord::decode(bytes);
    let _ = RequestMessage::decode(bytes);
    let _ = ResponseMessage::decode(bytes);
}

/// The payloads that open a session.
pub fn handshake(bytes: &[u8]) {
    let _ = OpenSessionRequest::decode(bytes);
    let _ = OpenSessionResponse::decode(bytes);
    let _ = Rakp1::decode(bytes);
    let _ = Rakp2::decode(bytes);
    let _ = RakpCode::decode(bytes);
}

/// The data of each command, and of each response.
pub fn command(bytes: &[u8]) {
    fn both<C: Command>(bytes: &[u8]) {
        let _ = C::decode(bytes);
        let _ = C::decode_response(bytes);
    }
    both::<ActivateSol>(bytes);
    both::<DeactivateSol>(bytes);
    both::<GetSdrInfo>(bytes);
    both::<ReserveSdr>(bytes);
    both::<GetSdr>(bytes);
    both::<GetSensorReading>(bytes);
    both::<GetEventEnable>(bytes);
    both::<GetThresholds>(bytes);
    both::<GetReadingFactors>(bytes);
    both::<ChassisControl>(bytes);
    both::<CloseSession>(bytes);
    both::<GetAuthenticationCapabilities>(bytes);
    both::<GetBootOptions>(bytes);
    both::<GetChassisStatus>(bytes);
    both::<GetCipherSuites>(bytes);
    both::<GetDeviceId>(bytes);
    both::<GetSystemGuid>(bytes);
    both::<SetBootOptions>(bytes);
    both::<SetSessionPrivilege>(bytes);
    let _ = CipherSuite::decode_records(bytes);
}

/// Both ends, each given the bytes as datagrams: two bytes of length in front of each.
pub fn both_ends(now: Instant, bytes: &[u8]) {
    let random = &mut |out: &mut [u8]| out.fill(7);
    let Ok(user) = User::new("admin", "password", Privilege::Administrator) else {
        return;
    };
    let (Ok(bmc), Ok(console)) = (
        BmcConfig::new(Guid([0; 16]), vec![user]),
        ConsoleConfig::new("admin", "password"),
    ) else {
        return;
    };
    let mut bmc = BmcServer::new(bmc);
    let mut console = ConsoleSession::new(Arc::new(console));
    let _ = console.submit(now, Request::of(&GetChassisStatus), random);
    let from = SocketAddr::from(([192, 0, 2, 1], 1));
    let mut rest = bytes;
    while let Some(([high, low], tail)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (datagram, next) = tail.split_at(len);
        bmc.handle_datagram(now, from, datagram, random);
        console.handle_datagram(now, datagram, random);
        while bmc.poll_transmit().is_some() || console.poll_transmit().is_some() {}
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_bytes_they_return(bytes: Vec<u8>) {
            #[allow(clippy::disallowed_methods, reason = "an instant to count from")]
            let now = Instant::now();
            let framed = [&[6, 0, 0xff, 7, 6][..], &bytes].concat();
            for bytes in [&bytes, &framed] {
                datagram(bytes);
                message(bytes);
                handshake(bytes);
                command(bytes);
                both_ends(now, bytes);
            }
        }
    }
}
