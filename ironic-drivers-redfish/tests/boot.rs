//! Boot device and boot mode of machines whose BMCs are not as the emulator.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use ironic_drivers_redfish::{
    BootRequest, BootSource, BootVendor, ModeChange, OverrideEnabled, OverrideMode, Persistence,
};
use serde_json::json;
use support::machine::{GET, PATCH, booting, find, system, written};
use support::script::{Answer, Script};
use tokio::time::Instant;

#[tokio::test]
async fn the_boot_device_is_written_as_the_vendor_needs_it() {
    use BootVendor::{Supermicro, Usual, WholeRequest};
    let once_uefi = json!({"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "None", "BootSourceOverrideMode": "UEFI"});
    let usb_cd =
        json!({"BootSourceOverrideTarget@Redfish.AllowableValues": ["Cd", "UsbCd", "Pxe"]});
    let uri = json!({"HttpBootUri": "http://old"});
    let no_uri = json!({"HttpBootUri": null});
    let supermicro = json!({"Manufacturer": "Supermicro"});
    let none = json!({});
    let cases = [
        (
            "duration unchanged",
            Usual,
            &once_uefi,
            &none,
            BootSource::Pxe,
            false,
            None,
            json!({"BootSourceOverrideTarget": "Pxe"}),
        ),
        (
            "duration changed",
            Usual,
            &once_uefi,
            &none,
            BootSource::Hdd,
            true,
            None,
            json!({"BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Continuous"}),
        ),
        (
            "nothing known",
            Usual,
            &none,
            &none,
            BootSource::Cd,
            false,
            None,
            json!({"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once"}),
        ),
        (
            "always the duration",
            Supermicro,
            &once_uefi,
            &none,
            BootSource::Pxe,
            false,
            None,
            json!({"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}),
        ),
        (
            "always everything",
            WholeRequest,
            &none,
            &none,
            BootSource::Pxe,
            false,
            None,
            json!({"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once", "BootSourceOverrideMode": "UEFI"}),
        ),
        (
            "virtual media of Supermicro",
            Supermicro,
            &usb_cd,
            &supermicro,
            BootSource::Cd,
            false,
            None,
            json!({"BootSourceOverrideTarget": "UsbCd", "BootSourceOverrideEnabled": "Once"}),
        ),
        (
            "virtual media of others",
            Usual,
            &usb_cd,
            &none,
            BootSource::Cd,
            false,
            None,
            json!({"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once"}),
        ),
        (
            "a URI",
            Usual,
            &no_uri,
            &none,
            BootSource::UefiHttp,
            false,
            Some("http://new"),
            json!({"BootSourceOverrideTarget": "UefiHttp", "HttpBootUri": "http://new", "BootSourceOverrideEnabled": "Once"}),
        ),
        (
            "an old URI is taken back",
            Usual,
            &uri,
            &none,
            BootSource::UefiHttp,
            false,
            None,
            json!({"BootSourceOverrideTarget": "UefiHttp", "HttpBootUri": null, "BootSourceOverrideEnabled": "Once"}),
        ),
        (
            "and for another device",
            Usual,
            &uri,
            &none,
            BootSource::Pxe,
            false,
            None,
            json!({"BootSourceOverrideTarget": "Pxe", "HttpBootUri": null, "BootSourceOverrideEnabled": "Once"}),
        ),
        (
            "no old URI",
            Usual,
            &no_uri,
            &none,
            BootSource::Pxe,
            false,
            None,
            json!({"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}),
        ),
    ];
    for (name, vendor, boot, more, target, persistent, uri, expected) in cases {
        let steps = booting(boot.clone(), more.clone())
            .into_iter()
            .chain([(PATCH, Answer::status(204))]);
        let script = Script::new(steps);
        let persistence = find(&script)
            .await
            .set_boot_device(target, persistent, uri, vendor)
            .await
            .unwrap();
        assert_eq!(persistence, Persistence::AsAsked);
        script.assert_done();
        assert_eq!(written(&script), [json!({"Boot": expected})], "{name}");
    }
}

#[tokio::test]
async fn what_the_bmc_does_not_take_is_not_sent() {
    let listed = json!({"BootSourceOverrideTarget@Redfish.AllowableValues": ["Pxe", "Hdd"]});
    let script = Script::new(booting(listed, json!({})));
    let error = find(&script)
        .await
        .set_boot_device(BootSource::Cd, false, None, BootVendor::Usual)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Cd is not allowed for BootSourceOverrideTarget, only Pxe, Hdd"
    );
    let script = Script::new(booting(json!({}), json!({})));
    let error = find(&script)
        .await
        .set_boot_device(
            BootSource::UefiHttp,
            false,
            Some("http://x"),
            BootVendor::Usual,
        )
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "/redfish/v1/Systems/1 has no Boot/HttpBootUri"
    );
}

#[tokio::test]
async fn a_bmc_that_keeps_no_override_is_asked_for_one_boot() {
    let boot = || booting(json!({"BootSourceOverrideEnabled": "Disabled"}), json!({}));
    let refused = || {
        (
            PATCH,
            Answer::error(
                400,
                "Base.1.8.PropertyValueNotInList",
                "Continuous is not in the list",
            ),
        )
    };
    let again = boot()
        .into_iter()
        .skip(1)
        .chain([(PATCH, Answer::status(200))]);
    let script = Script::new(boot().into_iter().chain([refused()]).chain(again));
    let mut system = find(&script).await;
    let persistence = system
        .set_boot_device(BootSource::Hdd, true, None, BootVendor::Usual)
        .await
        .unwrap();
    assert_eq!(persistence, Persistence::OnceOnly);
    script.assert_done();
    let enabled: Vec<_> = written(&script)
        .into_iter()
        .map(|body| body["Boot"]["BootSourceOverrideEnabled"].clone())
        .collect();
    assert_eq!(enabled, ["Continuous", "Once"]);

    let script = Script::new(boot().into_iter().chain([refused()]));
    let mut system = find(&script).await;
    assert!(
        system
            .set_boot_device(BootSource::Hdd, false, None, BootVendor::Usual)
            .await
            .is_err()
    );
    script.assert_done();
}

#[tokio::test(start_paused = true)]
async fn a_machine_in_its_self_test_is_waited_for() {
    let refused = || {
        (
            PATCH,
            Answer::error(400, "iLO.2.14.UnableToModifyDuringSystemPOST", "in POST"),
        )
    };
    let steps = |refusals| {
        booting(json!({}), json!({}))
            .into_iter()
            .chain((0..refusals).map(move |_| refused()))
    };
    let script = Script::new(steps(3).chain([(PATCH, Answer::status(200))]));
    let start = Instant::now();
    find(&script)
        .await
        .set_boot_device(BootSource::Pxe, false, None, BootVendor::Usual)
        .await
        .unwrap();
    assert_eq!(start.elapsed().as_secs(), 5 + 10 + 20);
    script.assert_done();
    let script = Script::new(steps(6));
    assert!(
        find(&script)
            .await
            .set_boot_device(BootSource::Pxe, false, None, BootVendor::Usual)
            .await
            .is_err()
    );
    script.assert_done();
}

#[tokio::test]
async fn what_the_settings_resource_has_is_written_there() {
    let more = json!({"@Redfish.Settings": {"SettingsObject": {"@odata.id": "/redfish/v1/Systems/1/Settings"}}});
    let own = json!({"BootSourceOverrideMode": "UEFI", "BootSourceOverrideTarget": "None"});
    let pending = json!({"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": null,
        "BootSourceOverrideTarget@Redfish.AllowableValues": ["Pxe"], "HttpBootUri": null});
    let settings = || {
        let read = Answer::json(&json!({"Boot": pending.clone()})).header("etag", "\"s1\"");
        ("GET /redfish/v1/Systems/1/Settings", read)
    };
    let patch = (
        "PATCH /redfish/v1/Systems/1/Settings",
        Answer::status(202).header("location", "/redfish/v1/Tasks/1"),
    );
    let task = (
        "GET /redfish/v1/Tasks/1",
        Answer::json(&json!({"TaskState": "Pending"})),
    );
    let read = booting(own.clone(), more.clone())
        .into_iter()
        .chain([settings()]);
    let script = Script::new(read.chain([patch, task, (PATCH, Answer::status(204))]));
    let mut system = find(&script).await;
    system
        .set_boot_device(BootSource::Pxe, false, None, BootVendor::WholeRequest)
        .await
        .unwrap();
    script.assert_done();
    assert_eq!(
        written(&script),
        [
            json!({"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}}),
            json!({"Boot": {"BootSourceOverrideMode": "UEFI"}}),
        ]
    );
    assert_eq!(script.sent()[3].header("if-match"), Some("\"s1\""));

    let script = Script::new(
        booting(own.clone(), more.clone())
            .into_iter()
            .chain([settings()]),
    );
    let allowed = find(&script).await.allowed_boot_sources().await.unwrap();
    assert_eq!(allowed, [BootSource::Pxe]);

    let gone = ("GET /redfish/v1/Systems/1/Settings", Answer::status(404));
    let script = Script::new(booting(own, more).into_iter().chain([gone]));
    assert_eq!(
        find(&script).await.boot().await.unwrap().device(),
        (Some(BootSource::None), None)
    );
}

#[tokio::test]
async fn a_boot_mode_takes_effect_now_or_later_or_not_at_all() {
    let legacy =
        || json!({"BootSourceOverrideMode": "Legacy", "BootSourceOverrideEnabled": "Disabled"});
    let uefi = system(json!({"Boot": {"BootSourceOverrideMode": "UEFI"}}));
    let done = || (PATCH, Answer::status(200));
    let minimal = json!({"Boot": {"BootSourceOverrideMode": "UEFI"}});
    let whole = json!({"Boot": {"BootSourceOverrideMode": "UEFI", "BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "Pxe"}});
    let cases = [
        (
            "at once",
            BootVendor::Usual,
            legacy(),
            vec![done(), (GET, uefi.clone())],
            ModeChange::InEffect,
            &minimal,
        ),
        (
            "everything",
            BootVendor::WholeRequest,
            legacy(),
            vec![done(), (GET, uefi)],
            ModeChange::InEffect,
            &whole,
        ),
        (
            "later",
            BootVendor::Usual,
            legacy(),
            vec![done(), (GET, system(json!({"Boot": legacy()})))],
            ModeChange::NeedsRestart,
            &minimal,
        ),
        (
            "never shown",
            BootVendor::Usual,
            json!({}),
            vec![done()],
            ModeChange::Unknown,
            &minimal,
        ),
    ];
    for (name, vendor, boot, rest, expected, sent) in cases {
        let script = Script::new(booting(boot, json!({})).into_iter().chain(rest));
        let change = find(&script)
            .await
            .set_boot_mode(OverrideMode::Uefi, vendor)
            .await
            .unwrap();
        assert_eq!(change, expected, "{name}");
        assert_eq!(written(&script), std::slice::from_ref(sent), "{name}");
        script.assert_done();
    }
    let refused = || {
        (
            PATCH,
            Answer::error(400, "Base.1.0.PropertyUnknown", "unknown"),
        )
    };
    for (boot, unsupported) in [(json!({}), true), (legacy(), false)] {
        let script = Script::new(booting(boot, json!({})).into_iter().chain([refused()]));
        let error = find(&script)
            .await
            .set_boot_mode(OverrideMode::Uefi, BootVendor::Usual)
            .await
            .unwrap_err();
        assert_eq!(error.is_unsupported(), unsupported, "{error}");
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_written() {
    let script = Script::new(
        booting(json!({"BootSourceOverrideTarget": "Pxe"}), json!({}))
            .into_iter()
            .chain([(PATCH, Answer::status(204))]),
    );
    let request =
        BootRequest::from_source(BootSource::None).enabled(Some(OverrideEnabled::Disabled));
    find(&script).await.set_boot(&request).await.unwrap();
    script.assert_done();
    let expected =
        json!({"BootSourceOverrideTarget": "None", "BootSourceOverrideEnabled": "Disabled"});
    assert_eq!(written(&script), [json!({"Boot": expected})]);
}
