//! The client against this crate's own BMC, over sockets.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and tests measure what they wait for"
)]

mod peers;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use ironic_core::{Entropy, OsEntropy, Secret};
use ironic_drivers_ipmi::{
    Key,
    client::{Bmc, Endpoint, IpmiClient},
    codec::{CipherSuite, CompletionCode, Privilege},
    command::{BootDevice, BootFlags, ChassisAction, ChassisStatus, Guid},
    console::{AuthenticationFailure, IpmiError, Timing},
    server::{BmcConfig, Machine, PoweredMachine, User, serve},
};
use peers::Relay;
use tokio::{net::UdpSocket, sync::Notify, task::JoinSet, time::timeout};

fn config() -> BmcConfig {
    let users = vec![
        User::new("admin", "password", Privilege::Administrator).unwrap(),
        User::new("operator", "secret", Privilege::Operator).unwrap(),
        User::new("reader", "eyes", Privilege::User).unwrap(),
    ];
    BmcConfig::new(Guid([9; 16]), users).unwrap()
}

/// A BMC until the set is dropped.
async fn start(
    tasks: &mut JoinSet<()>,
    config: BmcConfig,
    machine: Arc<dyn Machine>,
    at: SocketAddr,
) -> SocketAddr {
    let socket = UdpSocket::bind(at).await.unwrap();
    let address = socket.local_addr().unwrap();
    tasks.spawn(async move {
        serve(socket, config, machine, |out: &mut [u8]| {
            OsEntropy.fill(out)
        })
        .await
        .unwrap();
    });
    address
}

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn client() -> IpmiClient {
    IpmiClient::new(Arc::new(OsEntropy))
}

fn endpoint(address: SocketAddr, user: &str, password: &str) -> Endpoint {
    Endpoint::new(address, user, &Secret::new(password.to_owned())).unwrap()
}

#[tokio::test]
async fn both_suites_take_four_exchanges_cold_and_one_warm() {
    let mut tasks = JoinSet::new();
    let client = client();
    for suite in CipherSuite::PREFERENCE {
        let address = start(
            &mut tasks,
            config(),
            Arc::new(PoweredMachine::new()),
            LOOPBACK,
        )
        .await;
        let relay = Relay::to(address).await;
        let bmc = client.bmc(endpoint(relay.address, "admin", "password").suite(suite));
        assert!(!bmc.chassis_status().await.unwrap().is_powered());
        assert_eq!(relay.requests(), 4, "{suite:?}");
        bmc.chassis_status().await.unwrap();
        assert_eq!(relay.requests(), 5, "{suite:?}");
        // A second handle with the same endpoint shares the session.
        let again = client.bmc(bmc.endpoint().clone());
        again.chassis_status().await.unwrap();
        assert_eq!(relay.requests(), 6, "{suite:?}");
    }
}

#[tokio::test]
async fn boot_flags_power_and_ipv6() {
    let mut tasks = JoinSet::new();
    let machine = Arc::new(PoweredMachine::new());
    let at = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let address = start(&mut tasks, config(), machine.clone(), at).await;
    let bmc = client().bmc(endpoint(address, "admin", "password"));
    let flags = BootFlags::next_boot(BootDevice::Pxe).efi(true);
    bmc.set_boot_flags(flags).await.unwrap();
    assert_eq!(bmc.boot_flags().await.unwrap(), flags);
    bmc.chassis_control(ChassisAction::PowerUp).await.unwrap();
    assert_eq!(machine.boots(), [BootDevice::Pxe]);
    assert!(!bmc.boot_flags().await.unwrap().is_valid());
    bmc.chassis_control(ChassisAction::PowerDown).await.unwrap();
    let refused = bmc
        .chassis_control(ChassisAction::PowerCycle)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, IpmiError::Completion { code, .. } if code == CompletionCode::NOT_IN_PRESENT_STATE)
    );
    assert!(!refused.is_retryable());
    assert_eq!(bmc.system_guid().await.unwrap(), Guid([9; 16]));
    assert_eq!(bmc.device_id().await.unwrap().ipmi_version, (2, 0));
}

