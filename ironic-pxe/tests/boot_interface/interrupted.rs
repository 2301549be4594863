use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ironic_core::driver::{RamdiskParams, Task};
use ironic_core::testing::FaultyStore;
use ironic_core::{Client, Error, Node, ProvisionState, Verb};
use ironic_pxe::BootInterface;
use tokio::time::timeout;

use crate::house::{House, NODE, agent_calls, ask, described, port, put, reaches};
use crate::ramdisk_deploy::netbooted;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    PrepareRamdisk,
    PrepareInstance,
    CleanUpRamdisk,
    CleanUpInstance,
}

async fn call(task: &mut Task, call: Call) -> Result<(), Error> {
    let driver = task.driver();
    let params = RamdiskParams::from([("ipa-api-url".into(), "http://192.0.2.4".into())]);
    match call {
        Call::PrepareRamdisk => driver.boot.prepare_ramdisk(task, &params).await,
        Call::PrepareInstance => driver.boot.prepare_instance(task).await,
        Call::CleanUpRamdisk => driver.boot.clean_up_ramdisk(task).await,
        Call::CleanUpInstance => driver.boot.clean_up_instance(task).await,
    }
}

/// Makes the calls; the last is broken off at its n-th change of a file and made again.
async fn files_after(
    node: &Node,
    calls: &[Call],
    broken_at: u64,
) -> (BTreeMap<String, String>, bool) {
    let house = House::new();
    put(&house, node, &[port()]).await;
    let conductor = house.conductor().await;
    let (last, first) = calls.split_last().unwrap();
    for each in first {
        let mut task = conductor.tasks().exclusive(NODE, "a test").await.unwrap();
        call(&mut task, *each).await.unwrap();
        conductor.tasks().release(task).await.unwrap();
    }
    let mut task = conductor.tasks().exclusive(NODE, "a test").await.unwrap();
    house.tftp.left.store(broken_at, Ordering::SeqCst);
    let outcome = timeout(Duration::from_secs(60), call(&mut task, *last)).await;
    let broken_off = outcome.is_err();
    // What the node was to remember is forgotten with the task.
    drop(task);
    house.tftp.left.store(u64::MAX, Ordering::SeqCst);
    let mut task = conductor
        .tasks()
        .exclusive(NODE, "the test again")
        .await
        .unwrap();
    call(&mut task, *last).await.unwrap();
    drop(task);
    conductor.stop().await.unwrap();
    (house.files(), broken_off)
}

#[tokio::test(start_paused = true)]
async fn a_call_broken_off_at_any_change_and_made_again_leads_to_the_same_files() {
    use Call::{CleanUpInstance, CleanUpRamdisk, PrepareInstance, PrepareRamdisk};
    let cases: [&[Call]; 7] = [
        &[PrepareRamdisk],
        &[PrepareInstance],
        &[PrepareRamdisk, PrepareInstance],
        &[PrepareRamdisk, CleanUpRamdisk],
        &[PrepareInstance, CleanUpInstance],
        &[PrepareRamdisk, PrepareRamdisk],
        &[PrepareInstance, PrepareInstance],
    ];
    let mut broken = 0;
    for kind in [BootInterface::Ipxe, BootInterface::Pxe] {
        for describe in [described, netbooted] {
            let mut node = describe(kind);
            node.provision_state = ProvisionState::Deploying;
            node.automated_clean = Some(true);
            for calls in cases {
                let (expected, _) = files_after(&node, calls, u64::MAX).await;
                assert!(
                    !expected
                        .values()
                        .any(|content| content == "a dangling link"),
                    "{expected:?}"
                );
                for n in 0.. {
                    let (files, broken_off) = files_after(&node, calls, n).await;
                    assert_eq!(
                        files, expected,
                        "{kind:?} {calls:?} broken off at change {n}"
                    );
                    if !broken_off {
                        break;
                    }
                    broken += 1;
                }
            }
        }
    }
    assert!(broken > 150, "only {broken} calls were broken off");
}

#[tokio::test(start_paused = true)]
async fn an_instance_prepared_after_a_broken_off_clean_up_is_found() {
    for n in 0..12 {
        let house = House::new();
        let mut node = netbooted(BootInterface::Ipxe);
        node.provision_state = ProvisionState::Deploying;
        put(&house, &node, &[port()]).await;
        let conductor = house.conductor().await;
        let mut task = conductor.tasks().exclusive(NODE, "a test").await.unwrap();
        call(&mut task, Call::PrepareInstance).await.unwrap();
        let expected = house.files();
        house.tftp.left.store(n, Ordering::SeqCst);
        let cleaned = call(&mut task, Call::CleanUpInstance);
        let _ = timeout(Duration::from_secs(60), cleaned).await;
        house.tftp.left.store(u64::MAX, Ordering::SeqCst);
        call(&mut task, Call::PrepareInstance).await.unwrap();
        drop(task);
        assert_eq!(house.files(), expected, "clean-up broken off at change {n}");
        conductor.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_killed_while_it_talks_to_the_bmc_is_gone_on_with() {
    for (killed_at, kind) in [
        ("pxe once", BootInterface::Ipxe),
        ("pxe once", BootInterface::Pxe),
        ("disk always", BootInterface::Ipxe),
        ("disk always", BootInterface::Pxe),
    ] {
        let house = House::new();
        let mut node = described(kind);
        node.provision_state = ProvisionState::Available;
        put(&house, &node, &[port()]).await;
        let faulty = Arc::new(FaultyStore::new(Arc::clone(&house.store)));
        let doomed = house.conductor_over(faulty.clone()).await;
        let client = Client::local(&doomed);
        house.bmc.state().hangs_at = Some(killed_at);
        ask(&client, Verb::Deploy).await;
        if killed_at == "disk always" {
            reaches(&client, ProvisionState::DeployWait).await;
            agent_calls(&client).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(house.bmc.state().calls.last().unwrap(), killed_at);
        faulty.fail_after(0);
        drop(doomed);
        house.bmc.state().hangs_at = None;

        let conductor = house.conductor().await;
        let client = Client::local(&conductor);
        if killed_at == "pxe once" {
            reaches(&client, ProvisionState::DeployWait).await;
            assert!(house.found_config(kind).unwrap().contains("ipa-api-url"));
            agent_calls(&client).await;
        }
        reaches(&client, ProvisionState::Active).await;
        assert_eq!(house.found_config(kind), None);
        let mut calls = house.bmc.take_calls();
        calls.dedup();
        assert_eq!(
            calls,
            ["pxe once", "disk always"],
            "{kind:?} killed at {killed_at}"
        );
        conductor.stop().await.unwrap();
    }
}
