//! What a node has besides fields.

use std::time::Duration;

use ironic_core::ErrorKind;
use ironic_core::driver::fake::FakeOperation as Op;
use ironic_core::model::{HistoryEvent, NodeTrait, Severity};
use ironic_core::states::{InterfaceKind as I, ProvisionState, Verb};
use ironic_core::steps::UserStep;
use ironic_core::store::{Kind, Query};
use ironic_core::transport::{Change, ProvisionArgs};
use serde_json::json;
use uuid::Uuid;

use crate::house::{House, LONG, enrolled, go};

#[tokio::test(start_paused = true)]
async fn traits_are_set_added_and_removed() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (node, other) = (enrolled(&client).await, enrolled(&client).await);
    client.add_traits(other, &["CUSTOM_B"]).await.unwrap();
    client
        .add_traits(node, &["CUSTOM_B", "HW_CPU_X86_VMX"])
        .await
        .unwrap();
    client
        .add_traits(node, &["CUSTOM_A", "CUSTOM_B"])
        .await
        .unwrap();
    let all = ["CUSTOM_A", "CUSTOM_B", "HW_CPU_X86_VMX"];
    assert_eq!(client.traits(node).await.unwrap(), all);
    let error = client.add_traits(node, &["custom"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    let error = client
        .remove_traits(node, Some(&["CUSTOM_A", "CUSTOM_Z"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(client.traits(node).await.unwrap(), all, "none is removed");
    client
        .remove_traits(node, Some(&["CUSTOM_A"]))
        .await
        .unwrap();
    client
        .set_traits(node, &["CUSTOM_C", "CUSTOM_B"])
        .await
        .unwrap();
    let now = ["CUSTOM_B", "CUSTOM_C"];
    assert_eq!(client.traits(node).await.unwrap(), now);
    let many: Vec<_> = (0..51).map(|n| format!("CUSTOM_{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let error = client.set_traits(node, &many).await.unwrap_err();
    assert!(error.to_string().contains("at most 50"), "{error}");
    client.set_traits(node, &many[..50]).await.unwrap();
    let error = client.add_traits(node, &["CUSTOM_Z"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    client.remove_traits(node, None).await.unwrap();
    assert!(client.traits(node).await.unwrap().is_empty());
    client.delete_node(other).await.unwrap();
    let left = client.records::<NodeTrait>(&Query::all(Kind::Trait)).await;
    assert!(left.unwrap().is_empty());
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_raid_that_is_wanted_is_one_that_can_be_made() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let fake = vec![Change::set("interfaces/raid", "fake")];
    client.update_node(node, fake).await.unwrap();
    let config = |level: &str| {
        let disks = json!({"logical_disks": [{"size_gb": "MAX", "raid_level": level}]});
        disks.as_object().unwrap().clone()
    };
    client.set_target_raid(node, config("1")).await.unwrap();
    let error = client.set_target_raid(node, config("9")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(error.to_string().contains("raid_level"), "{error}");
    let kept = client.node(node).await.unwrap().target_raid_config;
    assert_eq!(kept, config("1"));
    client
        .set_target_raid(node, serde_json::Map::new())
        .await
        .unwrap();
    let kept = client.node(node).await.unwrap().target_raid_config;
    assert!(kept.is_empty());
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn firmware_settings_are_kept_as_last_read() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    let apply = |settings: serde_json::Value| {
        let step = UserStep::new(I::Bios, "apply_configuration").with_arg("settings", settings);
        let args = ProvisionArgs::default().with_steps(vec![step]);
        let client = client.clone();
        async move {
            client.provision(node, Verb::Clean, args).await.unwrap();
            client
                .wait_for(node, ProvisionState::Manageable, LONG)
                .await
                .unwrap();
            client.bios_settings(node).await.unwrap()
        }
    };
    let first =
        apply(json!([{"name": "boot", "value": "uefi"}, {"name": "vt", "value": "on"}])).await;
    let shown = |settings: &[ironic_core::model::BiosSetting]| {
        let mut shown: Vec<_> = settings
            .iter()
            .map(|one| format!("{}={}", one.name, one.value.clone().unwrap()))
            .collect();
        shown.sort();
        shown
    };
    assert_eq!(shown(&first), ["boot=uefi", "vt=on"]);
    assert!(first.iter().all(|one| one.updated_at.is_none()));
    let second = apply(json!([{"name": "boot", "value": "bios"}])).await;
    assert_eq!(shown(&second), ["boot=bios"], "what is gone is gone");
    assert!(second[0].updated_at.is_some());
    assert_eq!(
        second[0].uuid,
        first.iter().find(|one| one.name == "boot").unwrap().uuid
    );
    assert!(house.fakes.call_count(Op::CacheSettings) == 0);
    client.delete_node(node).await.unwrap();
    let left = Query::all(Kind::BiosSetting);
    assert!(
        client
            .records::<ironic_core::model::BiosSetting>(&left)
            .await
            .unwrap()
            .is_empty()
    );
    conductor.stop().await.unwrap();
}

async fn events(house: &House, node: Uuid, count: u128) {
    for n in 0..count {
        let text = format!("event {n}");
        let mut event = HistoryEvent::new(node, Severity::Info, "test", "test", text);
        event.uuid = Uuid::from_u128(node.as_u128() ^ (n + 1));
        event.created_at = ironic_core::Timestamp::from_micros(1_700_000_000_000_000);
        house.repository().create(&event).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_history_keeps_its_newest_events() {
    let mut house = House::new();
    house.config.node_history_max_entries = 3;
    house.config.node_history_cleanup_interval = Duration::from_secs(60);
    house.config.node_history_cleanup_batch_count = 4;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let nodes = [enrolled(&client).await, enrolled(&client).await];
    for node in nodes {
        events(&house, node, 8).await;
    }
    let counts = async || {
        let (one, other) = (client.history(nodes[0]), client.history(nodes[1]));
        [one.await.unwrap().len(), other.await.unwrap().len()]
    };
    assert_eq!(counts().await, [8, 8]);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(
        counts().await,
        [3, 8],
        "one batch ends after the first node"
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(counts().await, [3, 3]);
    let kept = client.history(nodes[0]).await.unwrap();
    let texts: Vec<_> = kept.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(texts, ["event 5", "event 6", "event 7"]);
    conductor.stop().await.unwrap();

    // The clock of this house stands about three years after those events.
    house.config.node_history_minimum_days = 2000;
    let conductor = house.conductor("cond-a").await;
    let more = enrolled(&house.client(&conductor)).await;
    events(&house, more, 8).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(
        house.client(&conductor).history(more).await.unwrap().len(),
        8
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hardware_type_says_what_logical_disks_it_knows() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let known = client
        .raid_logical_disk_properties("fake-hardware")
        .await
        .unwrap();
    let names: Vec<_> = known.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "controller",
            "disk_type",
            "interface_type",
            "is_root_volume",
            "number_of_physical_disks",
            "physical_disks",
            "raid_level",
            "share_physical_disks",
            "size_gb",
            "volume_name",
        ]
    );
    assert!(known["raid_level"].contains("5+0"), "{known:?}");
    let error = client
        .raid_logical_disk_properties("nosuch")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    conductor.stop().await.unwrap();
}
