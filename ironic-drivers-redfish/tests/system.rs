//! Systems whose BMCs are not as the emulator: the shapes are those that vendors' machines show, cut
//! down to the members that matter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use ironic_drivers_redfish::{IndicatorLed, PowerState, RedfishError, SecureBootChange, System};
use serde_json::{Value, json};
use support::machine::{GET, PATCH, find, system, written};
use support::script::{Answer, Script};

#[tokio::test]
async fn the_only_system_is_found() {
    let root = || {
        (
            "GET /redfish/v1/",
            Answer::json(&json!({"Systems": {"@odata.id": "/redfish/v1/Systems/"}})),
        )
    };
    let members = |ids: &[&str]| {
        let members: Vec<_> = ids
            .iter()
            .map(|id| json!({"@odata.id": format!("/redfish/v1/Systems/{id}")}))
            .collect();
        (
            "GET /redfish/v1/Systems/",
            Answer::json(&json!({"Members": members})),
        )
    };
    for (ids, found) in [(vec!["1"], true), (vec![], false), (vec!["1", "2"], false)] {
        let last = found.then(|| (GET, system(json!({}))));
        let script = Script::new([root(), members(&ids)].into_iter().chain(last));
        let result = System::find(&script.client(), None).await;
        assert_eq!(result.is_ok(), found, "{ids:?}");
        script.assert_done();
    }
    let script = Script::new([(
        "GET /redfish/v1/",
        Answer::json(&json!({"Name": "no systems here"})),
    )]);
    let error = System::find(&script.client(), None).await.unwrap_err();
    assert_eq!(error.to_string(), "/redfish/v1/ has no Systems");
}

