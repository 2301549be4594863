use ironic_core::ErrorKind;
use ironic_core::model::Node;
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::transport::Change;
use serde_json::json;
use uuid::Uuid;

use crate::house::{House, ask, available, enrolled, go};

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_the_state_is_refused_and_changes_nothing() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    for verb in [
        Verb::Deploy,
        Verb::Provide,
        Verb::Undeploy,
        Verb::Inspect,
        Verb::Clean,
        Verb::Abort,
    ] {
        let error = ask(&client, node, verb).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidState, "{verb}: {error}");
        assert!(error.to_string().contains("enroll"), "{error}");
    }
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::Enroll
    );
    assert_eq!(client.reservation(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn maintenance_protection_and_association_are_respected() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    client
        .set_maintenance(node, true, Some("fan".into()))
        .await
        .unwrap();
    assert_eq!(
        ask(&client, node, Verb::Deploy).await.unwrap_err().kind(),
        ErrorKind::InMaintenance
    );
    client.set_maintenance(node, false, None).await.unwrap();

    client
        .update_node(
            node,
            vec![Change::set("instance_uuid", Uuid::from_u128(1).to_string())],
        )
        .await
        .unwrap();
    assert_eq!(
        client.delete_node(node).await.unwrap_err().kind(),
        ErrorKind::Associated
    );
    let other = vec![Change::set("instance_uuid", Uuid::from_u128(2).to_string())];
    assert_eq!(
        client.update_node(node, other).await.unwrap_err().kind(),
        ErrorKind::Associated
    );

    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    client
        .update_node(node, vec![Change::set("protected", true)])
        .await
        .unwrap();
    assert_eq!(
        ask(&client, node, Verb::Undeploy).await.unwrap_err().kind(),
        ErrorKind::Protected
    );
    assert_eq!(
        client.delete_node(node).await.unwrap_err().kind(),
        ErrorKind::Associated,
        "the instance comes first"
    );
    client.set_maintenance(node, true, None).await.unwrap();
    assert_eq!(
        client.delete_node(node).await.unwrap_err().kind(),
        ErrorKind::Protected
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn unknown_drivers_duplicate_names_and_bad_fields_are_refused() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let unknown = client
        .create_node(Node::new(Uuid::nil(), "no-such-type"))
        .await
        .unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NoValidHost, "{unknown}");

    let mut named = Node::new(Uuid::nil(), "fake-hardware");
    named.name = Some("rack1-u4".into());
    let id = client.create_node(named.clone()).await.unwrap().uuid;
    assert_eq!(
        client.create_node(named).await.unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(client.find_node("rack1-u4").await.unwrap().uuid, id);
    for change in [
        Change::set("name", "no spaces"),
        Change::set("provision_state", "active"),
        Change::set("maintenance", "perhaps"),
        Change::remove("extra/nothing"),
        Change::set("interfaces/power", "no-such-interface"),
    ] {
        let error = client
            .update_node(id, vec![change.clone()])
            .await
            .unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::InvalidParameter,
            "{change:?}: {error}"
        );
    }
    let both = vec![Change::set("extra/a", 1), Change::set("name", "no spaces")];
    client.update_node(id, both).await.unwrap_err();
    assert!(
        client.node(id).await.unwrap().extra.is_empty(),
        "all of the changes or none"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_nested_too_deep_to_be_read_again_is_refused() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    // The node itself and `extra` are the first two levels.
    let nested = |levels| (0..levels).fold(json!("[[{\"\\{"), |inner, _| json!([inner]));
    let mut deep = Node::new(Uuid::nil(), "fake-hardware");
    deep.extra.insert("facts".to_owned(), nested(99));
    let refused = client.create_node(deep).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidParameter);
    assert!(refused.to_string().contains("100 levels"), "{refused}");

    let node = enrolled(&client).await;
    let facts = |levels| vec![Change::set("extra/facts", nested(levels))];
    let refused = client.update_node(node, facts(99)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidParameter);
    client.update_node(node, facts(98)).await.unwrap();
    let read = client.node(node).await.unwrap();
    assert_eq!(read.extra.get("facts"), Some(&nested(98)));
    conductor.stop().await.unwrap();
}
