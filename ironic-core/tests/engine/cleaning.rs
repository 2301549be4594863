//! Which steps clean a machine unasked: by their priorities, or by a runbook.

use ironic_core::client::Client;
use ironic_core::config::CleaningStepSource;
use ironic_core::driver::fake::FakeOperation as Op;
use ironic_core::model::Node;
use ironic_core::states::{InterfaceKind as I, ProvisionState as S, Verb};
use ironic_core::steps::{Runbook, RunbookStep, UserStep};
use ironic_core::transport::{Change, ProvisionArgs};
use uuid::Uuid;

use crate::house::{House, LONG, ask, enrolled, go};

/// A house whose nodes are cleaned by this runbook.
fn by_runbook(ident: &str) -> House {
    let mut house = House::new();
    let cleaning = &mut house.config.automated_cleaning;
    cleaning.step_source = CleaningStepSource::Runbook;
    cleaning.runbook = Some(ident.to_owned());
    house
}

/// Two steps, in an order that is not that of their names.
async fn book(client: &Client, name: &str) -> Runbook {
    let step = |name: &str, order| RunbookStep::new(UserStep::new(I::Bios, name), order);
    let steps = vec![step("factory_reset", 1), step("cache_bios_settings", 2)];
    let book = Runbook::new(name, steps);
    client.create_record(book).await.unwrap()
}

/// The steps that ran since the log began, as far as a runbook here can have them.
fn ran(house: &House, node: Uuid) -> Vec<Op> {
    let calls = house.fakes.calls(node).into_iter();
    let steps = calls.map(|call| call.operation);
    steps
        .filter(|op| matches!(op, Op::FactoryReset | Op::CacheBiosSettings))
        .collect()
}

const BOOK: [Op; 2] = [Op::FactoryReset, Op::CacheBiosSettings];

async fn manageable(client: &Client) -> Uuid {
    let node = enrolled(client).await;
    go(client, node, Verb::Manage, S::Manageable).await.uuid
}

#[tokio::test(start_paused = true)]
async fn a_runbook_cleans_what_is_put_on_offer_and_what_gives_its_instance_up() {
    let house = by_runbook("CUSTOM_CLEAN");
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    book(&client, "CUSTOM_CLEAN").await;
    let node = manageable(&client).await;
    client.set_traits(node, &["CUSTOM_CLEAN"]).await.unwrap();
    let planned = client
        .plan(node, Verb::Provide, ProvisionArgs::default())
        .await
        .unwrap()
        .to_string();
    assert!(planned.contains("bios.factory_reset"), "{planned}");

    house.fakes.record();
    let cleaned = go(&client, node, Verb::Provide, S::Available).await;
    assert_eq!(ran(&house, node), BOOK);
    assert_eq!(cleaned.target_provision_state, None);
    go(&client, node, Verb::Deploy, S::Active).await;
    house.fakes.record();
    let before = ran(&house, node).len();
    go(&client, node, Verb::Undeploy, S::Available).await;
    assert_eq!(ran(&house, node).split_off(before), BOOK);
    conductor.stop().await.unwrap();
}

/// A machine that cannot be cleaned as it should is never taken for clean.
#[tokio::test(start_paused = true)]
async fn without_its_runbook_nothing_gets_on_offer() {
    let house = by_runbook("CUSTOM_CLEAN");
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = manageable(&client).await;
    let refused = async || {
        let error = ask(&client, node, Verb::Provide).await.unwrap_err();
        let still = client.node(node).await.unwrap().provision_state;
        assert_eq!(still, S::Manageable);
        error.to_string()
    };
    let none = refused().await;
    assert!(none.contains("runbook CUSTOM_CLEAN"), "{none}");
    let kept = book(&client, "CUSTOM_CLEAN").await;
    let strange = refused().await;
    assert!(strange.contains("none of its traits"), "{strange}");
    client.set_traits(node, &["CUSTOM_CLEAN"]).await.unwrap();
    go(&client, node, Verb::Provide, S::Available).await;
    go(&client, node, Verb::Deploy, S::Active).await;

    client.delete_record::<Runbook>(kept.uuid).await.unwrap();
    ask(&client, node, Verb::Undeploy).await.unwrap();
    let failed = |node: &Node| (node.provision_state == S::CleanFailed).then_some(Ok(()));
    let failed = client.wait_until(node, LONG, failed).await.unwrap();
    assert!(failed.instance_info.is_empty(), "the instance is gone");
    let why = failed.last_error.unwrap();
    assert!(why.contains("runbook CUSTOM_CLEAN"), "{why}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_runbook_is_the_nodes_own_or_that_of_its_class() {
    let mut house = by_runbook("nosuch");
    let cleaning = &mut house.config.automated_cleaning;
    cleaning.step_source = CleaningStepSource::Hybrid;
    cleaning.runbook = None;
    cleaning.runbook_validate_traits = false;
    cleaning.runbook_from_node = true;
    let by_class = &mut cleaning.runbook_by_resource_class;
    by_class.insert("gold".to_owned(), "nightly".to_owned());
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    book(&client, "nightly").await;
    house.fakes.record();
    let cleaned = async |changes: Vec<Change>| {
        let node = manageable(&client).await;
        client.update_node(node, changes).await.unwrap();
        go(&client, node, Verb::Provide, S::Available).await;
        ran(&house, node)
    };
    let class = || Change::set("resource_class", "gold");
    assert_eq!(cleaned(vec![]).await, [], "by priorities");
    assert_eq!(cleaned(vec![class()]).await, BOOK);
    let own = Change::set("driver_info/cleaning_runbook", "nightly");
    assert_eq!(cleaned(vec![own]).await, BOOK);
    let none = Change::set("driver_info/cleaning_runbook", "");
    assert_eq!(cleaned(vec![class(), none]).await, [], "none of its own");
    conductor.stop().await.unwrap();
}

/// Cleaning that is off needs no runbook, and one whose steps the operator has all disallowed is
/// none.
#[tokio::test(start_paused = true)]
async fn a_runbook_is_nothing_where_nothing_is_cleaned_or_may_be() {
    let mut house = by_runbook("CUSTOM_CLEAN");
    let disallowed = &mut house.config.policy.disallow_clean_steps;
    for step in ["bios.factory_reset", "bios.cache_bios_settings"] {
        disallowed.insert(step.parse().unwrap());
    }
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    house.fakes.record();
    let node = manageable(&client).await;
    let never = vec![Change::set("automated_clean", false)];
    client.update_node(node, never).await.unwrap();
    go(&client, node, Verb::Provide, S::Available).await;
    assert_eq!(house.fakes.call_count(Op::PrepareSteps), 0);

    book(&client, "CUSTOM_CLEAN").await;
    let other = manageable(&client).await;
    client.set_traits(other, &["CUSTOM_CLEAN"]).await.unwrap();
    go(&client, other, Verb::Provide, S::Available).await;
    assert_eq!(house.fakes.call_count(Op::PrepareSteps), 1);
    assert_eq!(ran(&house, other), []);
    conductor.stop().await.unwrap();
}