#[tokio::test]
async fn members_of_odd_types_are_read() {
    let script = Script::new([(
        GET,
        system(json!({
            "Manufacturer": " HPE ", "SerialNumber": 12345, "SKU": "", "Model": null, "Name": ["x"], "PartNumber": {"a": 1},
            "MemorySummary": {"TotalSystemMemoryGiB": "93.132257"}, "ProcessorSummary": {"Count": "2", "LogicalProcessorCount": 64.0},
            "PowerState": "Melting", "Boot": "none", "Links": {"Chassis": {"@odata.id": "/c"}, "ManagedBy": [1, {"@odata.id": "/m"}]},
            "Status": {"HealthRollUp": "OK"}, "LocationIndicatorActive": "true", "Oem": {"Hpe": {"x": 1}},
        })),
    )]);
    let system = find(&script).await;
    let asset = system.asset_info();
    assert_eq!(asset.manufacturer.as_deref(), Some("HPE"));
    assert_eq!(asset.serial_number.as_deref(), Some("12345"));
    assert_eq!(
        (asset.sku, asset.model, asset.part_number),
        (None, None, None)
    );
    assert_eq!((asset.memory_mib, asset.processors), (Some(95367), Some(2)));
    let resource = system.resource();
    assert_eq!(
        resource.power_state,
        Some(PowerState::Other("Melting".to_owned()))
    );
    assert!(resource.boot.is_none() && resource.name.is_none());
    let links = resource.links.clone().unwrap();
    let ids = |links: Option<Vec<ironic_drivers_redfish::Link>>| {
        links
            .unwrap()
            .into_iter()
            .filter_map(|link| link.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (ids(links.chassis), ids(links.managed_by)),
        (vec!["/c".to_owned()], vec!["/m".to_owned()])
    );
    assert_eq!(
        resource.status.clone().unwrap().health_roll_up.as_deref(),
        Some("OK")
    );
    assert_eq!(resource.location_indicator_active, Some(true));
    assert_eq!(resource.rest["Oem"]["Hpe"]["x"], 1);
}

#[tokio::test]
async fn ports_that_are_enabled_and_healthy_have_macs() {
    let ports = [
        (
            json!({"MACAddress": "B0:7B:25:AA:BB:01", "Status": {"State": "Enabled", "Health": "OK"}}),
            Some("b0:7b:25:aa:bb:01"),
        ),
        (
            json!({"MACAddress": "B0-7B-25-AA-BB-02", "Status": {"State": "Enabled", "Health": "OK"}}),
            Some("b0:7b:25:aa:bb:02"),
        ),
        (
            json!({"MACAddress": "b0:7b:25:aa:bb:01", "Status": {"State": "Enabled", "Health": "OK"}}),
            None,
        ),
        (
            json!({"MACAddress": "b0:7b:25:aa:bb:03", "Status": {"State": "Disabled", "Health": "OK"}}),
            None,
        ),
        (
            json!({"MACAddress": "b0:7b:25:aa:bb:04", "Status": {"State": "Enabled", "Health": "Critical"}}),
            None,
        ),
        (
            json!({"MACAddress": "b0:7b:25:aa:bb:05", "Status": {"State": "Enabled"}}),
            None,
        ),
        (json!({"MACAddress": "b0:7b:25:aa:bb:06"}), None),
        (
            json!({"MACAddress": "", "Status": {"State": "Enabled", "Health": "OK"}}),
            None,
        ),
        (
            json!({"MACAddress": "not a mac", "Status": {"State": "Enabled", "Health": "OK"}}),
            None,
        ),
        (
            json!({"PermanentMACAddress": "b0:7b:25:aa:bb:07", "Status": {"State": "Enabled", "Health": "OK"}}),
            None,
        ),
    ];
    let members: Vec<_> = ports
        .iter()
        .enumerate()
        .map(|(n, _)| json!({"@odata.id": format!("/redfish/v1/E/{n}")}))
        .collect();
    let lines = [
        "GET /redfish/v1/E/0",
        "GET /redfish/v1/E/1",
        "GET /redfish/v1/E/2",
        "GET /redfish/v1/E/3",
        "GET /redfish/v1/E/4",
        "GET /redfish/v1/E/5",
        "GET /redfish/v1/E/6",
        "GET /redfish/v1/E/7",
        "GET /redfish/v1/E/8",
        "GET /redfish/v1/E/9",
    ];
    let steps = [
        (
            GET,
            system(json!({"EthernetInterfaces": {"@odata.id": "/redfish/v1/E"}})),
        ),
        (
            "GET /redfish/v1/E",
            Answer::json(&json!({"Members": members})),
        ),
    ];
    let reads = lines
        .into_iter()
        .zip(ports.iter().map(|(port, _)| Answer::json(port)));
    let script = Script::new(steps.into_iter().chain(reads));
    let macs = find(&script).await.enabled_macs().await.unwrap();
    assert_eq!(
        macs,
        ports.iter().filter_map(|(_, mac)| *mac).collect::<Vec<_>>()
    );
    script.assert_done();
    let script = Script::new([(GET, system(json!({})))]);
    assert!(find(&script).await.enabled_macs().await.unwrap().is_empty());
}

#[tokio::test]
async fn secure_boot_is_told_and_set() {
    const SECURE: &str = "GET /redfish/v1/Systems/1/SecureBoot";
    let with = || json!({"SecureBoot": {"@odata.id": "/redfish/v1/Systems/1/SecureBoot"}});
    let shows = |enabled: Value| Answer::json(&json!({"SecureBootEnable": enabled}));
    let licence = Answer::error(403, "SMC.1.0.OemLicenseNotPassed", "not licensed");
    for (answer, expected) in [
        (shows(json!(true)), Ok(Some(true))),
        (shows(json!("Disabled")), Ok(Some(false))),
        (shows(json!(null)), Ok(None)),
        (licence, Ok(None)),
        (Answer::status(403), Err(())),
    ] {
        let script = Script::new([(GET, system(with())), (SECURE, answer)]);
        let told = find(&script).await.secure_boot().await.map_err(|_| ());
        assert_eq!(told, expected);
    }
    let patch = || {
        (
            "PATCH /redfish/v1/Systems/1/SecureBoot",
            Answer::status(200),
        )
    };
    let off = || (SECURE, shows(json!(false)));
    for (after, expected) in [
        (
            vec![(SECURE, shows(json!(true)))],
            SecureBootChange::InEffect,
        ),
        (vec![off()], SecureBootChange::NeedsRestart),
    ] {
        let steps = vec![(GET, system(with())), off(), (GET, system(with())), patch()];
        let script = Script::new(steps.into_iter().chain(after));
        assert_eq!(
            find(&script).await.set_secure_boot(true).await.unwrap(),
            expected
        );
        script.assert_done();
        assert_eq!(written(&script), [json!({"SecureBootEnable": true})]);
    }
    let script = Script::new([(GET, system(json!({})))]);
    let error = find(&script).await.set_secure_boot(true).await.unwrap_err();
    assert!(
        matches!(
            error,
            RedfishError::MissingAttribute {
                attribute: "SecureBoot",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn the_indicator_is_a_light_or_a_flag() {
    let led = || json!({"IndicatorLED": "Off"});
    let flag = || json!({"LocationIndicatorActive": false});
    for (members, wanted, expected) in [
        (
            led(),
            IndicatorLed::Blinking,
            Some(json!({"IndicatorLED": "Blinking"})),
        ),
        (
            flag(),
            IndicatorLed::Lit,
            Some(json!({"LocationIndicatorActive": true})),
        ),
        (
            flag(),
            IndicatorLed::Off,
            Some(json!({"LocationIndicatorActive": false})),
        ),
        (flag(), IndicatorLed::Unknown, None),
        (
            json!({}),
            IndicatorLed::Lit,
            Some(json!({"IndicatorLED": "Lit"})),
        ),
    ] {
        let last = expected.is_some().then(|| (PATCH, Answer::status(204)));
        let reads = [(GET, system(members.clone())), (GET, system(members))];
        let script = Script::new(reads.into_iter().chain(last));
        assert_eq!(
            find(&script).await.set_indicator(&wanted).await.is_ok(),
            expected.is_some()
        );
        script.assert_done();
        assert_eq!(written(&script), expected.into_iter().collect::<Vec<_>>());
    }
    for (members, expected) in [
        (led(), Some(IndicatorLed::Off)),
        (flag(), Some(IndicatorLed::Off)),
        (json!({}), None),
    ] {
        let script = Script::new([(GET, system(members.clone())), (GET, system(members))]);
        assert_eq!(find(&script).await.indicator().await.ok(), expected);
    }
}

#[tokio::test]
async fn the_vendor_is_that_of_the_service() {
    for (root, expected) in [
        (json!({"Vendor": "Dell"}), "Dell"),
        (json!({"Vendor": ""}), "Contoso"),
    ] {
        let script = Script::new([
            (GET, system(json!({"Manufacturer": "Contoso"}))),
            ("GET /redfish/v1/", Answer::json(&root)),
        ]);
        assert_eq!(
            find(&script).await.vendor().await.unwrap().as_deref(),
            Some(expected)
        );
    }
}
