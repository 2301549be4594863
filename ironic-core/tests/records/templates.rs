//! Steps by trait and by runbook.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::FakeOperation as Op;
use ironic_core::model::{Node, VolumeTarget};
use ironic_core::states::{InterfaceKind as I, ProvisionState, Verb};
use ironic_core::steps::{DeployTemplate, Runbook, RunbookStep, UserStep};
use ironic_core::transport::{Call, Change, ProvisionArgs, Request, RequestContext};
use ironic_core::{Error, ErrorKind};
use serde_json::json;
use uuid::Uuid;

use crate::house::{House, LONG, available, enrolled, go};

async fn instance_traits(client: &Client, node: Uuid, names: &[&str]) {
    let traits = vec![Change::set("instance_info/traits", json!(names))];
    client.update_node(node, traits).await.unwrap();
}

async fn template(client: &Client, name: &str, steps: Vec<UserStep>) {
    let template = DeployTemplate::new(name, steps);
    client.create_record(template).await.unwrap();
}

fn vendor_step(priority: i64) -> UserStep {
    UserStep::new(I::Power, "reboot").with_priority(priority)
}

/// A machine under management that has this trait.
async fn with_trait(name: &str) -> (Conductor, Client, Uuid) {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    client.set_traits(node, &[name]).await.unwrap();
    (conductor, client, node)
}

/// A runbook of the project `p1`.
async fn owned(client: &Client) -> Runbook {
    let mut book = runbook("CUSTOM_RESET");
    book.owner = Some("p1".to_owned());
    client.create_record(book).await.unwrap()
}

fn in_project(name: &str) -> RequestContext {
    let mut context = RequestContext::default();
    context.project = Some(name.to_owned());
    context
}

async fn plan(client: &Client, node: Uuid, args: ProvisionArgs) -> Result<String, Error> {
    let plan = client.plan(node, Verb::Deploy, args).await?;
    Ok(plan.to_string())
}

#[tokio::test(start_paused = true)]
async fn the_instances_traits_bring_the_steps_of_their_templates() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    template(&client, "CUSTOM_REBOOT", vec![vendor_step(42)]).await;
    template(&client, "CUSTOM_OTHER", vec![vendor_step(17)]).await;
    let none = plan(&client, node, ProvisionArgs::default()).await.unwrap();
    assert!(!none.contains("power.reboot"), "{none}");

    instance_traits(&client, node, &["CUSTOM_REBOOT"]).await;
    let error = plan(&client, node, ProvisionArgs::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(
        error.to_string().contains("lacks: CUSTOM_REBOOT"),
        "{error}"
    );
    client
        .set_traits(node, &["CUSTOM_REBOOT", "CUSTOM_OTHER"])
        .await
        .unwrap();
    let one = plan(&client, node, ProvisionArgs::default()).await.unwrap();
    assert!(one.contains("power.reboot, priority 42"), "{one}");
    let own = ProvisionArgs::default().with_steps(vec![vendor_step(7)]);
    let own = plan(&client, node, own).await.unwrap();
    assert!(
        own.contains("power.reboot, priority 7") && !own.contains("priority 42"),
        "the caller's wins: {own}"
    );

    house.fakes.record();
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    let reboots = |house: &House| {
        let calls = house.fakes.calls(node).into_iter();
        calls
            .filter(|call| call.operation == Op::SetPowerState && call.argument == "rebooting")
            .count()
    };
    assert!(reboots(&house) >= 1, "the template's step has run");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn templates_that_do_not_go_together_are_refused() {
    let mut house = House::new();
    let disallowed = "vendor.send_raw".parse().unwrap();
    house.config.policy.disallow_deploy_steps.insert(disallowed);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let bios = |priority| UserStep::new(I::Bios, "apply_configuration").with_priority(priority);
    template(&client, "CUSTOM_A", vec![bios(1)]).await;
    template(&client, "CUSTOM_B", vec![bios(2)]).await;
    let raw = UserStep::new(I::Vendor, "send_raw").with_priority(9);
    template(&client, "CUSTOM_C", vec![raw]).await;
    let all = ["CUSTOM_A", "CUSTOM_B", "CUSTOM_C"];
    client.set_traits(node, &all).await.unwrap();
    instance_traits(&client, node, &["CUSTOM_A", "CUSTOM_B"]).await;
    let args = ProvisionArgs::default;
    let error = client
        .provision(node, Verb::Deploy, args())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("CUSTOM_A, CUSTOM_B")
            && error.to_string().contains("bios.apply_configuration"),
        "{error}"
    );
    let odd = vec![Change::set("instance_info/traits", "CUSTOM_A")];
    client.update_node(node, odd).await.unwrap();
    let error = client
        .provision(node, Verb::Deploy, args())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("list of strings"), "{error}");
    // A step that nobody has asked for by name is left out rather than refused.
    instance_traits(&client, node, &["CUSTOM_C"]).await;
    let plan = plan(&client, node, args()).await.unwrap();
    assert!(!plan.contains("send_raw"), "{plan}");
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    conductor.stop().await.unwrap();
}

