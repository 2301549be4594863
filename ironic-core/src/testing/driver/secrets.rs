use serde_json::{Value, json};

use super::hostile::MARK;
use super::rig::{Rig, Verdict, lack};
use crate::secret::is_secret_key;

pub(super) async fn every_secret_is_under_a_key_that_is_masked(rig: &Rig) -> Verdict {
    let task = rig.look().await;
    for (kind, interface) in rig.interfaces(&task).await {
        for (key, text) in interface.properties() {
            let text = text.to_lowercase();
            let secret = ["password", "passphrase", "secret"]
                .iter()
                .any(|word| text.starts_with(word) || text.starts_with(&format!("the {word}")));
            assert!(
                !secret || is_secret_key(&key),
                "{kind} has a secret in {key}, whose name does not tell: it will be shown"
            );
        }
    }
    if rig.secrets().is_empty() {
        return Err(lack("its driver_info has no secrets"));
    }
    Ok(())
}

pub(super) async fn a_task_prints_no_secret(rig: &Rig) -> Verdict {
    let secrets = rig.secrets();
    if secrets.is_empty() {
        return Err(lack("its driver_info has no secrets"));
    }
    let task = rig.task().await;
    let driver = task.driver();
    let shown = format!("{task:?} {:?} {driver:?}", task.node());
    for secret in secrets {
        assert!(!shown.contains(&secret), "a secret is shown: {shown}");
    }
    Ok(())
}

pub(super) async fn refusals_tell_no_secret(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let interfaces = rig.interfaces(&task).await;
    let complete = task.node().driver_info.clone();
    let mut seen = 0;
    for (_, interface) in &interfaces {
        for key in interface.properties().into_keys() {
            if !is_secret_key(&key) && !key.contains("key") {
                continue;
            }
            for wrong in [
                json!(MARK),
                json!(MARK.repeat(1000)),
                json!([MARK]),
                json!({ MARK: MARK }),
                Value::Array(vec![json!({"password": MARK}); 3]),
            ] {
                let mut info = complete.clone();
                info.insert(key.clone(), wrong);
                task.node_mut().driver_info = info;
                seen += 1;
                if let Err(error) = interface.validate(&task).await {
                    rig.expect_discreet(&error, &[MARK.to_owned()]);
                }
            }
        }
    }
    if seen == 0 {
        return Err(lack("its driver_info has no secrets"));
    }
    Ok(())
}
