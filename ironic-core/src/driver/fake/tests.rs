use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Completion, FakeBehaviour, FakeCall, FakeOperation as Op, FakeRule};
use crate::driver::harness::{self, NODE, step};
use crate::driver::{BootDeviceState, NetworkRole, Registry, Task};
use crate::error::{Error, ErrorKind};
use crate::flow::{Progress, Resume, StepProgress, Wait};
use crate::model::{JsonMap, Node};
use crate::states::{BootDevice, FlowKind, InterfaceKind as I, PowerState, PowerTarget};

async fn task(behaviour: &FakeBehaviour) -> Task {
    task_on(behaviour, NODE).await
}

async fn task_on(behaviour: &FakeBehaviour, node: Uuid) -> Task {
    let builder =
        super::register(Registry::builder(), behaviour).enable(I::Network, ["noop", "fake"]);
    let mut node = Node::new(node, "fake-hardware");
    node.interfaces.set(I::Network, Some("fake".to_owned()));
    node.interfaces.set(I::Storage, Some("fake".to_owned()));
    harness::task(builder, node).await
}

fn refusal() -> Error {
    Error::driver("fake", "no answer")
}

async fn switch(task: &mut Task, target: PowerTarget) -> Result<(), Error> {
    let power = task.driver().power.clone();
    power.set_power_state(task, target, None).await
}

#[tokio::test]
async fn everything_succeeds_at_once_and_nothing_is_remembered_unasked() {
    let behaviour = FakeBehaviour::new();
    let mut task = task(&behaviour).await;
    let driver = task.driver();
    for kind in I::ALL {
        let interface = driver.interface(*kind);
        assert_eq!(interface.validate(&task).await, Ok(()), "{kind}");
    }
    let none = Default::default();
    assert_eq!(driver.boot.prepare_ramdisk(&mut task, &none).await, Ok(()));
    assert_eq!(driver.boot.clean_up_ramdisk(&mut task).await, Ok(()));
    assert_eq!(driver.boot.prepare_instance(&mut task).await, Ok(()));
    assert_eq!(driver.boot.clean_up_instance(&mut task).await, Ok(()));
    let done = Ok(Progress::Done);
    assert_eq!(driver.deploy.prepare(&mut task).await, done);
    let deploy = step(&task, FlowKind::Deploy, "deploy.deploy");
    let ran = driver
        .deploy
        .execute_step(&mut task, FlowKind::Deploy, &deploy);
    assert_eq!(ran.await, done);
    assert_eq!(driver.deploy.tear_down(&mut task).await, done);
    assert_eq!(driver.inspect.inspect_hardware(&mut task).await, done);
    assert_eq!(driver.rescue.rescue(&mut task).await, done);
    assert_eq!(driver.rescue.unrescue(&mut task).await, done);
    let role = NetworkRole::Tenant;
    assert_eq!(driver.network.connect(&mut task, role).await, Ok(()));
    assert_eq!(driver.storage.attach_volumes(&mut task).await, Ok(()));
    assert_eq!(driver.console.start(&mut task).await, Ok(()));
    assert!(behaviour.calls(NODE).is_empty());
}

#[tokio::test]
async fn a_machine_has_the_power_it_was_given() {
    let behaviour = FakeBehaviour::new();
    let mut task = task(&behaviour).await;
    let power = task.driver().power.clone();
    assert_eq!(behaviour.power_state(NODE), None);
    assert_eq!(power.get_power_state(&task).await, Ok(None));
    for target in power.supported_targets(&task) {
        switch(&mut task, target).await.unwrap();
        let state = power.get_power_state(&task).await;
        assert_eq!(state, Ok(Some(target.result())), "{target}");
    }
    behaviour.set_power_state(NODE, PowerState::Error);
    assert_eq!(
        power.get_power_state(&task).await,
        Ok(Some(PowerState::Error))
    );
    // Another conductor, or this one after a restart, sees the same machine; another node is
    // another machine.
    let other = self::task(&behaviour).await;
    assert_eq!(
        power.get_power_state(&other).await,
        Ok(Some(PowerState::Error))
    );
    let other = task_on(&behaviour, Uuid::from_u128(0x22)).await;
    assert_eq!(power.get_power_state(&other).await, Ok(None));
    behaviour.forget(NODE);
    assert_eq!(behaviour.power_state(NODE), None);
}

#[tokio::test]
async fn a_machine_that_nobody_switched_has_the_power_it_was_seen_with() {
    let mut node = Node::new(NODE, "fake-hardware");
    node.power_state = Some(PowerState::On);
    let builder = super::register(Registry::builder(), &FakeBehaviour::new());
    let task = harness::task(builder, node).await;
    let state = task.driver().power.get_power_state(&task).await;
    assert_eq!(state, Ok(Some(PowerState::On)));
}

