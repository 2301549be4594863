//! The client against OpenIPMI's `ipmi_sim`, with every datagram counted on the way.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and the peer is a process of its own"
)]

mod peers;

use std::{sync::Arc, time::Duration};

use ironic_core::{OsEntropy, Secret};
use ironic_drivers_ipmi::{
    client::{Endpoint, IpmiClient},
    codec::{CipherSuite, CompletionCode, NetFn, Privilege},
    command::{BootDevice, BootFlags, ChassisAction},
    console::{AuthenticationFailure, IpmiError, Request, Timing},
};
use peers::{IpmiSim, Relay};

fn secret(password: &str) -> Secret<String> {
    Secret::new(password.to_owned())
}

fn client() -> IpmiClient {
    IpmiClient::new(Arc::new(OsEntropy))
}

#[tokio::test]
async fn a_cold_status_takes_four_exchanges_and_a_warm_one_takes_one() {
    let sim = IpmiSim::start().await;
    let relay = Relay::to(sim.address).await;
    let endpoint = Endpoint::new(relay.address, "admin", &secret("password")).unwrap();
    let client = client();
    let bmc = client.bmc(endpoint.suite(CipherSuite::Sha1Aes128));
    assert!(!bmc.chassis_status().await.unwrap().is_powered());
    assert_eq!(relay.requests(), 4, "cold");
    for warm in 1..=3 {
        bmc.chassis_status().await.unwrap();
        assert_eq!(relay.requests(), 4 + warm, "warm");
    }
    // The first command that takes more than a user's level raises the session, once.
    bmc.chassis_control(ChassisAction::PowerUp).await.unwrap();
    assert_eq!(relay.requests(), 7 + 2, "first control");
    assert!(bmc.chassis_status().await.unwrap().is_powered());
    bmc.chassis_control(ChassisAction::HardReset).await.unwrap();
    assert_eq!(relay.requests(), 9 + 2, "second control");
}

#[tokio::test]
async fn a_bmc_without_suite_17_is_spoken_to_in_suite_3() {
    let sim = IpmiSim::start().await;
    let relay = Relay::to(sim.address).await;
    let bmc = client().bmc(Endpoint::new(relay.address, "admin", &secret("password")).unwrap());
    bmc.chassis_status().await.unwrap();
    assert_eq!(relay.requests(), 5, "one proposal more");
}

#[tokio::test]
async fn commands_come_through() {
    let sim = IpmiSim::start().await;
    let endpoint = Endpoint::new(sim.address, "admin", &secret("password")).unwrap();
    let bmc = client().bmc(endpoint.suite(CipherSuite::Sha1Aes128));
    let id = bmc.device_id().await.unwrap();
    assert_eq!((id.manufacturer, id.product), (0x1291, 0xf02));
    assert_eq!(bmc.system_guid().await.unwrap().0[..2], [0xa1, 0x23]);
    for device in [BootDevice::Pxe, BootDevice::Disk] {
        bmc.set_boot_flags(BootFlags::next_boot(device))
            .await
            .unwrap();
        assert_eq!(bmc.boot_flags().await.unwrap().device(), device);
    }
    for (action, on) in [
        (ChassisAction::PowerUp, true),
        (ChassisAction::PowerDown, false),
        (ChassisAction::PowerUp, true),
        (ChassisAction::SoftShutdown, false),
    ] {
        bmc.chassis_control(action).await.unwrap();
        assert_eq!(
            bmc.chassis_status().await.unwrap().is_powered(),
            on,
            "{action}"
        );
    }
    let unknown = bmc.execute(Request::raw(NetFn::new(0x3a), 0x77, &[])).await;
    assert!(
        matches!(unknown, Err(IpmiError::Completion { code, .. }) if code == CompletionCode::INVALID_COMMAND),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let sim = IpmiSim::start().await;
    let client = client();
    let try_as = async |name: &str, password: &str, level| {
        let endpoint = Endpoint::new(sim.address, name, &secret(password)).unwrap();
        let bmc = client.bmc(endpoint.suite(CipherSuite::Sha1Aes128).privilege(level));
        bmc.chassis_control(ChassisAction::PowerUp)
            .await
            .unwrap_err()
    };
    assert_eq!(
        try_as("admin", "passwort", Privilege::Administrator).await,
        IpmiError::Authentication(AuthenticationFailure::Password)
    );
    assert_eq!(
        try_as("nobody", "password", Privilege::Administrator).await,
        IpmiError::Authentication(AuthenticationFailure::User)
    );
    // The simulator refuses no level when a session opens; what the session may not do it refuses.
    assert!(matches!(
        try_as("operator", "secret", Privilege::User).await,
        IpmiError::Completion { code, .. } if code == CompletionCode::INSUFFICIENT_PRIVILEGE
    ));
}

#[tokio::test]
async fn a_session_that_the_bmc_has_lost_is_opened_again() {
    let mut sim = IpmiSim::start().await;
    let mut timing = Timing::default();
    timing.first_retry = Duration::from_millis(100);
    timing.fresh_for = Duration::ZERO;
    let endpoint = Endpoint::new(sim.address, "admin", &secret("password")).unwrap();
    let bmc = client().bmc(endpoint.suite(CipherSuite::Sha1Aes128).timing(timing));
    bmc.chassis_control(ChassisAction::PowerUp).await.unwrap();
    sim.restart().await;
    assert!(!bmc.chassis_status().await.unwrap().is_powered());
    bmc.chassis_control(ChassisAction::PowerUp).await.unwrap();
    sim.restart().await;
    // A reset must not run twice: the session is probed first, found dead, and opened again.
    bmc.chassis_control(ChassisAction::HardReset).await.unwrap();
}
