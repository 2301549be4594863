//! The power interface before BMCs that answer by a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ironic_core::states::{InterfaceKind, PowerState, PowerTarget};
use ironic_core::{Error, ErrorKind};
use serde_json::{Value, json};
use support::house::{House, Only, scripted_info};
use support::machine::{GET, PATCH, RESET, system, written};
use support::script::{Answer, Script};
use support::{Busy, Silent};
use tokio::time::Instant;
use uuid::Uuid;

fn off() -> (&'static str, Answer) {
    (GET, system(json!({"PowerState": "Off"})))
}

fn on() -> (&'static str, Answer) {
    (GET, system(json!({"PowerState": "On"})))
}

fn reset() -> (&'static str, Answer) {
    (RESET, Answer::status(204))
}

async fn house(script: &Arc<Script>) -> House {
    House::over(Only(Arc::clone(script))).await
}

async fn set(
    house: &House,
    node: Uuid,
    target: PowerTarget,
    timeout: Option<Duration>,
) -> Result<(), Error> {
    let mut task = house.task(node).await;
    let power = task.driver().power.clone();
    power.set_power_state(&mut task, target, timeout).await
}

fn resets(script: &Script) -> Vec<Value> {
    let sent = written(script).into_iter();
    sent.filter_map(|body| body.get("ResetType").cloned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_for_each_target_and_what_is_waited_for() {
    use PowerTarget::{Off, On, Reboot, SoftOff, SoftReboot};
    let cases: Vec<(_, _, &[&str], u64)> = vec![
        (On, vec![off(), reset(), off(), off(), on()], &["On"], 7),
        (Off, vec![on(), reset(), off()], &["ForceOff"], 1),
        (
            SoftOff,
            vec![on(), reset(), on(), off()],
            &["GracefulShutdown"],
            3,
        ),
        (
            SoftReboot,
            vec![on(), reset(), on()],
            &["GracefulRestart"],
            1,
        ),
        (
            Reboot,
            vec![on(), reset(), off(), reset(), off(), on()],
            &["ForceOff", "On"],
            4,
        ),
        (Reboot, vec![off(), reset(), on()], &["On"], 1),
        (On, vec![on()], &[], 0),
        (Off, vec![off()], &[], 0),
        (SoftOff, vec![off()], &[], 0),
    ];
    for (target, answers, asked, seconds) in cases {
        let script = Script::new(answers);
        let house = house(&script).await;
        let node = house.scripted(|_| {}).await;
        let began = Instant::now();
        set(&house, node, target, None).await.unwrap();
        script.assert_done();
        assert_eq!(resets(&script), asked, "{target}");
        assert_eq!(began.elapsed().as_secs(), seconds, "{target}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_must_not_be_switched_off_is_restarted() {
    let script = Script::new([on(), reset(), on()]);
    let house = house(&script).await;
    let node = house.scripted(|node| node.disable_power_off = true).await;
    let began = Instant::now();
    let reboot = PowerTarget::Reboot;
    set(&house, node, reboot, None).await.unwrap();
    script.assert_done();
    assert_eq!(resets(&script), ["ForceRestart"]);
    assert_eq!(began.elapsed().as_secs(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_does_not_follow_is_given_up_in_time_and_not_forced() {
    for (timeout, seconds) in [(None, 60), (Some(Duration::from_secs(9)), 9)] {
        let answers = [on(), reset()].into_iter();
        let script = Script::new(answers.chain((0..20).map(|_| on())));
        let house = house(&script).await;
        let node = house.scripted(|_| {}).await;
        let began = Instant::now();
        let error = set(&house, node, PowerTarget::SoftOff, timeout)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let said = "the machine to reach power off (soft power off)";
        assert_eq!(
            error.to_string(),
            format!("timed out after {seconds}s: {said}")
        );
        assert_eq!(began.elapsed().as_secs(), seconds);
        assert_eq!(resets(&script), ["GracefulShutdown"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_power_state_that_is_neither_is_none() {
    for (state, seen) in [
        (json!("PoweringOn"), Some(PowerState::On)),
        (json!("Paused"), None),
        (Value::Null, None),
    ] {
        let script = Script::new([(GET, system(json!({"PowerState": state})))]);
        let house = house(&script).await;
        let node = house.scripted(|_| {}).await;
        let task = house.look(node).await;
        let answer = task.driver().power.get_power_state(&task).await;
        assert_eq!(answer.unwrap(), seen);
    }
}

/// The system with a boot device that was set once and is used up.
fn booted(power: &str) -> (&'static str, Answer) {
    let boot = json!({"BootSourceOverrideTarget": "None", "BootSourceOverrideEnabled": "Disabled"});
    (GET, system(json!({"PowerState": power, "Boot": boot})))
}

#[tokio::test(start_paused = true)]
async fn a_boot_device_that_the_bmc_does_not_keep_is_set_before_every_start() {
    use PowerTarget::{On, Reboot, SoftReboot};
    let refused = || Answer::error(400, "Base.1.8.PropertyValueNotInList", "no");
    let taken = || Answer::status(204);
    for (target, power, patch) in [
        (On, "Off", taken()),
        (Reboot, "Off", taken()),
        (SoftReboot, "On", taken()),
        (On, "Off", refused()),
    ] {
        let found = booted(power);
        let script = Script::new([found.clone(), found, (PATCH, patch), reset(), on()]);
        let house = house(&script).await;
        let node = house
            .scripted(|node| node.set_internal("redfish_boot_device", "disk".into()))
            .await;
        set(&house, node, target, None).await.unwrap();
        script.assert_done();
        let restored = json!({"Boot": {
            "BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Once"}});
        assert_eq!(written(&script)[0], restored, "{target}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_boot_device_is_not_restored_where_another_interface_manages_it() {
    let script = Script::new([off(), reset(), on()]);
    let house = house(&script).await;
    let node = house
        .scripted(|node| {
            node.set_internal("redfish_boot_device", "disk".into());
            let noop = Some("noop".to_owned());
            node.interfaces.set(InterfaceKind::Management, noop);
        })
        .await;
    set(&house, node, PowerTarget::On, None).await.unwrap();
    script.assert_done();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_without_the_conductors_lease() {
    let script = Script::new([]);
    let house = house(&script).await;
    let node = house.scripted(|_| {}).await;
    let mut task = house.task(node).await;
    house.conductor.tasks().context().governor.revoke_lease();
    let power = task.driver().power.clone();
    let target = PowerTarget::On;
    let outcome = power.set_power_state(&mut task, target, None).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("lease"), "{error}");
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_bmc_has_one_request_at_a_time_and_others_their_turn_in_pauses() {
    let busy = Arc::new(Busy::default());
    let house = House::over(Only(busy.clone())).await;
    let node = house.scripted(|_| {}).await;
    let began = Instant::now();
    let (a, b) = (house.look(node).await, house.look(node).await);
    let power = a.driver().power.clone();
    let (first, second) = tokio::join!(power.get_power_state(&a), power.get_power_state(&b));
    assert_eq!((first.unwrap(), second.unwrap()), (None, None));
    assert_eq!((busy.most(), began.elapsed().as_secs()), (1, 2));

    let waiting = [on(), reset(), on(), on(), off()];
    let script = Script::new(waiting);
    let house = House::over(Only(script.clone())).await;
    let node = house.scripted(|_| {}).await;
    let look = house.look(node).await;
    let look_in_between = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let seen = power_of(&look).await;
        (seen, script.sent().len())
    };
    let change = set(&house, node, PowerTarget::SoftOff, None);
    let (changed, (seen, sent)) = tokio::join!(change, look_in_between);
    changed.unwrap();
    assert_eq!((seen, sent), (Some(PowerState::On), 4));
}

async fn power_of(task: &ironic_core::driver::SharedTask) -> Option<PowerState> {
    task.driver().power.get_power_state(task).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_does_not_outlast_its_permit() {
    let silent = Arc::new(Silent::default());
    let house = House::over(Only(Arc::clone(&silent))).await;
    let node = house.scripted(|_| {}).await;
    let task = house.look(node).await;
    let began = Instant::now();
    let answer = task.driver().power.get_power_state(&task).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unreachable);
    // A try of 30 s, the conductor's time for one command, a pause of 1 s, and a second try for
    // what is left of the minute that a BMC may be silent.
    assert_eq!(began.elapsed().as_secs(), 60);
    assert_eq!(silent.0.load(Ordering::SeqCst), 2, "tries");
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_is_gone_is_unreachable() {
    let script = Script::new((0..5).map(|_| (GET, Answer::lost("connect"))));
    let house = house(&script).await;
    let node = house.scripted(|_| {}).await;
    let error = set(&house, node, PowerTarget::On, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let said = "BMC https://bmc.example.org cannot be reached: GET /redfish/v1/Systems/1: no connection: refused";
    assert_eq!(error.to_string(), said);
    script.assert_done();
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_password_has_changed_logs_out() {
    const ROOT: &str = "GET /redfish/v1/";
    const LOGIN: &str = "POST /redfish/v1/SessionService/Sessions";
    let login = |token: &'static str| {
        let answer = Answer::status(201).header("x-auth-token", token);
        let path = format!("/redfish/v1/SessionService/Sessions/{token}");
        (LOGIN, answer.header("location", &path))
    };
    let root = || (ROOT, Answer::json(&json!({})));
    let script = Script::new([
        root(),
        login("a"),
        on(),
        (
            "DELETE /redfish/v1/SessionService/Sessions/a",
            Answer::status(204),
        ),
        root(),
        login("b"),
        on(),
    ]);
    let house = house(&script).await;
    for password in ["old", "new"] {
        let mut info = scripted_info();
        info["redfish_username"] = "u".into();
        info["redfish_password"] = password.into();
        let node = house.node(info, |_| {}).await;
        power_of(&house.look(node).await).await;
    }
    script.assert_done();
    assert_eq!(house.pool.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_wrong_in_driver_info_is_said_without_a_call() {
    let script = Script::new([]);
    let house = house(&script).await;
    for (info, kind, said) in [
        (json!({}), ErrorKind::MissingParameter, "redfish_address"),
        (
            json!({"redfish_address": "h", "redfish_auth_type": "telepathy"}),
            ErrorKind::InvalidParameter,
            "redfish_auth_type",
        ),
        (
            json!({"redfish_address": "h", "redfish_username": ["u"]}),
            ErrorKind::InvalidParameter,
            "redfish_username",
        ),
    ] {
        let node = house.node(info, |_| {}).await;
        let task = house.look(node).await;
        for interface in [InterfaceKind::Power, InterfaceKind::Management] {
            let checked = task.driver().interface(interface).validate(&task).await;
            let error = checked.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_properties_are_the_originals() {
    let house = house(&Script::new([])).await;
    let registry = house.conductor.tasks().registry().clone();
    for kind in [InterfaceKind::Power, InterfaceKind::Management] {
        let interface = registry.default_interface("redfish", kind).unwrap();
        let properties = interface.properties();
        let keys: Vec<_> = properties.keys().map(String::as_str).collect();
        let expected = [
            "firmware_update_unresponsive_bmc_wait",
            "redfish_address",
            "redfish_auth_type",
            "redfish_password",
            "redfish_system_id",
            "redfish_tls_ciphers",
            "redfish_tls_minimum_version",
            "redfish_username",
            "redfish_verify_ca",
        ];
        assert_eq!(keys, expected);
        assert!(properties["redfish_address"].ends_with("Required."));
    }
}
