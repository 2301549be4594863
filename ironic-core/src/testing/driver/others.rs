//! The interfaces that are neither power nor management.

use super::hostile::values;
use super::rig::{Rig, Verdict, is_refusal, lack, not_the_drivers};
use crate::driver::{NetworkRole, RamdiskParams, Task};
use crate::model::JsonMap;
use crate::states::{FlowKind, InterfaceKind};
use crate::{Error, ErrorKind};

/// Calls something three times, and fails unless it succeeds each time and leaves the node the
/// second and the third time as the first.
async fn again(
    rig: &Rig,
    task: &mut Task,
    what: &str,
    mut call: impl AsyncFnMut(&mut Task) -> Result<(), Error>,
) {
    rig.done(call(task).await, what);
    let once = task.node().clone();
    for time in ["a second time", "a third time"] {
        rig.done(call(task).await, &format!("{what}, {time}"));
        assert_eq!(*task.node(), once, "the node after {what}, {time}");
    }
}

pub(super) async fn boot_may_be_asked_for_again(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Boot).await?;
    let mut task = rig.task().await;
    let boot = task.driver().boot.clone();
    let before = not_the_drivers(task.node());
    let params: RamdiskParams = [("ipa-api-url".to_owned(), "http://192.0.2.1".to_owned())].into();
    let t = &mut task;
    again(rig, t, "prepare_ramdisk", async |t| {
        boot.prepare_ramdisk(t, &params).await
    })
    .await;
    again(rig, t, "clean_up_ramdisk", async |t| {
        boot.clean_up_ramdisk(t).await
    })
    .await;
    again(rig, t, "prepare_instance", async |t| {
        boot.prepare_instance(t).await
    })
    .await;
    again(rig, t, "clean_up_instance", async |t| {
        boot.clean_up_instance(t).await
    })
    .await;
    rig.done(boot.validate_inspection(&task).await, "validate_inspection");
    rig.done(boot.validate_rescue(&task).await, "validate_rescue");
    let after = not_the_drivers(task.node());
    assert_eq!(after, before, "what is no driver's to change");
    Ok(())
}

pub(super) async fn booting_switches_no_power(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Boot).await?;
    let mut task = rig.task().await;
    let (boot, params) = (task.driver().boot.clone(), RamdiskParams::new());
    let before = rig.read_power(&task).await;
    rig.done(boot.prepare_ramdisk(&mut task, &params).await, "ramdisk");
    rig.done(boot.clean_up_ramdisk(&mut task).await, "its clean-up");
    rig.done(boot.prepare_instance(&mut task).await, "instance");
    rig.done(boot.clean_up_instance(&mut task).await, "its clean-up");
    let after = rig.read_power(&task).await;
    assert_eq!(after, before, "the power, which is not boot's to switch");
    Ok(())
}

pub(super) async fn deploy_may_be_asked_for_again(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Deploy).await?;
    let mut task = rig.task().await;
    let deploy = task.driver().deploy.clone();
    let t = &mut task;
    again(rig, t, "prepare", async |t| {
        deploy.prepare(t).await.map(drop)
    })
    .await;
    again(rig, t, "clean_up", async |t| deploy.clean_up(t).await).await;
    again(rig, t, "take_over", async |t| deploy.take_over(t).await).await;
    for flow in [FlowKind::Clean, FlowKind::Service] {
        let ready = async |t: &mut Task| deploy.prepare_steps(t, flow).await.map(drop);
        again(rig, t, "prepare_steps", ready).await;
        let over = async |t: &mut Task| deploy.tear_down_steps(t, flow).await;
        again(rig, t, "tear_down_steps", over).await;
    }
    again(rig, t, "tear_down", async |t| {
        deploy.tear_down(t).await.map(drop)
    })
    .await;
    Ok(())
}

pub(super) async fn inspection_may_be_asked_for_again(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Inspect).await?;
    let mut task = rig.task().await;
    let inspect = task.driver().inspect.clone();
    let t = &mut task;
    again(rig, t, "inspect_hardware", async |t| {
        inspect.inspect_hardware(t).await.map(drop)
    })
    .await;
    again(rig, t, "abort", async |t| inspect.abort(t).await).await;
    Ok(())
}

