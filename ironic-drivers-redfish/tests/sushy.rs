//! The client against a real sushy-emulator.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use ironic_core::states::PowerTarget;
use ironic_drivers_redfish::{
    AuthMethod, BootSource, BootVendor, ClientOptions, ClientPool, HttpError, IndicatorLed,
    ModeChange, OverrideMode, Persistence, PowerState, RedfishError, ReqwestFactory,
    SecureBootChange, System, TlsSettings, TrustAnchor,
};
use support::{Emulator, PASSWORD, Setup, USER, mac, uuid};
use tokio::time::Instant;

/// The fake driver takes up to 11 s for a change of power.
const POWER_PATIENCE: Duration = Duration::from_secs(40);

async fn one_system() -> (Emulator, System) {
    let emulator = Emulator::start(Setup {
        systems: 1,
        ..Setup::default()
    })
    .await;
    let client = emulator.client(emulator.connection());
    let system = System::find(&client, None).await.unwrap();
    (emulator, system)
}

async fn reaches(system: &mut System, state: PowerState) {
    let deadline = Instant::now() + POWER_PATIENCE;
    while system.power_state().await.unwrap() != state {
        assert!(Instant::now() < deadline, "not {state} in time");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn systems_are_listed_and_found() {
    let emulator = Emulator::start(Setup {
        systems: 3,
        ..Setup::default()
    })
    .await;
    let client = emulator.client(emulator.connection());
    let paths = [0, 1, 2].map(|n| format!("/redfish/v1/Systems/{}", uuid(n)));
    assert_eq!(client.systems().await.unwrap(), paths);
    for id in [
        paths[1].as_str(),
        &uuid(1),
        &format!("{}{}", emulator.address, paths[1]),
    ] {
        assert_eq!(
            System::find(&client, Some(id)).await.unwrap().path(),
            paths[1]
        );
    }
    let error = System::find(&client, None).await.unwrap_err();
    assert!(
        matches!(error, RedfishError::AmbiguousSystem { count: 3 }),
        "{error}"
    );
    let error = System::find(&client, Some("/redfish/v1/Systems/none"))
        .await
        .unwrap_err();
    assert!(error.is_not_found() && !error.is_retryable(), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("GET /redfish/v1/Systems/none answered 404: Base.1.0.GeneralError: "),
        "{error}"
    );
}

#[tokio::test]
async fn power_goes_on_and_off() {
    let (emulator, mut system) = one_system().await;
    assert_eq!(system.power_state().await.unwrap(), PowerState::Off);
    system.power_on().await.unwrap();
    reaches(&mut system, PowerState::On).await;
    system.force_restart().await.unwrap();
    reaches(&mut system, PowerState::On).await;
    system.request_power(PowerTarget::SoftOff).await.unwrap();
    reaches(&mut system, PowerState::Off).await;
    let resets = emulator
        .log()
        .matches("Actions/ComputerSystem.Reset HTTP/1.1")
        .count();
    assert_eq!(resets, 3);
}

#[tokio::test]
async fn resets_are_those_that_the_bmc_lists() {
    let (_emulator, system) = one_system().await;
    let listed: Vec<_> = system
        .allowed_resets()
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        listed,
        [
            "On",
            "ForceOff",
            "GracefulShutdown",
            "GracefulRestart",
            "ForceRestart",
            "Nmi",
            "ForceOn"
        ]
    );
    let error = system.reset("Suspend".into()).await.unwrap_err();
    assert!(
        matches!(&error, RedfishError::NotAllowed { value, .. } if value == "Suspend"),
        "{error}"
    );
}

#[tokio::test]
async fn the_boot_device_is_set_and_read() {
    let (_emulator, mut system) = one_system().await;
    assert_eq!(
        system.allowed_boot_sources().await.unwrap(),
        [
            BootSource::Pxe,
            BootSource::Cd,
            BootSource::Hdd,
            BootSource::UefiHttp
        ]
    );
    for vendor in [
        BootVendor::Usual,
        BootVendor::Supermicro,
        BootVendor::WholeRequest,
    ] {
        for target in [BootSource::Pxe, BootSource::Cd, BootSource::Hdd] {
            // The emulator keeps every override, whatever it is told, and says so.
            let persistence = system
                .set_boot_device(target.clone(), true, None, vendor)
                .await
                .unwrap();
            assert_eq!(persistence, Persistence::AsAsked);
            assert_eq!(
                system.boot().await.unwrap().device(),
                (Some(target), Some(true))
            );
        }
    }
    let error = system
        .set_boot_device(BootSource::BiosSetup, false, None, BootVendor::Usual)
        .await
        .unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert_eq!(
        system.boot().await.unwrap().device().0,
        Some(BootSource::Hdd)
    );
}

#[tokio::test]
async fn uefi_http_boot_is_asked_for() {
    let (_emulator, mut system) = one_system().await;
    system
        .set_boot_device(BootSource::UefiHttp, false, None, BootVendor::Usual)
        .await
        .unwrap();
    // The emulator has no HTTP boot of its own and says what it does instead.
    assert_eq!(
        system.boot().await.unwrap().device().0,
        Some(BootSource::Pxe)
    );
    // It fetches the image at once, and there is none here.
    let uri = "http://127.0.0.1:1/none.iso";
    let error = system
        .set_boot_device(BootSource::UefiHttp, false, Some(uri), BootVendor::Usual)
        .await
        .unwrap_err();
    assert_eq!(
        error.status(),
        Some(http::StatusCode::BAD_REQUEST),
        "{error}"
    );
}

#[tokio::test]
async fn the_boot_mode_is_set_and_read() {
    let (_emulator, mut system) = one_system().await;
    for vendor in [BootVendor::Usual, BootVendor::WholeRequest] {
        for mode in [OverrideMode::Legacy, OverrideMode::Uefi] {
            assert_eq!(
                system.set_boot_mode(mode.clone(), vendor).await.unwrap(),
                ModeChange::InEffect
            );
            assert_eq!(system.boot().await.unwrap().boot.mode, Some(mode));
        }
    }
}

#[tokio::test]
async fn secure_boot_is_set_in_uefi_mode_only() {
    let (_emulator, mut system) = one_system().await;
    assert_eq!(system.secure_boot().await.unwrap(), Some(false));
    assert_eq!(
        system.set_secure_boot(false).await.unwrap(),
        SecureBootChange::Already
    );
    assert_eq!(
        system.set_secure_boot(true).await.unwrap(),
        SecureBootChange::InEffect
    );
    assert_eq!(system.secure_boot().await.unwrap(), Some(true));
    system.set_secure_boot(false).await.unwrap();
    system
        .set_boot_mode(OverrideMode::Legacy, BootVendor::Usual)
        .await
        .unwrap();
    let error = system.set_secure_boot(true).await.unwrap_err();
    assert!(
        matches!(error, RedfishError::InvalidState { .. }),
        "{error}"
    );
    assert_eq!(system.secure_boot().await.unwrap(), Some(false));
}

#[tokio::test]
async fn the_machine_is_described() {
    let (_emulator, mut system) = one_system().await;
    assert_eq!(system.enabled_macs().await.unwrap(), [mac(0)]);
    assert_eq!(
        system.vendor().await.unwrap().as_deref(),
        Some("Sushy Emulator")
    );
    let asset = system.asset_info();
    assert_eq!(asset.uuid.as_deref(), Some(uuid(0).as_str()));
    assert_eq!(
        (asset.memory_mib, asset.processors, asset.serial_number),
        (None, None, None)
    );
    for led in [IndicatorLed::Off, IndicatorLed::Blinking, IndicatorLed::Lit] {
        system.set_indicator(&led).await.unwrap();
        assert_eq!(system.indicator().await.unwrap(), led);
    }
}

#[tokio::test]
async fn credentials_are_proven_or_refused() {
    let emulator = Emulator::start(Setup {
        systems: 1,
        auth: true,
        ..Setup::default()
    })
    .await;
    let connection = || emulator.connection();
    for auth in [AuthMethod::Basic, AuthMethod::Auto] {
        let client = emulator.client(connection().credentials(USER, PASSWORD).auth(auth));
        assert_eq!(client.systems().await.unwrap().len(), 1);
        client.close().await;
        for refused in [connection(), connection().credentials(USER, "wrong")] {
            let error = emulator
                .client(refused.auth(auth))
                .systems()
                .await
                .unwrap_err();
            assert!(error.is_access_denied() && !error.is_retryable(), "{error}");
            assert!(!format!("{error} {error:?}").contains("wrong"));
        }
    }
    // It has no session service, and without a session there is no way in.
    let error = emulator
        .client(
            connection()
                .credentials(USER, PASSWORD)
                .auth(AuthMethod::Session),
        )
        .systems()
        .await;
    assert!(error.unwrap_err().is_access_denied());
}

#[tokio::test]
async fn certificates_are_verified() {
    let emulator = Emulator::start(Setup {
        systems: 1,
        auth: true,
        tls: true,
    })
    .await;
    let with = |trust| {
        let connection = emulator
            .connection()
            .credentials(USER, PASSWORD)
            .tls(TlsSettings::new().trust(trust));
        emulator.client(connection)
    };
    let pem = std::fs::read(emulator.certificate()).unwrap();
    for trust in [
        TrustAnchor::Path(emulator.certificate()),
        TrustAnchor::Pem(pem),
        TrustAnchor::AcceptAny,
    ] {
        assert_eq!(
            with(trust.clone()).systems().await.unwrap().len(),
            1,
            "{trust:?}"
        );
    }
    let strange = support::another_certificate();
    for trust in [TrustAnchor::Default, TrustAnchor::Pem(strange)] {
        let error = with(trust).systems().await.unwrap_err();
        let tls = matches!(
            &error,
            RedfishError::Transport {
                source: HttpError::Tls { .. },
                ..
            }
        );
        assert!(tls && !error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn one_client_per_account() {
    let emulator = Emulator::start(Setup {
        systems: 1,
        auth: true,
        ..Setup::default()
    })
    .await;
    support::install_provider();
    let pool = ClientPool::new(Arc::new(ReqwestFactory::new()), ClientOptions::new());
    let connection = emulator.connection().credentials(USER, "wrong");
    let first = pool.client(&connection).await.unwrap();
    assert!(first.systems().await.unwrap_err().is_access_denied());
    assert!(Arc::ptr_eq(
        &first,
        &pool.client(&connection).await.unwrap()
    ));
    let second = pool
        .client(&connection.credentials(USER, PASSWORD))
        .await
        .unwrap();
    assert!(!Arc::ptr_eq(&first, &second) && pool.len() == 1);
    assert_eq!(second.systems().await.unwrap().len(), 1);
    pool.close().await;
    assert!(pool.is_empty());
}

#[tokio::test]
async fn a_bmc_that_is_gone_is_retryable() {
    let emulator = Emulator::start(Setup::default()).await;
    let connection = emulator.connection();
    drop(emulator);
    support::install_provider();
    let transport = ironic_drivers_redfish::ReqwestTransport::new(&connection.tls).unwrap();
    let options =
        ClientOptions::new().retries(3, Duration::from_millis(10), Duration::from_millis(20));
    let client =
        ironic_drivers_redfish::Client::new(connection, Arc::new(transport), options).unwrap();
    let error = client.systems().await.unwrap_err();
    assert!(
        matches!(
            &error,
            RedfishError::Transport {
                source: HttpError::Connect { .. },
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_retryable());
}
