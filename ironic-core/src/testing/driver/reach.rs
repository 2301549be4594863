use futures::future::join_all;

use super::rig::{Rig, Verdict, lack, secrets_of};
use crate::states::{BootDevice, InterfaceKind, PowerState, PowerTarget};
use crate::{Error, ErrorKind};

const READERS: usize = 10;

pub(super) async fn reads_at_once_agree(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    rig.switch(&mut task, PowerTarget::On).await;
    let managed = rig.needs(InterfaceKind::Management).await.is_ok();
    if managed {
        rig.expect_working(&mut task, "the start").await;
    }
    let reads = (0..READERS).map(|_| async {
        let look = rig.look().await;
        let power = rig.read_power(&look).await;
        let boot = if managed {
            let management = look.driver().management.clone();
            let read = management.get_boot_device(&look).await;
            Some(rig.done(read, "reading the boot device"))
        } else {
            None
        };
        (power, boot)
    });
    let seen = join_all(reads).await;
    for read in &seen {
        assert_eq!(read.0, Some(PowerState::On));
        assert_eq!(read, &seen[0], "two reads at once");
    }
    Ok(())
}

pub(super) async fn a_read_during_a_switch_is_answered(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let (mut task, look) = (rig.task().await, rig.look().await);
    rig.switch(&mut task, PowerTarget::Off).await;
    let reads = async {
        for _ in 0..5 {
            rig.read_power(&look).await;
        }
    };
    tokio::join!(rig.switch(&mut task, PowerTarget::On), reads);
    rig.expect_power(&task, PowerState::On, "both").await;
    Ok(())
}

fn expect_gone<T: std::fmt::Debug>(rig: &Rig, answer: Result<T, Error>, what: &str) {
    let error = rig.refused(answer, what);
    let kind = error.kind();
    assert!(
        matches!(kind, ErrorKind::Unreachable | ErrorKind::Timeout),
        "{what} with the BMC gone is {kind}: {error}"
    );
    assert!(error.is_retryable(), "{error}");
}

pub(super) async fn a_bmc_that_has_gone_is_unreachable(rig: &Rig) -> Verdict {
    let kinds = rig.machine.kinds();
    let mut task = rig.task().await;
    if !rig.machine.unplug().await {
        return Err(lack("its BMC cannot be unplugged"));
    }
    let (driver, before) = (task.driver(), task.node().clone());
    if kinds.contains(&InterfaceKind::Power) {
        let read = driver.power.get_power_state(&task);
        expect_gone(rig, rig.soon("get_power_state", read).await, "a read");
        let set = driver
            .power
            .set_power_state(&mut task, PowerTarget::On, None);
        expect_gone(rig, rig.soon("set_power_state", set).await, "a switch");
    }
    if kinds.contains(&InterfaceKind::Management) {
        let read = driver.management.get_boot_device(&task);
        expect_gone(rig, rig.soon("get_boot_device", read).await, "a read");
        let set = driver
            .management
            .set_boot_device(&mut task, BootDevice::Pxe, false);
        expect_gone(rig, rig.soon("set_boot_device", set).await, "a change");
    }
    assert_eq!(*task.node(), before, "the node of a BMC that has gone");
    Ok(())
}

pub(super) async fn a_bmc_that_is_back_is_found(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    rig.expect_working(&mut task, "the start").await;
    if !rig.machine.unplug().await {
        return Err(lack("its BMC cannot be unplugged"));
    }
    let power = task.driver().power.clone();
    let read = rig.soon("a read", power.get_power_state(&task)).await;
    expect_gone(rig, read, "a read");
    rig.machine.plug_in().await;
    // What was kept from before may be of no use: that may cost one attempt.
    let _ = rig.soon("a read", power.get_power_state(&task)).await;
    rig.expect_working(&mut task, "the BMC was away").await;
    Ok(())
}

pub(super) async fn wrong_credentials_are_said(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let wrong = rig.machine.wrong_credentials();
    let wrong = wrong.ok_or_else(|| lack("it takes any credentials"))?;
    let (mut task, secrets) = (rig.task().await, secrets_of(&wrong));
    let right = std::mem::replace(&mut task.node_mut().driver_info, wrong);
    let power = task.driver().power.clone();
    let read = rig.soon("a read", power.get_power_state(&task)).await;
    let error = rig.refused(read, "a read with wrong credentials");
    rig.expect_discreet(&error, &secrets);
    assert!(
        !error.is_retryable(),
        "tried again, it locks the account: {error}"
    );
    let text = error.to_string().to_lowercase();
    let words = ["password", "credential", "authentic", "access", "user"];
    let clear = words.iter().any(|word| text.contains(word));
    assert!(clear, "what is wrong? {error}");
    task.node_mut().driver_info = right;
    rig.expect_working(&mut task, "wrong credentials").await;
    Ok(())
}