pub(super) async fn networks_may_be_asked_for_again(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Network).await?;
    let mut task = rig.task().await;
    let network = task.driver().network.clone();
    for role in NetworkRole::ALL.iter().copied() {
        let t = &mut task;
        again(rig, t, "connect", async |t| network.connect(t, role).await).await;
        again(rig, t, "disconnect", async |t| {
            network.disconnect(t, role).await
        })
        .await;
    }
    rig.done(network.list_vifs(&task).await, "list_vifs");
    Ok(())
}

pub(super) async fn volumes_may_be_asked_for_again(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Storage).await?;
    let mut task = rig.task().await;
    let storage = task.driver().storage.clone();
    let write = storage.should_write_image(&task);
    let t = &mut task;
    again(rig, t, "attach_volumes", async |t| {
        storage.attach_volumes(t).await
    })
    .await;
    again(rig, t, "detach_volumes", async |t| {
        storage.detach_volumes(t).await
    })
    .await;
    assert_eq!(storage.should_write_image(&task), write);
    Ok(())
}

pub(super) async fn a_console_may_be_asked_for_again(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Console).await?;
    let mut task = rig.task().await;
    let console = task.driver().console.clone();
    let t = &mut task;
    again(rig, t, "stopping none", async |t| console.stop(t).await).await;
    again(rig, t, "start", async |t| console.start(t).await).await;
    rig.done(console.get(t).await, "get");
    again(rig, t, "stop", async |t| console.stop(t).await).await;
    Ok(())
}

pub(super) async fn rescue_may_be_asked_for_again(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Rescue).await?;
    let mut task = rig.task().await;
    let rescue = task.driver().rescue.clone();
    let t = &mut task;
    again(rig, t, "rescue", async |t| rescue.rescue(t).await.map(drop)).await;
    again(rig, t, "clean_up", async |t| rescue.clean_up(t).await).await;
    again(rig, t, "unrescue", async |t| {
        rescue.unrescue(t).await.map(drop)
    })
    .await;
    Ok(())
}

pub(super) async fn settings_and_versions_may_be_read_again(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let kinds = rig.interfaces(&task).await;
    let has = |kind| kinds.iter().any(|(present, _)| *present == kind);
    if !has(InterfaceKind::Bios) && !has(InterfaceKind::Firmware) {
        return Err(lack("there is no bios or firmware interface under test"));
    }
    let driver = task.driver();
    let t = &mut task;
    if has(InterfaceKind::Bios) {
        again(rig, t, "cache_settings", async |t| {
            driver.bios.cache_settings(t).await
        })
        .await;
    }
    if has(InterfaceKind::Firmware) {
        let read = async |t: &mut Task| driver.firmware.cache_components(t).await;
        again(rig, t, "cache_components", read).await;
    }
    Ok(())
}

pub(super) async fn raid_configurations_are_judged(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Raid).await?;
    let task = rig.look().await;
    let raid = task.driver().raid.clone();
    let mut refusals = 0;
    for (key, text) in raid.logical_disk_properties() {
        assert!(!key.is_empty() && text.len() > 1, "{key:?} is {text:?}");
    }
    for key in ["logical_disks", "raid_level", "size_gb", ""] {
        for value in values() {
            let config = JsonMap::from_iter([(key.to_owned(), value)]);
            if let Err(error) = raid.validate_config(&config) {
                refusals += 1;
                assert!(is_refusal(error.kind()), "{error}");
            }
        }
    }
    assert!(refusals > 0, "every configuration makes sense to it");
    Ok(())
}

pub(super) async fn vendor_methods_are_documented_and_known(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Vendor).await?;
    let mut task = rig.task().await;
    let vendor = task.driver().vendor.clone();
    for (name, method) in vendor.methods() {
        assert!(!name.is_empty() && !method.description.is_empty(), "{name}");
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        let all = method
            .http_methods
            .iter()
            .all(|m| known.contains(&m.as_str()));
        assert!(all && !method.http_methods.is_empty(), "{name}: {method:?}");
    }
    let args = JsonMap::new();
    for unknown in ["no such method", "", "é"] {
        let answer = vendor.call(&mut task, unknown, "POST", &args).await;
        let error = rig.refused(answer, unknown);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    Ok(())
}