async fn clean(client: &Client, node: Uuid, args: ProvisionArgs) -> Result<Node, Error> {
    client.provision(node, Verb::Clean, args).await?;
    client
        .wait_for(node, ProvisionState::Manageable, LONG)
        .await
}

fn runbook(name: &str) -> Runbook {
    let reset = UserStep::new(I::Bios, "factory_reset");
    let cache = UserStep::new(I::Bios, "cache_bios_settings");
    let steps = vec![RunbookStep::new(reset, 2), RunbookStep::new(cache, 1)];
    Runbook::new(name, steps)
}

#[tokio::test(start_paused = true)]
async fn a_runbook_cleans_the_machines_that_it_is_meant_for() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    let by_name = || ProvisionArgs::default().with_runbook("CUSTOM_RESET");
    let error = clean(&client, node, by_name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let kept = client.create_record(runbook("CUSTOM_RESET")).await.unwrap();
    let error = clean(&client, node, by_name()).await.unwrap_err();
    assert!(error.to_string().contains("none of its traits"), "{error}");
    client.add_traits(node, &["CUSTOM_RESET"]).await.unwrap();
    let both = by_name().with_steps(vec![UserStep::new(I::Bios, "factory_reset")]);
    let error = clean(&client, node, both).await.unwrap_err();
    assert!(error.to_string().contains("exclude each other"), "{error}");

    house.fakes.record();
    clean(&client, node, by_name()).await.unwrap();
    let ran: Vec<_> = house
        .fakes
        .calls(node)
        .iter()
        .map(|call| call.operation)
        .filter(|op| matches!(op, Op::FactoryReset | Op::CacheBiosSettings))
        .collect();
    assert_eq!(
        ran,
        [Op::CacheBiosSettings, Op::FactoryReset],
        "in their order"
    );
    let by_uuid = ProvisionArgs::default().with_runbook(kept.uuid.to_string());
    clean(&client, node, by_uuid).await.unwrap();

    let error = client
        .provision(node, Verb::Provide, by_name())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("clean and service"), "{error}");
    let none = vec![Change::remove("traits")];
    client
        .update_record::<Runbook>(kept.uuid, none)
        .await
        .unwrap();
    let error = clean(&client, node, by_name()).await.unwrap_err();
    assert!(error.to_string().contains("it has no traits"), "{error}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_runbook_is_its_owners_unless_it_is_public() {
    let (conductor, client, node) = with_trait("CUSTOM_RESET").await;
    let book = owned(&client).await;
    let of = |project: &str| client.with_context(in_project(project));
    let by_name = || ProvisionArgs::default().with_runbook("CUSTOM_RESET");
    let error = clean(&of("p2"), node, by_name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    clean(&of("p1"), node, by_name()).await.unwrap();
    let public = vec![Change::set("public", true)];
    client
        .update_record::<Runbook>(book.uuid, public)
        .await
        .unwrap();
    clean(&of("p2"), node, by_name()).await.unwrap();
    conductor.stop().await.unwrap();
}

/// Whoever asks a conductor without this library's client is not believed either.
#[tokio::test(start_paused = true)]
async fn a_conductor_runs_nobody_elses_runbook() {
    let (conductor, client, node) = with_trait("CUSTOM_RESET").await;
    owned(&client).await;
    let asked = async |project: &str| {
        let args = ProvisionArgs::default().with_runbook("CUSTOM_RESET");
        let verb = Verb::Clean;
        let call = Call::Provision { node, verb, args };
        conductor
            .handler()
            .handle(Request::new(in_project(project), call))
            .await
    };
    let error = asked("p2").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    asked("p1").await.unwrap();
    client
        .wait_for(node, ProvisionState::Manageable, LONG)
        .await
        .unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_runbook_services_a_machine_in_use() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    client.set_traits(node, &["CUSTOM_SERVICE"]).await.unwrap();
    let reboot = UserStep::new(I::Power, "reboot");
    let log = UserStep::new(I::Vendor, "log_passthrough");
    let steps = vec![RunbookStep::new(reboot, 2), RunbookStep::new(log, 1)];
    let mut book = Runbook::new("CUSTOM_SERVICE", steps);
    book.disable_ramdisk = true;
    client.create_record(book).await.unwrap();
    house.fakes.record();
    let args = ProvisionArgs::default().with_runbook("CUSTOM_SERVICE");
    client.provision(node, Verb::Service, args).await.unwrap();
    client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap();
    let calls = house
        .fakes
        .calls(node)
        .into_iter()
        .map(|call| call.operation);
    let ran: Vec<_> = calls
        .filter(|op| matches!(op, Op::LogPassthrough | Op::SetPowerState))
        .collect();
    assert_eq!(
        ran,
        [Op::LogPassthrough, Op::SetPowerState],
        "in their order"
    );
    assert_eq!(house.fakes.call_count(Op::PrepareSteps), 0, "no ramdisk");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_two_edit_at_once_is_as_both_have_it() {
    let (conductor, client, node) = with_trait("CUSTOM_RESET").await;
    let book = owned(&client).await.uuid;
    let add = |name: &'static str| {
        move |book: &mut Runbook| {
            book.traits.push(name.to_owned());
            Ok(())
        }
    };
    // Somebody else is quicker, after the runbook has been read.
    let (other, mut met) = (client.clone(), 0);
    let edited = client.edit_record::<Runbook>(book, |book| {
        met += 1;
        if met == 2 {
            let quicker = pin!(other.edit_record::<Runbook>(book.uuid, add("CUSTOM_B")));
            let done = quicker.poll(&mut Context::from_waker(Waker::noop()));
            assert!(
                matches!(done, Poll::Ready(Ok(_))),
                "in memory nothing waits"
            );
        }
        add("CUSTOM_A")(book)
    });
    let edited = edited.await.unwrap();
    for name in ["CUSTOM_RESET", "CUSTOM_A", "CUSTOM_B"] {
        let has = |book: &Runbook| book.traits.iter().any(|own| own == name);
        assert!(has(&edited), "{name}: {:?}", edited.traits);
        assert!(has(&client.record(book).await.unwrap()), "{name}");
    }
    assert!(edited.updated_at.is_some());
    let broken = client.edit_record::<Runbook>(book, add("no trait"));
    assert_eq!(
        broken.await.unwrap_err().kind(),
        ErrorKind::InvalidParameter
    );
    let target = VolumeTarget::new(Uuid::nil(), node, "iscsi", "v", 0);
    let target = client.create_record(target).await.unwrap().uuid;
    let not_here = client.edit_record::<VolumeTarget>(target, |_| Ok(()));
    assert_eq!(
        not_here.await.unwrap_err().kind(),
        ErrorKind::InvalidParameter
    );
    conductor.stop().await.unwrap();
}