#[tokio::test]
async fn credentials_and_levels_are_told_apart() {
    let mut tasks = JoinSet::new();
    let address = start(
        &mut tasks,
        config(),
        Arc::new(PoweredMachine::new()),
        LOOPBACK,
    )
    .await;
    let client = client();
    let failure = async |endpoint| {
        let bmc: Bmc = client.bmc(endpoint);
        bmc.chassis_control(ChassisAction::PowerUp)
            .await
            .unwrap_err()
    };
    for (user, password, expected) in [
        (
            "admin",
            "wrong",
            IpmiError::Authentication(AuthenticationFailure::Password),
        ),
        (
            "admin",
            "",
            IpmiError::Authentication(AuthenticationFailure::Password),
        ),
        (
            "nobody",
            "password",
            IpmiError::Authentication(AuthenticationFailure::User),
        ),
        (
            "operator",
            "secret",
            IpmiError::Privilege {
                wanted: Privilege::Administrator,
            },
        ),
    ] {
        let error = failure(endpoint(address, user, password)).await;
        assert_eq!(error, expected);
        assert!(!error.is_retryable());
    }
    let reader = endpoint(address, "reader", "eyes").privilege(Privilege::User);
    assert!(matches!(
        failure(reader.clone()).await,
        IpmiError::Completion { code, .. } if code == CompletionCode::INSUFFICIENT_PRIVILEGE
    ));
    client.bmc(reader).chassis_status().await.unwrap();
    let operator = endpoint(address, "operator", "secret").privilege(Privilege::Operator);
    client
        .bmc(operator)
        .chassis_control(ChassisAction::PowerUp)
        .await
        .unwrap();
    let debug = format!("{:?}", endpoint(address, "operator", "hush-hush"));
    assert!(debug.contains("***") && !debug.contains("hush"), "{debug}");
}

#[tokio::test]
async fn the_bmc_key_counts_where_there_is_one() {
    let mut tasks = JoinSet::new();
    let key = |text: &str| Key::new(text.as_bytes()).unwrap();
    let config = config().bmc_key(key("second"));
    let address = start(
        &mut tasks,
        config,
        Arc::new(PoweredMachine::new()),
        LOOPBACK,
    )
    .await;
    let client = client();
    for suite in CipherSuite::PREFERENCE {
        let plain = endpoint(address, "admin", "password").suite(suite);
        client
            .bmc(plain.clone().bmc_key(key("second")))
            .chassis_status()
            .await
            .unwrap();
        for wrong in [plain.clone(), plain.bmc_key(key("other"))] {
            assert_eq!(
                client.bmc(wrong).chassis_status().await,
                Err(IpmiError::Authentication(AuthenticationFailure::BmcKey))
            );
        }
    }
}

#[tokio::test]
async fn silence_is_unreachable_and_worth_another_try() {
    let silent = UdpSocket::bind(LOOPBACK).await.unwrap();
    let mut timing = Timing::default();
    timing.first_retry = Duration::from_millis(5);
    timing.attempts = 3;
    let address = silent.local_addr().unwrap();
    let bmc = client().bmc(endpoint(address, "admin", "password").timing(timing));
    let error = bmc.chassis_status().await.unwrap_err();
    assert_eq!(error, IpmiError::Unreachable { attempts: 3 });
    assert!(error.is_retryable());
}

/// A machine that answers a control only when it is let.
#[derive(Default)]
struct Slow {
    begun: Notify,
    gate: Notify,
    powered: PoweredMachine,
}

#[async_trait]
impl Machine for Slow {
    async fn chassis_status(&self) -> Result<ChassisStatus, CompletionCode> {
        self.powered.chassis_status().await
    }

    async fn chassis_control(&self, action: ChassisAction) -> Result<(), CompletionCode> {
        self.begun.notify_one();
        self.gate.notified().await;
        self.powered.chassis_control(action).await
    }

    async fn boot_flags(&self) -> Result<BootFlags, CompletionCode> {
        self.powered.boot_flags().await
    }

    async fn set_boot_flags(&self, flags: BootFlags) -> Result<(), CompletionCode> {
        self.powered.set_boot_flags(flags).await
    }
}

