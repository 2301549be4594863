use std::time::Duration;

use super::rig::{Rig, Verdict, lack, not_the_drivers};
use crate::ErrorKind;
use crate::states::{InterfaceKind, PowerState, PowerTarget};

const ON: PowerState = PowerState::On;
const OFF: PowerState = PowerState::Off;

pub(super) async fn the_state_set_is_the_state_read(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    for target in [PowerTarget::On, PowerTarget::Off, PowerTarget::On] {
        rig.switch(&mut task, target).await;
        let state = target.result();
        rig.expect_power(&task, state, &format!("{target}")).await;
    }
    Ok(())
}

pub(super) async fn setting_what_is_set_is_no_error(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    for target in [PowerTarget::On, PowerTarget::Off] {
        for time in ["once", "twice", "three times"] {
            rig.switch(&mut task, target).await;
            let after = format!("{target}, {time}");
            rig.expect_power(&task, target.result(), &after).await;
        }
    }
    Ok(())
}

pub(super) async fn a_reboot_ends_on(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    for before in [PowerTarget::Off, PowerTarget::On] {
        rig.switch(&mut task, before).await;
        rig.switch(&mut task, PowerTarget::Reboot).await;
        let after = format!("a reboot from {before}");
        rig.expect_power(&task, ON, &after).await;
    }
    Ok(())
}

pub(super) async fn soft_targets_end_where_they_say(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    let supported = task.driver().power.supported_targets(&task);
    let soft = [PowerTarget::SoftReboot, PowerTarget::SoftOff];
    let soft: Vec<_> = soft.iter().filter(|t| supported.contains(t)).collect();
    if soft.is_empty() {
        return Err(lack("it has no soft targets"));
    }
    for target in soft {
        rig.switch(&mut task, PowerTarget::On).await;
        rig.switch(&mut task, *target).await;
        let state = target.result();
        rig.expect_power(&task, state, &format!("{target}")).await;
    }
    Ok(())
}

pub(super) async fn targets_are_listed_once(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let task = rig.look().await;
    let mut targets = task.driver().power.supported_targets(&task);
    for needed in [PowerTarget::On, PowerTarget::Off, PowerTarget::Reboot] {
        assert!(
            targets.contains(&needed),
            "no machine does without {needed}"
        );
    }
    let listed = targets.len();
    targets.sort();
    targets.dedup();
    assert_eq!(targets.len(), listed, "a target is listed twice");
    Ok(())
}

pub(super) async fn unsupported_targets_are_refused(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    let power = task.driver().power.clone();
    let supported = power.supported_targets(&task);
    let all = PowerTarget::ALL.iter().copied();
    let others: Vec<_> = all.filter(|t| !supported.contains(t)).collect();
    if others.is_empty() {
        return Err(lack("it supports every target"));
    }
    let before = rig.machine.messages();
    for target in others {
        let what = format!("switching to {target}");
        let answer = power.set_power_state(&mut task, target, None).await;
        let error = rig.refused(answer, &what);
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::Unsupported | ErrorKind::InvalidParameter),
            "{what} is refused as {kind}: {error}"
        );
        rig.expect_nothing_sent(before.unwrap_or(0), &what);
    }
    Ok(())
}

pub(super) async fn reading_power_changes_nothing(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    for target in [PowerTarget::On, PowerTarget::Off] {
        rig.switch(&mut task, target).await;
        let before = task.node().clone();
        for _ in 0..5 {
            rig.expect_power(&task, target.result(), "reading").await;
        }
        assert_eq!(*task.node(), before, "the node after reading");
    }
    Ok(())
}

pub(super) async fn what_the_button_did_is_read(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let task = rig.look().await;
    for state in [ON, OFF, ON] {
        if !rig.machine.press_button(state).await {
            return Err(lack("it has no button"));
        }
        let after = format!("somebody made it {state}");
        rig.expect_power(&task, state, &after).await;
    }
    Ok(())
}

pub(super) async fn a_timeout_is_kept(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    rig.switch(&mut task, PowerTarget::Off).await;
    let power = task.driver().power.clone();
    let short = Duration::from_millis(1);
    let call = power.set_power_state(&mut task, PowerTarget::On, Some(short));
    // A machine may be as fast as that; else the error says what it was.
    if let Err(error) = rig.soon("a switch within 1 ms", call).await {
        rig.expect_discreet(&error, &[]);
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.is_retryable());
    }
    rig.switch(&mut task, PowerTarget::On).await;
    rig.expect_power(&task, ON, "a switch that was late").await;
    Ok(())
}

pub(super) async fn power_changes_nothing_of_the_engines(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let mut task = rig.task().await;
    let before = not_the_drivers(task.node());
    for target in [PowerTarget::On, PowerTarget::Reboot, PowerTarget::Off] {
        rig.switch(&mut task, target).await;
        let after = not_the_drivers(task.node());
        assert_eq!(after, before, "what is no driver's to change, {target}");
    }
    Ok(())
}
