use super::rig::{Rig, Verdict};
use crate::Error;
use crate::driver::Task;
use crate::states::{InterfaceKind, PowerTarget};
use crate::testing::polls::at_most_polls;

/// Drops a call after one poll, after two, and so on until it ends by itself; after each, `check`.
async fn drop_at_each_poll(
    rig: &Rig,
    task: &mut Task,
    what: &str,
    mut call: impl AsyncFnMut(&mut Task) -> Result<(), Error>,
) {
    for polls in 1..=rig.machine.cancellations() {
        let ended = at_most_polls(call(task), polls).await;
        let after = format!("{what} dropped at poll {polls}");
        rig.soon(&after, rig.expect_working(task, &after)).await;
        if let Some(answer) = ended {
            rig.done(answer, what);
            return;
        }
    }
}

pub(super) async fn dropped_reads_leave_a_working_node(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    let driver = task.driver();
    drop_at_each_poll(rig, &mut task, "get_power_state", async |task| {
        driver.power.get_power_state(task).await.map(drop)
    })
    .await;
    if rig.needs(InterfaceKind::Management).await.is_ok() {
        drop_at_each_poll(rig, &mut task, "get_boot_device", async |task| {
            driver.management.get_boot_device(task).await.map(drop)
        })
        .await;
    }
    Ok(())
}

pub(super) async fn a_dropped_switch_leaves_a_working_node(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    let driver = task.driver();
    for target in [PowerTarget::On, PowerTarget::Reboot, PowerTarget::Off] {
        drop_at_each_poll(rig, &mut task, target.as_str(), async |task| {
            driver.power.set_power_state(task, target, None).await
        })
        .await;
        rig.switch(&mut task, target).await;
        let after = format!("{target} after having been dropped");
        rig.expect_power(&task, target.result(), &after).await;
    }
    Ok(())
}

pub(super) async fn a_dropped_boot_device_leaves_a_working_node(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    let devices = rig.devices(&task).await?;
    for device in devices.into_iter().rev().take(2) {
        drop_at_each_poll(rig, &mut task, device.as_str(), async |task| {
            management.set_boot_device(task, device, true).await
        })
        .await;
        let set = management.set_boot_device(&mut task, device, true).await;
        rig.done(set, "setting it after all");
        let read = rig.done(management.get_boot_device(&task).await, "reading it");
        assert_eq!(read.device, Some(device), "after having been dropped");
    }
    Ok(())
}