#[tokio::test]
async fn power_is_left_alone_without_a_lease() {
    let behaviour = FakeBehaviour::new();
    let builder = super::register(Registry::builder(), &behaviour);
    let manager = harness::manager(builder, &[Node::new(NODE, "fake-hardware")]).await;
    manager.context().governor.revoke_lease();
    let mut task = manager.exclusive(NODE, "a test").await.unwrap();
    let error = switch(&mut task, PowerTarget::On).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(behaviour.power_state(NODE), None);
}

#[tokio::test]
async fn the_call_that_was_told_to_fails_and_the_machine_stays_as_it_was() {
    let behaviour = FakeBehaviour::new();
    behaviour.add(FakeRule::fails(Op::SetPowerState, refusal()).nth(2));
    let mut task = task(&behaviour).await;
    assert_eq!(switch(&mut task, PowerTarget::On).await, Ok(()));
    assert_eq!(switch(&mut task, PowerTarget::Off).await, Err(refusal()));
    assert_eq!(behaviour.power_state(NODE), Some(PowerState::On));
    assert_eq!(switch(&mut task, PowerTarget::Off).await, Ok(()));
}

#[tokio::test]
async fn rules_are_about_one_node_or_the_first_calls_or_all() {
    let (behaviour, other) = (FakeBehaviour::new(), Uuid::from_u128(0x22));
    behaviour.add(
        FakeRule::fails(Op::SetPowerState, refusal())
            .on(other)
            .first(2),
    );
    let mut fine = task(&behaviour).await;
    let mut broken = task_on(&behaviour, other).await;
    for expected in [Err(refusal()), Err(refusal()), Ok(())] {
        assert_eq!(switch(&mut fine, PowerTarget::On).await, Ok(()));
        assert_eq!(switch(&mut broken, PowerTarget::On).await, expected);
    }
    behaviour.add(FakeRule::fails(Op::SetPowerState, refusal()));
    for _ in 0..5 {
        assert!(switch(&mut fine, PowerTarget::On).await.is_err());
    }
    behaviour.clear(Op::SetPowerState);
    assert_eq!(switch(&mut fine, PowerTarget::On).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_operation_takes_as_long_as_it_was_told() {
    let behaviour = FakeBehaviour::new();
    let seconds = Duration::from_secs;
    behaviour.add(FakeRule::takes(Op::SetPowerState, seconds(7)));
    let mut task = task(&behaviour).await;
    let begun = Instant::now();
    assert_eq!(switch(&mut task, PowerTarget::On).await, Ok(()));
    assert_eq!(begun.elapsed().as_secs(), 7);

    let power = task.driver().power.clone();
    let off = PowerTarget::Off;
    let late = power
        .set_power_state(&mut task, off, Some(seconds(3)))
        .await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(behaviour.power_state(NODE), Some(PowerState::On));

    behaviour.clear(Op::SetPowerState);
    behaviour.add(FakeRule::takes_between(
        Op::SetPowerState,
        seconds(10),
        seconds(20),
    ));
    let mut below = 0;
    for _ in 0..200 {
        let begun = Instant::now();
        assert_eq!(switch(&mut task, PowerTarget::On).await, Ok(()));
        let taken = begun.elapsed();
        assert!((10..=20).contains(&taken.as_secs()), "{taken:?}");
        below += u32::from(taken < seconds(15));
    }
    // Three in four, with the peak at the lesser end.
    assert!(
        (120..=180).contains(&below),
        "{below} of 200 in the lower half"
    );
}

#[tokio::test]
#[should_panic(expected = "deploy.prepare: a defect")]
async fn an_operation_panics_when_told() {
    let behaviour = FakeBehaviour::new();
    behaviour.add(FakeRule::panics(Op::PrepareDeploy, "a defect"));
    let mut task = task(&behaviour).await;
    let deploy = task.driver().deploy.clone();
    let _ = deploy.prepare(&mut task).await;
}

#[tokio::test(start_paused = true)]
async fn an_operation_hangs_when_told() {
    let behaviour = FakeBehaviour::new();
    behaviour.add(FakeRule::hangs(Op::GetPowerState));
    let task = task(&behaviour).await;
    let driver = task.driver();
    let asked = driver.power.get_power_state(&task);
    let day = Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, asked).await.is_err());
}

