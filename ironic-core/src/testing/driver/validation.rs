use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};

use super::hostile::{Dice, MARK, values};
use super::rig::{Rig, Verdict, is_refusal, lack};
use crate::Error;
use crate::driver::{Interface, Task};
use crate::model::JsonMap;
use crate::states::InterfaceKind;

/// Asks an interface about a `driver_info`, and fails if it panics, hangs, shows a secret, or
/// refuses in another way than `validate` may.
async fn judge(rig: &Rig, task: &Task, interface: &dyn Interface, what: &str) -> Option<Error> {
    let asked = std::panic::AssertUnwindSafe(interface.validate(task)).catch_unwind();
    let answer = match tokio::time::timeout(Duration::from_secs(10), asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => panic!("validate panics on {what}"),
        Err(_) => panic!("validate hangs on {what}"),
    };
    let error = answer.err()?;
    rig.expect_discreet(&error, &[MARK.to_owned()]);
    let kind = error.kind();
    assert!(is_refusal(kind), "{what} is refused as {kind}: {error}");
    assert!(
        error.to_string().len() < 10_000,
        "an error repeats all that was wrong: {what}"
    );
    Some(error)
}

fn shown(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

pub(super) async fn the_working_node_is_valid(rig: &Rig) -> Verdict {
    let task = rig.look().await;
    let interfaces = rig.interfaces(&task).await;
    assert!(!interfaces.is_empty(), "nothing is under test");
    for (kind, interface) in interfaces {
        rig.done(interface.validate(&task).await, &format!("{kind}.validate"));
    }
    Ok(())
}

pub(super) async fn an_empty_driver_info_is_refused_by_name(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let interfaces = rig.interfaces(&task).await;
    task.node_mut().driver_info.clear();
    let mut refusals = 0;
    for (kind, interface) in interfaces {
        let refusal = judge(rig, &task, &*interface, "an empty driver_info").await;
        let Some(error) = refusal else { continue };
        refusals += 1;
        let text = error.to_string();
        let named = interface.properties().into_keys();
        let named = named.filter(|key| text.contains(key.as_str())).count();
        assert!(named > 0, "{kind} names no property of its own: {text}");
    }
    if refusals == 0 {
        assert!(
            rig.machine.required().is_empty(),
            "what is required is missed by nobody"
        );
        return Err(lack("an empty driver_info is enough"));
    }
    Ok(())
}

pub(super) async fn each_required_property_is_missed(rig: &Rig) -> Verdict {
    let required = rig.machine.required();
    if required.is_empty() {
        return Err(lack("no property is required"));
    }
    let mut task = rig.task().await;
    let interfaces = rig.interfaces(&task).await;
    let complete = task.node().driver_info.clone();
    for key in required {
        for left in [None, Some(Value::Null), Some(json!(""))] {
            let mut info = complete.clone();
            match &left {
                None => info.remove(key),
                Some(value) => info.insert(key.to_owned(), value.clone()),
            };
            task.node_mut().driver_info = info;
            for (kind, interface) in &interfaces {
                if !interface.properties().contains_key(key) {
                    continue;
                }
                let what = format!("{key} as {left:?}");
                let error = judge(rig, &task, &**interface, &what).await;
                let error = error.unwrap_or_else(|| panic!("{kind} does without {what}"));
                assert!(
                    error.to_string().contains(key),
                    "{kind} does not name {key}: {error}"
                );
            }
        }
    }
    Ok(())
}

/// Calls `with` with every interface, property and hostile value in turn, the value being set.
async fn with_each_value(
    rig: &Rig,
    mut with: impl AsyncFnMut(&Task, &dyn Interface, &str, &Value),
) {
    let mut task = rig.task().await;
    let complete = task.node().driver_info.clone();
    for (_, interface) in rig.interfaces(&task).await {
        for key in interface.properties().into_keys() {
            for value in values() {
                let mut info = complete.clone();
                info.insert(key.clone(), value.clone());
                task.node_mut().driver_info = info;
                with(&task, &*interface, &key, &value).await;
            }
        }
    }
}

pub(super) async fn a_value_of_no_use_is_refused_by_name(rig: &Rig) -> Verdict {
    let mut refusals = 0;
    with_each_value(rig, async |task, interface, key, value| {
        let what = format!("{key} as {}", shown(value));
        if let Some(error) = judge(rig, task, interface, &what).await {
            refusals += 1;
            let text = error.to_string();
            assert!(text.contains(key), "{what} is refused as {text}");
        }
    })
    .await;
    if refusals == 0 {
        return Err(lack("every value is taken"));
    }
    Ok(())
}

pub(super) async fn hostile_values_are_survived(rig: &Rig) -> Verdict {
    let mut seen = 0;
    with_each_value(rig, async |task, interface, key, value| {
        judge(rig, task, interface, &format!("{key} as {}", shown(value))).await;
        seen += 1;
    })
    .await;
    if seen == 0 {
        return Err(lack("no property is read"));
    }
    Ok(())
}

pub(super) async fn random_driver_info_is_survived(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let interfaces = rig.interfaces(&task).await;
    let mut keys: Vec<String> = Vec::new();
    for (_, interface) in &interfaces {
        keys.extend(interface.properties().into_keys());
    }
    if keys.is_empty() {
        return Err(lack("no property is read"));
    }
    let (dice, values) = (Dice::new(1), values());
    for round in 0..500 {
        let mut info = JsonMap::new();
        for key in &keys {
            let value = match () {
                () if dice.one_in(3) => continue,
                () if dice.one_in(3) => json!(dice.text()),
                () => dice.pick(&values).clone(),
            };
            info.insert(key.clone(), value);
        }
        task.node_mut().driver_info = info;
        for (kind, interface) in &interfaces {
            judge(rig, &task, &**interface, &format!("{kind}, round {round}")).await;
        }
    }
    Ok(())
}

pub(super) async fn validating_sends_nothing(rig: &Rig) -> Verdict {
    let before = rig.messages()?;
    let task = rig.look().await;
    for (_, interface) in rig.interfaces(&task).await {
        let _ = interface.validate(&task).await;
    }
    with_each_value(rig, async |task, interface, _, _| {
        let _ = interface.validate(task).await;
    })
    .await;
    rig.expect_nothing_sent(before, "validating");
    Ok(())
}

pub(super) async fn what_is_not_valid_is_not_sent(rig: &Rig) -> Verdict {
    rig.needs(InterfaceKind::Power).await?;
    let before = rig.messages()?;
    let required = rig.machine.required();
    if required.is_empty() {
        return Err(lack("no property is required"));
    }
    let mut task = rig.task().await;
    let complete = task.node().driver_info.clone();
    for key in required {
        let mut info = complete.clone();
        info.remove(key);
        task.node_mut().driver_info = info;
        let power = task.driver().power.clone();
        let what = format!("power without {key}");
        let error = rig.refused(power.get_power_state(&task).await, &what);
        assert!(is_refusal(error.kind()), "{what}: {error}");
        rig.expect_nothing_sent(before, &what);
    }
    Ok(())
}
