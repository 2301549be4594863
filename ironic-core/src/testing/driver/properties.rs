use super::rig::{Rig, Verdict};

pub(super) async fn every_property_is_documented(rig: &Rig) -> Verdict {
    let task = rig.look().await;
    for (kind, interface) in rig.interfaces(&task).await {
        for (key, text) in interface.properties() {
            let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic());
            assert!(plain, "{kind} has a property {key:?}");
            let words = text.split_whitespace().count();
            assert!(words > 1, "{kind} says of {key} no more than {text:?}");
        }
    }
    Ok(())
}

pub(super) async fn the_working_node_is_documented(rig: &Rig) -> Verdict {
    let task = rig.look().await;
    let mut known = std::collections::BTreeSet::new();
    for (_, interface) in rig.interfaces(&task).await {
        known.extend(interface.properties().into_keys());
    }
    for key in task.node().driver_info.keys() {
        assert!(known.contains(key), "no interface says that it reads {key}");
    }
    for key in rig.machine.required() {
        assert!(known.contains(key), "no interface says that it reads {key}");
    }
    Ok(())
}

pub(super) async fn properties_never_change(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let all = |task: &crate::driver::Task| {
        let kinds = rig.machine.kinds().into_iter();
        let interfaces = kinds.map(|kind| task.driver().interface(kind));
        interfaces
            .map(|interface| (interface.properties(), interface.requires()))
            .collect::<Vec<_>>()
    };
    let before = all(&task);
    task.node_mut().driver_info.clear();
    assert_eq!(all(&task), before, "properties belong to the interface");
    Ok(())
}
