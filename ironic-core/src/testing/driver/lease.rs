use super::rig::{Rig, Verdict, lack};
use crate::driver::{Task, VirtualMediaDevice};
use crate::states::{BootDevice, BootMode, InterfaceKind, PowerTarget};
use crate::{Error, ErrorKind};

/// What was asked, what came of it, and how many messages the BMC had got by then.
struct Asked {
    what: String,
    answer: Result<(), Error>,
    messages: Option<u64>,
}

/// Asks for everything that goes to a BMC.
async fn ask_for_all(rig: &Rig, task: &mut Task) -> Vec<Asked> {
    let (driver, kinds) = (task.driver(), rig.machine.kinds());
    let mut asked = Vec::new();
    let mut note = |what: &str, answer| {
        asked.push(Asked {
            what: what.to_owned(),
            answer,
            messages: rig.machine.messages(),
        });
    };
    if kinds.contains(&InterfaceKind::Power) {
        let read = driver.power.get_power_state(task).await;
        note("get_power_state", read.map(drop));
        for target in driver.power.supported_targets(task) {
            let set = driver.power.set_power_state(task, target, None).await;
            note(&format!("set_power_state {target}"), set);
        }
    }
    if kinds.contains(&InterfaceKind::Management) {
        let management = &driver.management;
        let read = management.get_boot_device(task).await;
        note("get_boot_device", read.map(drop));
        let set = management.set_boot_device(task, BootDevice::Pxe, false);
        note("set_boot_device", set.await);
        let read = management.get_boot_mode(task).await;
        note("get_boot_mode", read.map(drop));
        let set = management.set_boot_mode(task, BootMode::Uefi);
        note("set_boot_mode", set.await);
        let read = management.get_secure_boot(task).await;
        note("get_secure_boot", read.map(drop));
        let set = management.set_secure_boot(task, false);
        note("set_secure_boot", set.await);
        note("inject_nmi", management.inject_nmi(task).await);
        note("sensors", management.sensors(task).await.map(drop));
        let read = management.mac_addresses(task).await;
        note("mac_addresses", read.map(drop));
        let read = management.supported_indicators(task).await;
        note("supported_indicators", read.map(drop));
        let read = management.virtual_media(task).await;
        note("virtual_media", read.map(drop));
        let (device, url) = (VirtualMediaDevice::Cdrom, "http://192.0.2.1/boot.iso");
        let set = management.attach_virtual_media(task, device, url);
        note("attach_virtual_media", set.await);
        let set = management.detach_virtual_media(task, &[]);
        note("detach_virtual_media", set.await);
    }
    asked
}

/// # Errors
/// When nothing under test talks to a BMC.
fn needs_bmc(rig: &Rig) -> Verdict {
    let kinds = rig.machine.kinds();
    let talks = |kind| kinds.contains(&kind);
    if talks(InterfaceKind::Power) || talks(InterfaceKind::Management) {
        return Ok(());
    }
    Err(lack("nothing under test talks to a BMC"))
}

pub(super) async fn nothing_is_sent_without_a_lease(rig: &Rig) -> Verdict {
    needs_bmc(rig)?;
    rig.messages()?;
    let mut task = rig.task().await;
    // With whatever is kept from an operation before: a session, a connection.
    rig.expect_working(&mut task, "a working start").await;
    let before = rig.messages()?;
    rig.revoke_lease();
    for Asked { what, messages, .. } in ask_for_all(rig, &mut task).await {
        let sent = messages.map(|now| now - before);
        assert_eq!(sent, Some(0), "messages by {what} without a lease");
    }
    Ok(())
}

pub(super) async fn a_lost_lease_is_said_to_be_passing(rig: &Rig) -> Verdict {
    needs_bmc(rig)?;
    let mut task = rig.task().await;
    rig.revoke_lease();
    let mut refusals = 0;
    for Asked { what, answer, .. } in ask_for_all(rig, &mut task).await {
        let power = what.contains("power");
        let Err(error) = answer else {
            assert!(!power, "{what} succeeds without a lease");
            continue;
        };
        rig.expect_discreet(&error, &[]);
        if error.kind() == ErrorKind::Unsupported && !power {
            continue;
        }
        let kind = error.kind();
        assert_eq!(kind, ErrorKind::Unreachable, "{what}: {error}");
        refusals += 1;
    }
    assert!(refusals > 0, "nothing asks for leave");
    Ok(())
}

pub(super) async fn a_new_lease_is_enough(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    rig.revoke_lease();
    let _ = ask_for_all(rig, &mut task).await;
    rig.extend_lease();
    rig.expect_working(&mut task, "a new lease").await;
    rig.switch(&mut task, PowerTarget::On).await;
    let state = PowerTarget::On.result();
    rig.expect_power(&task, state, "a new lease").await;
    Ok(())
}
