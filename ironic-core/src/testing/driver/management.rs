use super::rig::{Rig, Verdict, lack, not_the_drivers};
use crate::ErrorKind;
use crate::driver::{IndicatorState, VirtualMediaDevice};
use crate::states::{BootDevice, BootMode, InterfaceKind, PowerTarget};

pub(super) async fn boot_devices_are_listed_once(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let task = rig.look().await;
    let mut devices = rig.supported_devices(&task).await;
    assert!(!devices.is_empty(), "a machine boots from something");
    for device in rig.devices(&task).await.unwrap_or_default() {
        assert!(devices.contains(&device), "{device} is not listed");
    }
    let listed = devices.len();
    devices.sort();
    devices.dedup();
    assert_eq!(devices.len(), listed, "a boot device is listed twice");
    Ok(())
}

pub(super) async fn each_boot_device_is_set_and_read(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    let working = rig.devices(&task).await?;
    for device in rig.supported_devices(&task).await {
        // Setting what is set already is no error.
        for (persistent, time) in [(false, "once"), (false, "twice"), (true, "for good")] {
            let what = format!("boot device {device}, {time}");
            let set = management.set_boot_device(&mut task, device, persistent);
            let set = set.await;
            if !working.contains(&device) {
                // This machine may say that it has no such device.
                if let Err(error) = set {
                    rig.expect_discreet(&error, &[]);
                    let kind = error.kind();
                    assert_eq!(kind, ErrorKind::InvalidParameter, "{what}: {error}");
                }
                continue;
            }
            rig.done(set, &what);
            let read = rig.done(management.get_boot_device(&task).await, &what);
            assert_eq!(read.device, Some(device), "what is read after {what}");
        }
    }
    Ok(())
}

pub(super) async fn the_persistent_flag_is_kept(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    if !rig.machine.keeps_persistence() {
        return Err(lack("it does not keep for how long"));
    }
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    for device in rig.devices(&task).await? {
        for persistent in [true, false, true] {
            let what = format!("boot device {device}, persistent {persistent}");
            let set = management.set_boot_device(&mut task, device, persistent);
            rig.done(set.await, &what);
            let read = rig.done(management.get_boot_device(&task).await, &what);
            assert_eq!(read.device, Some(device), "{what}");
            assert_eq!(read.persistent, Some(persistent), "{what}");
        }
    }
    Ok(())
}

pub(super) async fn unsupported_boot_devices_are_refused(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    let supported = rig.supported_devices(&task).await;
    let all = BootDevice::ALL.iter().copied();
    let others: Vec<_> = all.filter(|d| !supported.contains(d)).collect();
    if others.is_empty() {
        return Err(lack("it supports every boot device"));
    }
    let read = rig.done(management.get_boot_device(&task).await, "reading");
    let before = rig.machine.messages();
    for device in others {
        let what = format!("boot device {device}");
        let set = management.set_boot_device(&mut task, device, false).await;
        let error = rig.refused(set, &what);
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        let text = error.to_string();
        assert!(text.contains(device.as_str()), "which one? {text}");
        rig.expect_nothing_sent(before.unwrap_or(0), &what);
    }
    let after = rig.done(management.get_boot_device(&task).await, "reading");
    assert_eq!(after, read, "the boot device after the refusals");
    Ok(())
}

pub(super) async fn setting_a_boot_device_switches_no_power(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    for target in [PowerTarget::On, PowerTarget::Off] {
        rig.switch(&mut task, target).await;
        for device in rig.devices(&task).await? {
            let set = management.set_boot_device(&mut task, device, true).await;
            rig.done(set, "setting a boot device");
        }
        let after = "setting boot devices";
        rig.expect_power(&task, target.result(), after).await;
    }
    Ok(())
}

pub(super) async fn boot_modes_are_set_and_read_or_unsupported(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    rig.done(management.get_boot_mode(&task).await, "reading the mode");
    let mut unsupported = 0;
    for mode in [BootMode::Bios, BootMode::Uefi, BootMode::Uefi] {
        match management.set_boot_mode(&mut task, mode).await {
            Ok(()) => {
                let read = management.get_boot_mode(&task).await;
                let read = rig.done(read, "reading the mode");
                assert!(read.is_none_or(|read| read == mode), "{read:?}, not {mode}");
            }
            Err(error) => {
                rig.expect_discreet(&error, &[]);
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                unsupported += 1;
            }
        }
    }
    if unsupported == 3 {
        return Err(lack("it sets no boot mode"));
    }
    Ok(())
}

