//! A deploy interface of the name `ramdisk`, whose instances boot over the network every time.

use async_trait::async_trait;
use ironic_core::driver::{Deploy, Interface, SharedTask, Task};
use ironic_core::flow::Progress;
use ironic_core::model::Node;
use ironic_core::states::{FlowKind, InterfaceKind};
use ironic_core::steps::{Impact, Replay, Step, StepDef};
use ironic_core::{Error, ProvisionState, Verb};
use ironic_pxe::BootInterface;
use serde_json::json;

use crate::house::{HTTP, House, ask, described, port, put, reaches};

pub(crate) struct RamdiskDeploy;

#[async_trait]
impl Interface for RamdiskDeploy {
    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        task.driver().boot.validate(task).await
    }

    fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
        let kind = InterfaceKind::Deploy;
        let step = StepDef::new(kind, "deploy", 100, Replay::Idempotent, Impact::NONE);
        if flow == FlowKind::Deploy {
            vec![step]
        } else {
            vec![]
        }
    }

    async fn execute_step(
        &self,
        task: &mut Task,
        _flow: FlowKind,
        _step: &Step,
    ) -> Result<Progress, Error> {
        task.driver().boot.prepare_instance(task).await?;
        Ok(Progress::Done)
    }
}

#[async_trait]
impl Deploy for RamdiskDeploy {
    async fn prepare(&self, _task: &mut Task) -> Result<Progress, Error> {
        Ok(Progress::Done)
    }

    async fn clean_up(&self, task: &mut Task) -> Result<(), Error> {
        task.driver().boot.clean_up_instance(task).await
    }

    async fn tear_down(&self, _task: &mut Task) -> Result<Progress, Error> {
        Ok(Progress::Done)
    }

    async fn take_over(&self, task: &mut Task) -> Result<(), Error> {
        task.driver().boot.prepare_instance(task).await
    }
}

/// A node whose instance is a kernel and a ramdisk.
pub(crate) fn netbooted(boot: BootInterface) -> Node {
    let mut node = described(boot);
    node.interfaces
        .set(InterfaceKind::Deploy, Some("ramdisk".into()));
    let info = json!({
        "kernel": format!("{HTTP}/images/own-kernel"),
        "ramdisk": format!("{HTTP}/images/own-ramdisk"),
        "ramdisk_kernel_arguments": "console=ttyS1",
    });
    node.instance_info = info.as_object().unwrap().clone();
    node
}

#[tokio::test(start_paused = true)]
async fn an_instance_boots_over_the_network_for_as_long_as_it_lives() {
    for kind in [
        BootInterface::Ipxe,
        BootInterface::Pxe,
        BootInterface::HttpIpxe,
    ] {
        let house = House::new();
        let mut node = netbooted(kind);
        node.provision_state = ProvisionState::Available;
        put(&house, &node, &[port()]).await;
        let conductor = house.conductor().await;
        let client = ironic_core::Client::local(&conductor);

        ask(&client, Verb::Deploy).await;
        reaches(&client, ProvisionState::Active).await;
        let config = house.found_config(kind).unwrap();
        assert!(
            config.contains("boot_ramdisk") && config.contains("console=ttyS1"),
            "{config}"
        );
        let root = if kind.is_ipxe() { "http" } else { "tftp" };
        let files = house.files();
        for label in ["kernel", "ramdisk"] {
            let path = format!("{root}/{}/{label}", node.uuid);
            assert_eq!(files[&path], format!("the own-{label}"), "{path}");
        }
        let device = if kind.is_http_boot() {
            "uefihttp always"
        } else {
            "pxe always"
        };
        assert_eq!(house.bmc.take_calls(), [device], "{kind:?}");
        assert!(house.told()[0].is_some());

        // Whoever takes over prepares again; the configuration that stands is kept.
        let (store, root) = if kind.is_ipxe() {
            (&house.http.inner, "http")
        } else {
            (&house.tftp.inner, "tftp")
        };
        let text = format!("{config}# the operator was here\n");
        store
            .insert(&format!("{}/config", node.uuid), text)
            .unwrap();
        let files = house.files();
        assert!(files[&format!("{root}/{}/config", node.uuid)].contains("operator"));
        let mut task = conductor
            .tasks()
            .exclusive(node.uuid, "a take-over")
            .await
            .unwrap();
        task.driver()
            .boot
            .prepare_instance(&mut task)
            .await
            .unwrap();
        conductor.tasks().release(task).await.unwrap();
        assert_eq!(house.files(), files, "{kind:?}");
        assert_eq!(
            house.bmc.take_calls(),
            [""; 0],
            "a machine in service stays as it is"
        );

        ask(&client, Verb::Undeploy).await;
        reaches(&client, ProvisionState::Available).await;
        assert_eq!(house.own_files(), [""; 0], "{kind:?}");
        assert_eq!(house.told(), [None, None]);
        conductor.stop().await.unwrap();
    }
}
