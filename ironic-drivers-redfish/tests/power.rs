//! Power of machines whose BMCs are not as the emulator.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use ironic_drivers_redfish::ResetType;
use serde_json::{Value, json};
use support::machine::{GET, RESET, find, system, written};
use support::script::{Answer, Script};
use tokio::time::Instant;

#[tokio::test]
async fn reset_types_come_from_the_action_or_its_description() {
    let action = |more: Value| {
        let mut action = json!({"target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"});
        action
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        system(json!({"Actions": {"#ComputerSystem.Reset": action}}))
    };
    let info = "GET /redfish/v1/Systems/1/ResetActionInfo";
    let described =
        || action(json!({"@Redfish.ActionInfo": "/redfish/v1/Systems/1/ResetActionInfo"}));
    let parameters = |list: Value| Answer::json(&json!({"Parameters": list}));
    let cases = [
        (
            "listed",
            vec![(
                GET,
                action(json!({"ResetType@Redfish.AllowableValues": ["On", "Odd"]})),
            )],
            Some("On Odd"),
        ),
        (
            "listed, and described",
            vec![(
                GET,
                action(
                    json!({"ResetType@Redfish.AllowableValues": ["On"], "@Redfish.ActionInfo": "/x"}),
                ),
            )],
            Some("On"),
        ),
        (
            "described",
            vec![
                (GET, described()),
                (
                    info,
                    parameters(
                        json!([{"Name": "X"}, {"Name": "ResetType", "AllowableValues": ["ForceOff"]}]),
                    ),
                ),
            ],
            Some("ForceOff"),
        ),
        (
            "described badly",
            vec![(GET, described()), (info, parameters(json!("none")))],
            None,
        ),
        (
            "not there",
            vec![(GET, described()), (info, Answer::status(404))],
            None,
        ),
        (
            "described elsewhere",
            vec![(
                GET,
                action(json!({"@Redfish.ActionInfo": "https://evil.example/x"})),
            )],
            None,
        ),
        ("unlisted", vec![(GET, system(json!({})))], None),
        (
            "an empty list",
            vec![(
                GET,
                action(json!({"ResetType@Redfish.AllowableValues": []})),
            )],
            None,
        ),
    ];
    for (name, steps, expected) in cases {
        let script = Script::new(steps);
        let allowed = find(&script).await.allowed_resets().await.unwrap();
        let shown = allowed
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ");
        let all = ResetType::KNOWN
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(shown, expected.unwrap_or(&all), "{name}");
        script.assert_done();
    }
    let script = Script::new([(GET, system(json!({"Actions": {}})))]);
    let error = find(&script).await.reset(ResetType::On).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "/redfish/v1/Systems/1 has no Actions/#ComputerSystem.Reset"
    );
}

#[tokio::test]
async fn each_power_operation_is_one_reset_type() {
    for expected in [
        "On",
        "ForceOff",
        "GracefulShutdown",
        "ForceRestart",
        "GracefulRestart",
        "Nmi",
    ] {
        let script = Script::new([(GET, system(json!({}))), (RESET, Answer::status(204))]);
        let mut system = find(&script).await;
        match expected {
            "On" => system.power_on().await,
            "ForceOff" => system.force_off().await,
            "GracefulShutdown" => system.shut_down().await,
            "ForceRestart" => system.force_restart().await,
            "GracefulRestart" => system.graceful_restart().await,
            _ => system.inject_nmi().await,
        }
        .unwrap();
        script.assert_done();
        assert_eq!(written(&script), [json!({"ResetType": expected})]);
    }
}

#[tokio::test(start_paused = true)]
async fn power_on_waits_for_a_bmc_to_settle() {
    let conflict = || {
        Answer::error(
            409,
            "Base.1.18.ActionParameterValueConflict",
            "the value conflicts",
        )
    };
    let patient = (0..2)
        .map(|_| (RESET, conflict()))
        .chain([(RESET, Answer::status(204))]);
    let script = Script::new(std::iter::once((GET, system(json!({})))).chain(patient));
    let start = Instant::now();
    find(&script).await.power_on().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 20);
    script.assert_done();

    let in_vain = (0..7).map(|_| (RESET, conflict()));
    let steps = std::iter::once((GET, system(json!({}))))
        .chain(in_vain)
        .chain([(GET, system(json!({})))]);
    let script = Script::new(steps);
    let error = find(&script).await.power_on().await.unwrap_err();
    assert!(
        error.is_retryable() && error.status().unwrap() == 409,
        "{error}"
    );
    script.assert_done();
}

#[tokio::test]
async fn a_refusal_to_change_nothing_is_no_failure() {
    let refused = |status, text: &str| Answer::error(status, "iLO.2.14.InvalidOperation", text);
    let unknown = || system(json!({"PowerState": null}));
    let on = || system(json!({"PowerState": "On"}));
    for (name, on_wanted, refusal, state, ok) in [
        ("is off", false, refused(400, "no"), system(json!({})), true),
        (
            "is powering off",
            false,
            refused(409, "no"),
            system(json!({"PowerState": "PoweringOff"})),
            true,
        ),
        ("is on", true, refused(400, "no"), on(), true),
        (
            "is not off",
            false,
            refused(400, "already powered off"),
            on(),
            false,
        ),
        (
            "says it is off",
            false,
            refused(400, "the Host is powered OFF"),
            unknown(),
            true,
        ),
        (
            "says it is on",
            true,
            refused(409, "Already powered on"),
            unknown(),
            true,
        ),
        ("says nothing", true, refused(409, "no"), unknown(), false),
    ] {
        let script = Script::new([(GET, system(json!({}))), (RESET, refusal), (GET, state)]);
        let mut system = find(&script).await;
        let result = if on_wanted {
            system.power_on().await
        } else {
            system.force_off().await
        };
        assert_eq!(result.is_ok(), ok, "{name}");
        script.assert_done();
    }
    let script = Script::new([
        (GET, system(json!({}))),
        (RESET, refused(403, "host is powered off")),
    ]);
    assert!(
        find(&script)
            .await
            .force_off()
            .await
            .unwrap_err()
            .is_access_denied()
    );
}