pub(super) async fn secure_boot_is_set_and_read_or_unsupported(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    rig.done(management.get_secure_boot(&task).await, "secure boot");
    let mut unsupported = 0;
    for on in [true, false, false] {
        match management.set_secure_boot(&mut task, on).await {
            Ok(()) => {
                let read = rig.done(management.get_secure_boot(&task).await, "secure boot");
                assert!(read.is_none_or(|read| read == on), "{read:?}, not {on}");
            }
            Err(error) => {
                rig.expect_discreet(&error, &[]);
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                unsupported += 1;
            }
        }
    }
    if unsupported == 3 {
        return Err(lack("it sets no secure boot"));
    }
    Ok(())
}

pub(super) async fn indicators_are_listed_set_and_read_or_unsupported(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    let indicators = match management.supported_indicators(&task).await {
        Ok(indicators) => indicators,
        Err(error) => {
            rig.expect_discreet(&error, &[]);
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            return Err(lack("it has no indicators"));
        }
    };
    for (component, lights) in &indicators {
        for (name, light) in lights {
            let what = format!("indicator {name} of {component}");
            assert!(!light.states.is_empty(), "{what} knows no state");
            let read = management.get_indicator(&task, *component, name).await;
            rig.done(read, &what);
            for state in light.states.iter().filter(|_| !light.readonly) {
                let set = management.set_indicator(&mut task, *component, name, *state);
                rig.done(set.await, &what);
                let read = management.get_indicator(&task, *component, name).await;
                assert_eq!(rig.done(read, &what), *state, "{what}");
            }
        }
        let (part, name) = (*component, "no such light");
        let what = "a light that is not there";
        let unknown = management.get_indicator(&task, part, name).await;
        let error = rig.refused(unknown, what);
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        let unknown = management.set_indicator(&mut task, part, name, IndicatorState::On);
        let error = rig.refused(unknown.await, what);
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    }
    Ok(())
}

pub(super) async fn virtual_media_come_and_go_or_unsupported(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    if let Err(error) = management.virtual_media(&task).await {
        rig.expect_discreet(&error, &[]);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        return Err(lack("it has no virtual media"));
    }
    let Some(url) = rig.machine.image_url() else {
        return Err(lack("there is no image for its virtual media"));
    };
    let device = VirtualMediaDevice::Cdrom;
    // What is there already gives way, and what is empty already stays empty.
    for _ in 0..2 {
        let attached = management.attach_virtual_media(&mut task, device, &url);
        rig.done(attached.await, "attaching");
        let slots = rig.done(management.virtual_media(&task).await, "reading slots");
        let full = slots.iter().filter(|slot| slot.is_inserted()).count();
        assert_eq!(full, 1, "{slots:?}");
    }
    for devices in [&[device][..], &[]] {
        let attached = management.attach_virtual_media(&mut task, device, &url);
        rig.done(attached.await, "attaching");
        for what in ["detaching", "detaching what is empty"] {
            let detached = management.detach_virtual_media(&mut task, devices);
            rig.done(detached.await, what);
            let slots = rig.done(management.virtual_media(&task).await, "reading slots");
            let full = slots.iter().any(|slot| slot.is_inserted());
            assert!(!full, "{what} of {devices:?} leaves {slots:?}");
        }
    }
    // A slot of a kind that the machine does not have is the caller's mistake, not the BMC's.
    let floppy = [VirtualMediaDevice::Floppy];
    let attached = management.attach_virtual_media(&mut task, floppy[0], &url);
    match attached.await {
        Ok(()) => {
            let detached = management.detach_virtual_media(&mut task, &floppy);
            rig.done(detached.await, "detaching a floppy");
        }
        Err(error) => {
            rig.expect_discreet(&error, &[]);
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        }
    }
    Ok(())
}

pub(super) async fn what_else_can_be_asked_is_answered_or_unsupported(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    let sensors = management.sensors(&task).await.map(drop);
    let addresses = management.mac_addresses(&task).await.map(drop);
    let interrupt = management.inject_nmi(&mut task).await;
    for (what, answer) in [
        ("sensors", sensors),
        ("mac_addresses", addresses),
        ("inject_nmi", interrupt),
    ] {
        let Err(error) = answer else { continue };
        rig.expect_discreet(&error, &[]);
        let kind = error.kind();
        // What the interface offers, this machine may still refuse.
        assert!(
            matches!(kind, ErrorKind::Unsupported | ErrorKind::Driver),
            "{what} is refused as {kind}: {error}"
        );
    }
    rig.expect_working(&mut task, "asking for all that").await;
    Ok(())
}

pub(super) async fn management_changes_nothing_of_the_engines(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Management).await?;
    let mut task = rig.task().await;
    let management = task.driver().management.clone();
    let before = not_the_drivers(task.node());
    for device in rig.devices(&task).await? {
        let set = management.set_boot_device(&mut task, device, true).await;
        rig.done(set, "setting a boot device");
        let read = management.get_boot_device(&task).await;
        rig.done(read, "reading the boot device");
    }
    let after = not_the_drivers(task.node());
    assert_eq!(after, before, "what is no driver's to change");
    Ok(())
}
