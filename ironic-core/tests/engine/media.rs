use ironic_core::ErrorKind;
use ironic_core::client::Client;
use ironic_core::driver::VirtualMediaDevice as Device;
use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::model::Node;
use uuid::Uuid;

use crate::house::{House, LONG, enrolled};

const IMAGE: &str = "https://images.example.org/rescue.iso";

async fn settled(client: &Client, node: Uuid) -> Node {
    client
        .wait_until(node, LONG, |_| Some(Ok(())))
        .await
        .unwrap()
}

async fn full(client: &Client, node: Uuid) -> usize {
    let slots = client.virtual_media(node).await.unwrap();
    slots.iter().filter(|slot| slot.is_inserted()).count()
}

#[tokio::test(start_paused = true)]
async fn media_are_attached_shown_and_detached() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    for device in [Device::Cdrom, Device::Floppy] {
        client
            .attach_virtual_media(node, device, IMAGE)
            .await
            .unwrap();
        settled(&client, node).await;
    }
    let slots = client.virtual_media(node).await.unwrap();
    assert!(slots.iter().any(|slot| slot.details["image"] == IMAGE));
    assert_eq!(full(&client, node).await, 2);
    client
        .detach_virtual_media(node, &[Device::Cdrom])
        .await
        .unwrap();
    settled(&client, node).await;
    assert_eq!(full(&client, node).await, 1);
    client.detach_virtual_media(node, &[]).await.unwrap();
    settled(&client, node).await;
    assert_eq!(full(&client, node).await, 0);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_attached_is_refused_or_told_by_the_node() {
    let mut house = House::new();
    house.config.sync_power_state_interval = std::time::Duration::from_secs(10);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    for url in ["file:///etc/shadow", "/etc/shadow", "ftp://192.0.2.1/x", ""] {
        let refused = client.attach_virtual_media(node, Device::Cdrom, url).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidParameter);
    }
    let refusal = ironic_core::Error::driver("fake", "no such slot");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::AttachVirtualMedia, refusal));
    client
        .attach_virtual_media(node, Device::Disk, IMAGE)
        .await
        .unwrap();
    let text = settled(&client, node).await.last_error.unwrap();
    assert!(
        text.contains("device disk") && text.contains("no such slot"),
        "{text}"
    );
    assert!(
        !text.contains("example.org"),
        "a URL may have a password in it"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_does_not_answer_is_not_given_media() {
    let mut house = House::new();
    house.config.sync_power_state_interval = std::time::Duration::from_secs(1);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = crate::house::available(&client).await;
    let silence = ironic_core::Error::driver("fake", "no answer");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::GetPowerState, silence));
    client
        .wait_until(node, LONG, |node| node.fault.is_some().then_some(Ok(())))
        .await
        .unwrap();
    let attached = client.attach_virtual_media(node, Device::Cdrom, IMAGE);
    let detached = client.detach_virtual_media(node, &[]);
    for error in [attached.await.unwrap_err(), detached.await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::StateConflict, "{error}");
    }
    assert_eq!(client.reservation(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}