#[tokio::test]
async fn a_step_that_waits_to_be_asked_is_known_until_its_flow_is_over() {
    let (behaviour, every) = (FakeBehaviour::new(), Duration::from_secs(2));
    let completion = Completion::Polls { times: 2, every };
    behaviour.add(FakeRule::completes(Op::Deploy, completion));
    let mut task = task(&behaviour).await;
    let (deploy, flow) = (task.driver().deploy.clone(), FlowKind::Deploy);
    let step = step(&task, flow, "deploy.deploy");
    let asked = deploy.step_progress(&task, flow, &step).await;
    assert_eq!(asked, Ok(StepProgress::NotStarted));
    let begun = deploy.execute_step(&mut task, flow, &step).await;
    let wait = Progress::Wait(Wait::for_step(&step, every));
    assert_eq!(begun, Ok(wait));
    // Asked by another conductor: the machine runs on while conductors come and go.
    let other = self::task(&behaviour).await;
    for _ in 0..2 {
        let asked = deploy.step_progress(&other, flow, &step).await;
        assert!(matches!(asked, Ok(StepProgress::Running { .. })));
    }
    for _ in 0..2 {
        let asked = deploy.step_progress(&other, flow, &step).await;
        assert_eq!(asked, Ok(StepProgress::Done));
    }
    task.node_mut().generation += 1;
    let asked = deploy.step_progress(&task, flow, &step).await;
    assert_eq!(asked, Ok(StepProgress::NotStarted));
}

#[tokio::test]
async fn what_is_no_step_is_called_again_until_it_ends() {
    let (behaviour, every) = (FakeBehaviour::new(), Duration::from_secs(2));
    let completion = Completion::Polls { times: 2, every };
    behaviour.add(FakeRule::completes(Op::InspectHardware, completion));
    let mut task = task(&behaviour).await;
    let inspect = task.driver().inspect.clone();
    for _ in 0..2 {
        match inspect.inspect_hardware(&mut task).await {
            Ok(Progress::Wait(wait)) => assert_eq!(wait.poll, Some(every)),
            other => panic!("{other:?}"),
        }
    }
    let ended = inspect.inspect_hardware(&mut task).await;
    assert_eq!(ended, Ok(Progress::Done));
}

#[tokio::test]
async fn what_waits_for_the_agent_goes_on_when_it_calls() {
    let behaviour = FakeBehaviour::new();
    for operation in [Op::Deploy, Op::Rescue] {
        behaviour.add(FakeRule::completes(operation, Completion::Heartbeat));
    }
    let mut task = task(&behaviour).await;
    let driver = task.driver();
    let deploy = step(&task, FlowKind::Deploy, "deploy.deploy");
    let ran = driver
        .deploy
        .execute_step(&mut task, FlowKind::Deploy, &deploy);
    let waits = |progress| match progress {
        Ok(Progress::Wait(wait)) => wait.resume == Resume::NextStep && wait.poll.is_none(),
        _ => false,
    };
    assert!(waits(ran.await));
    assert!(waits(driver.rescue.rescue(&mut task).await));
    let wait = step(&task, FlowKind::Service, "vendor.trigger_servicewait");
    let ran = driver
        .vendor
        .execute_step(&mut task, FlowKind::Service, &wait);
    assert!(waits(ran.await), "it waits without being told");
}

#[tokio::test]
async fn calls_are_recorded_by_node_in_their_order() {
    let behaviour = FakeBehaviour::new();
    let (mut first, other) = (task(&behaviour).await, Uuid::from_u128(0x22));
    let mut second = task_on(&behaviour, other).await;
    assert_eq!(switch(&mut first, PowerTarget::On).await, Ok(()));
    behaviour.record();
    assert_eq!(switch(&mut first, PowerTarget::Reboot).await, Ok(()));
    assert_eq!(switch(&mut second, PowerTarget::On).await, Ok(()));
    let boot = first.driver().boot.clone();
    let secret = [("ipa-agent-token".to_owned(), "s3cret".to_owned())].into();
    assert_eq!(boot.prepare_ramdisk(&mut first, &secret).await, Ok(()));
    let call = |operation, argument: &str| FakeCall {
        operation,
        argument: argument.to_owned(),
    };
    let expected = [
        call(Op::SetPowerState, "rebooting"),
        call(Op::PrepareRamdisk, "ipa-agent-token"),
    ];
    assert_eq!(behaviour.calls(NODE), expected);
    assert_eq!(
        behaviour.calls(other),
        [call(Op::SetPowerState, "power on")]
    );
    assert_eq!(behaviour.call_count(Op::SetPowerState), 2);
}

async fn run(task: &mut Task, name: &str, settings: Value) -> Result<Progress, Error> {
    let mut step = step(task, FlowKind::Clean, name);
    if !settings.is_null() {
        step.args.insert("settings".to_owned(), settings);
    }
    let interface = task.driver().interface(step.interface);
    interface.execute_step(task, FlowKind::Clean, &step).await
}

