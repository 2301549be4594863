use ironic_core::model::Port;
use ironic_core::states::{InterfaceKind, ProvisionState};
use ironic_core::{Client, Conductor, Error, ErrorKind, Node};
use ironic_pxe::BootInterface;
use serde_json::json;

use crate::house::{HTTP, House, NODE, described, port, put};
use crate::ramdisk_deploy::netbooted;

type Describe = fn(BootInterface) -> Node;
type Change = fn(&mut House, &mut Node, &mut Vec<Port>);
// What is changed on what, the kind of error, and what it names.
type Case<'a> = (BootInterface, Describe, Change, ErrorKind, &'a [&'a str]);

async fn changed(kind: BootInterface, node: Describe, change: Change) -> Conductor {
    let mut house = House::new();
    let (mut node, mut ports) = (node(kind), vec![port()]);
    change(&mut house, &mut node, &mut ports);
    put(&house, &node, &ports).await;
    house.conductor().await
}

async fn validated(conductor: &Conductor) -> Result<(), Error> {
    let task = conductor.tasks().shared(NODE, "a test").await.unwrap();
    task.driver().boot.validate(&task).await
}

fn forget(node: &mut Node, keys: &[&str]) {
    for key in keys {
        node.driver_info.remove(*key);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_and_not_there_is_named() {
    use BootInterface::{Http, Ipxe, Pxe};
    let (missing, invalid, cannot) = (
        ErrorKind::MissingParameter,
        ErrorKind::InvalidParameter,
        ErrorKind::Unsupported,
    );
    let cases: [Case<'_>; 20] = [
        (
            Ipxe,
            described,
            |_, _, ports| ports.clear(),
            missing,
            &["ports"],
        ),
        (
            Ipxe,
            described,
            |_, _, ports| ports[0].pxe_enabled = false,
            missing,
            &["pxe_enabled"],
        ),
        (
            Ipxe,
            described,
            |_, node, _| forget(node, &["deploy_kernel"]),
            missing,
            &["deploy_kernel", "deploy_ramdisk"],
        ),
        (
            Ipxe,
            described,
            |house, node, _| {
                forget(node, &["deploy_kernel", "deploy_ramdisk"]);
                house.boot.ramdisks.deploy_kernel = Some(format!("{HTTP}/images/kernel"));
            },
            missing,
            &["deploy_ramdisk"],
        ),
        (
            Ipxe,
            described,
            |house, _, _| house.boot.http_url.clear(),
            missing,
            &["http_url"],
        ),
        (
            Http,
            described,
            |house, _, _| house.boot.http_url.clear(),
            missing,
            &["http_url"],
        ),
        (
            Pxe,
            described,
            |house, _, _| house.boot.tftp_server.clear(),
            missing,
            &["tftp_server"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.driver_info
                    .insert("deploy_kernel".into(), "http://u:hunter2@h/k".into());
            },
            invalid,
            &["deploy_kernel", "http://***@h/k"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.properties
                    .insert("capabilities".into(), "boot_mode:efi".into());
            },
            invalid,
            &["properties/capabilities", "boot_mode", "bios", "uefi"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.properties
                    .insert("capabilities".into(), "disk_label:apple".into());
            },
            invalid,
            &["disk_label", "gpt"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.instance_info
                    .insert("capabilities".into(), json!({"secure_boot": "yes"}));
            },
            invalid,
            &["instance_info/capabilities", "secure_boot"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.instance_info.insert("capabilities".into(), json!("{"));
            },
            invalid,
            &["instance_info/capabilities"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.properties
                    .insert("capabilities".into(), "boot_mode:bios".into());
                node.instance_info
                    .insert("capabilities".into(), json!({"boot_mode": "uefi"}));
            },
            invalid,
            &["boot_mode"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.driver_info
                    .insert("kernel_append_params".into(), "a=\"b".into());
            },
            invalid,
            &["driver_info/kernel_append_params"],
        ),
        (
            Pxe,
            described,
            |_, node, _| {
                node.instance_info
                    .insert("boot_iso".into(), "http://h/i".into());
            },
            invalid,
            &["boot_iso", "image_source"],
        ),
        (
            Ipxe,
            netbooted,
            |_, node, _| {
                node.instance_info.remove("ramdisk");
            },
            missing,
            &["ramdisk"],
        ),
        (
            Ipxe,
            netbooted,
            |_, node, _| node.instance_info.clear(),
            missing,
            &["kernel", "ramdisk"],
        ),
        (
            Ipxe,
            netbooted,
            |_, node, _| {
                node.instance_info
                    .insert("kernel".into(), "http://elsewhere/k".into());
            },
            invalid,
            &["kernel", "elsewhere"],
        ),
        (
            Ipxe,
            netbooted,
            |_, node, _| {
                // An image service that knows nothing of the image.
                let source = "21f1e5ca-8a90-4b6e-bdf0-722ee02b4539";
                node.instance_info = json!({"image_source": source}).as_object().unwrap().clone();
            },
            missing,
            &["kernel", "ramdisk", "image"],
        ),
        (
            Http,
            netbooted,
            |_, _, _| {},
            cannot,
            &["http", "over the network"],
        ),
    ];
    for (number, (kind, node, change, expected, named)) in cases.into_iter().enumerate() {
        let conductor = changed(kind, node, change).await;
        let error = validated(&conductor).await.unwrap_err();
        assert_eq!(error.kind(), expected, "case {number}: {error}");
        for word in named {
            assert!(error.to_string().contains(word), "case {number}: {error}");
        }
        assert!(!error.to_string().contains("hunter2"));
        conductor.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_enough() {
    let cases: [(Describe, Change); 5] = [
        (described, |_, _, _| {}),
        (described, |house, _, ports| {
            ports[0].pxe_enabled = false;
            house.boot.add_all_ports = true;
        }),
        (described, |house, node, _| {
            forget(node, &["deploy_kernel", "deploy_ramdisk"]);
            house.boot.ramdisks.deploy_kernel = Some(format!("{HTTP}/images/kernel"));
            house.boot.ramdisks.deploy_ramdisk = Some(format!("{HTTP}/images/ramdisk"));
        }),
        // An instance that boots its disk needs nothing more.
        (described, |_, node, _| node.instance_info.clear()),
        // Nothing is cleaned, so that no agent is ever booted.
        (netbooted, |_, node, _| {
            forget(node, &["deploy_kernel", "deploy_ramdisk"])
        }),
    ];
    for (node, change) in cases {
        let conductor = changed(BootInterface::Ipxe, node, change).await;
        validated(&conductor).await.unwrap();
        conductor.stop().await.unwrap();
    }
    let cleaned: Change = |house, node, _| {
        forget(node, &["deploy_kernel", "deploy_ramdisk"]);
        house.config.policy.automated_clean = true;
    };
    let conductor = changed(BootInterface::Ipxe, netbooted, cleaned).await;
    let error = validated(&conductor).await.unwrap_err();
    assert!(error.to_string().contains("deploy_kernel"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn inspection_and_rescue_need_what_they_boot() {
    let conductor = changed(BootInterface::Ipxe, described, |_, node, _| {
        node.provision_state = ProvisionState::Active;
    })
    .await;
    let task = conductor.tasks().shared(NODE, "a test").await.unwrap();
    let boot = task.driver().boot.clone();
    boot.validate_inspection(&task).await.unwrap();
    let error = boot.validate_rescue(&task).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingParameter);
    for word in ["rescue_kernel", "rescue_ramdisk"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    let conductor = changed(BootInterface::Ipxe, netbooted, |_, node, ports| {
        node.driver_info.clear();
        node.driver_info
            .insert("rescue_kernel".into(), format!("{HTTP}/k").into());
        node.driver_info
            .insert("rescue_ramdisk".into(), format!("{HTTP}/r").into());
        ports.clear();
    })
    .await;
    let task = conductor.tasks().shared(NODE, "a test").await.unwrap();
    let boot = task.driver().boot.clone();
    boot.validate_rescue(&task).await.unwrap();
    assert!(boot.validate_inspection(&task).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn callers_see_the_keys_of_the_field_and_the_reason() {
    let conductor = changed(BootInterface::Pxe, described, |_, node, _| {
        forget(node, &["deploy_kernel", "deploy_ramdisk"]);
    })
    .await;
    let task = conductor.tasks().shared(NODE, "a test").await.unwrap();
    let keys: Vec<_> = task.driver().boot.properties().into_keys().collect();
    assert_eq!(
        keys,
        [
            "deploy_kernel",
            "deploy_ramdisk",
            "force_persistent_boot_device",
            "kernel_append_params",
            "rescue_kernel",
            "rescue_ramdisk",
        ]
    );
    let results = Client::local(&conductor).validate(NODE).await.unwrap();
    let boot = &results[&InterfaceKind::Boot];
    assert_eq!(boot.result, Some(false));
    let reason = boot.reason.as_deref().unwrap();
    assert!(reason.contains("deploy_kernel, deploy_ramdisk"), "{reason}");
}