#[tokio::test]
async fn a_dropped_request_makes_room_for_the_next() {
    let mut tasks = JoinSet::new();
    let machine = Arc::new(Slow::default());
    let address = start(&mut tasks, config(), machine.clone(), LOOPBACK).await;
    let client = client();
    let bmc = client.bmc(endpoint(address, "admin", "password"));
    let control = tokio::spawn({
        let bmc = bmc.clone();
        async move { bmc.chassis_control(ChassisAction::PowerUp).await }
    });
    machine.begun.notified().await;
    // All the places behind it, and one more: the one without a place is the first to hear.
    let mut waiting = JoinSet::new();
    for _ in 0..64 {
        let bmc = bmc.clone();
        waiting.spawn(async move { bmc.chassis_status().await });
    }
    let refused = waiting.join_next().await.unwrap().unwrap();
    assert_eq!(refused, Err(IpmiError::Busy { waiting: 64 }));
    control.abort();
    waiting.abort_all();
    while waiting.join_next().await.is_some() {}
    machine.gate.notify_one();
    let status = timeout(Duration::from_secs(10), bmc.chassis_status()).await;
    assert!(status.unwrap().unwrap().is_powered(), "the control ran");
}

#[tokio::test]
async fn a_slow_control_that_is_repeated_runs_once() {
    let mut tasks = JoinSet::new();
    let machine = Arc::new(Slow::default());
    let address = start(&mut tasks, config(), machine.clone(), LOOPBACK).await;
    let relay = Relay::to(address).await;
    let mut timing = Timing::default();
    timing.first_retry = Duration::from_millis(10);
    timing.attempts = 12;
    let bmc = client().bmc(endpoint(relay.address, "admin", "password").timing(timing));
    let (control, ()) = tokio::join!(bmc.chassis_control(ChassisAction::PowerUp), async {
        machine.begun.notified().await;
        let before = relay.requests();
        while relay.requests() < before + 3 {
            tokio::task::yield_now().await;
        }
        machine.gate.notify_one();
    });
    control.unwrap();
    assert_eq!(machine.powered.boots().len(), 1);
}

#[tokio::test]
async fn answers_that_come_in_one_burst_are_all_taken_in() {
    let mut tasks = JoinSet::new();
    let client = client();
    // A lost answer would be asked for again only after the test has given up.
    let mut timing = Timing::default();
    timing.first_retry = Duration::from_secs(60);
    timing.longest_retry = Duration::from_secs(60);
    let mut bmcs = Vec::new();
    for _ in 0..150 {
        let machine = Arc::new(PoweredMachine::new());
        let address = start(&mut tasks, config(), machine, LOOPBACK).await;
        bmcs.push(client.bmc(endpoint(address, "admin", "password").timing(timing)));
    }
    let asked = async {
        let mut reads: JoinSet<_> = bmcs
            .into_iter()
            .map(|bmc| async move { bmc.chassis_status().await.unwrap() })
            .collect();
        while reads.join_next().await.is_some() {}
    };
    assert!(timeout(Duration::from_secs(20), asked).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_bmcs_answer_at_once_through_one_socket() {
    const BMCS: usize = 500;
    let mut tasks = JoinSet::new();
    let client = client();
    let mut bmcs = Vec::new();
    for _ in 0..BMCS {
        let address = start(
            &mut tasks,
            config(),
            Arc::new(PoweredMachine::new()),
            LOOPBACK,
        )
        .await;
        bmcs.push(client.bmc(endpoint(address, "admin", "password")));
    }
    for round in ["cold", "warm"] {
        let begun = tokio::time::Instant::now();
        let mut asked = JoinSet::new();
        for bmc in bmcs.clone() {
            asked.spawn(async move { bmc.chassis_status().await });
        }
        let answers = asked.join_all().await;
        assert!(answers.into_iter().all(|answer| answer.is_ok()));
        println!("{BMCS} {round}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn the_task_ends_with_its_last_handle_and_closes_sessions() {
    let mut tasks = JoinSet::new();
    let config = config().max_sessions(1).unwrap();
    let address = start(
        &mut tasks,
        config,
        Arc::new(PoweredMachine::new()),
        LOOPBACK,
    )
    .await;
    for _ in 0..3 {
        // There is room for one session: the one before has to be closed.
        let client = client();
        let bmc = client.bmc(endpoint(address, "admin", "password"));
        drop(client);
        let status = async {
            while let Err(error) = bmc.chassis_status().await {
                assert!(
                    matches!(error, IpmiError::Refused { .. }) && error.is_retryable(),
                    "{error}"
                );
            }
        };
        timeout(Duration::from_secs(5), status).await.unwrap();
    }
}