#[tokio::test]
async fn firmware_settings_are_those_set_last() {
    let behaviour = FakeBehaviour::new();
    let mut task = task(&behaviour).await;
    let apply = "bios.apply_configuration";
    let both = json!([{"name": "virt", "value": "on"}, {"name": "cores", "value": 4}]);
    assert_eq!(run(&mut task, apply, both).await, Ok(Progress::Done));
    let settings = behaviour.bios_settings(NODE);
    assert_eq!(json!(settings), json!({"virt": "on", "cores": "4"}));
    behaviour.add(FakeRule::fails(Op::ApplyConfiguration, refusal()).nth(1));
    let one = json!([{"name": "virt", "value": "off"}]);
    assert_eq!(run(&mut task, apply, one.clone()).await, Err(refusal()));
    assert_eq!(behaviour.bios_settings(NODE).len(), 2);
    assert_eq!(run(&mut task, apply, one).await, Ok(Progress::Done));
    assert_eq!(json!(behaviour.bios_settings(NODE)), json!({"virt": "off"}));
    for wrong in [Value::Null, json!("x"), json!([1]), json!([{"name": "a"}])] {
        let error = run(&mut task, apply, wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    }
    let reset = run(&mut task, "bios.factory_reset", Value::Null).await;
    assert_eq!(reset, Ok(Progress::Done));
    assert!(behaviour.bios_settings(NODE).is_empty());
}

#[tokio::test]
async fn steps_that_are_not_offered_are_refused() {
    let mut task = task(&FakeBehaviour::new()).await;
    let vendor = task.driver().vendor.clone();
    let mut step = step(&task, FlowKind::Clean, "vendor.log_passthrough");
    let ran = vendor.execute_step(&mut task, FlowKind::Clean, &step).await;
    assert_eq!(ran, Ok(Progress::Done));
    // `validate` is an operation, but no step.
    step.step = "validate".to_owned();
    let refused = vendor.execute_step(&mut task, FlowKind::Clean, &step).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn vendor_methods_answer_as_recorded() {
    let mut task = task(&FakeBehaviour::new()).await;
    let vendor = task.driver().vendor.clone();
    let methods = vendor.methods();
    let names: Vec<_> = methods.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "fourth_method_shared_lock",
            "log_passthrough",
            "second_method",
            "third_method_sync"
        ]
    );
    for (name, method) in &methods {
        assert_eq!(method.asynchronous, name != "third_method_sync", "{name}");
        assert_eq!(
            method.read_only,
            name == "fourth_method_shared_lock",
            "{name}"
        );
        assert_eq!(method.http_methods, ["POST"], "{name}");
    }
    for (method, bar, answer) in [
        ("second_method", json!("kazoo"), Ok(json!(true))),
        ("third_method_sync", json!("meow"), Ok(json!(true))),
        ("third_method_sync", json!("woof"), Ok(json!(false))),
        (
            "third_method_sync",
            json!(""),
            Err(ErrorKind::MissingParameter),
        ),
        (
            "third_method_sync",
            json!(null),
            Err(ErrorKind::MissingParameter),
        ),
        ("fourth_method_shared_lock", json!("woof"), Ok(json!(true))),
        ("log_passthrough", json!(null), Ok(json!(null))),
        ("nosuch", json!("x"), Err(ErrorKind::Unsupported)),
    ] {
        let args = JsonMap::from_iter([("bar".to_owned(), bar)]);
        let got = vendor.call(&mut task, method, "POST", &args).await;
        assert_eq!(got.map_err(|error| error.kind()), answer, "{method}");
    }
}

#[tokio::test]
async fn the_boot_device_is_the_network_whatever_is_set() {
    let mut task = task(&FakeBehaviour::new()).await;
    let management = task.driver().management.clone();
    let pxe = BootDevice::Pxe;
    assert_eq!(
        management.set_boot_device(&mut task, pxe, true).await,
        Ok(())
    );
    let got = management.get_boot_device(&task).await;
    assert_eq!(got, Ok(BootDeviceState::new(Some(pxe), Some(false))));
    let disk = BootDevice::Disk;
    let refused = management.set_boot_device(&mut task, disk, false).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidParameter);
    assert_eq!(management.sensors(&task).await, Ok(JsonMap::new()));
}

#[tokio::test]
async fn a_raid_target_that_makes_no_sense_fails_validation() {
    let mut task = task(&FakeBehaviour::new()).await;
    let raid = task.driver().raid.clone();
    for (target, valid) in [
        (
            json!({"logical_disks": [{"raid_level": "1", "size_gb": 50}]}),
            true,
        ),
        (
            json!({"logical_disks": [{"raid_level": "99", "size_gb": 5}]}),
            false,
        ),
        (json!({}), true),
    ] {
        task.node_mut().target_raid_config = target.as_object().unwrap().clone();
        assert_eq!(raid.validate(&task).await.is_ok(), valid, "{target}");
    }
}
