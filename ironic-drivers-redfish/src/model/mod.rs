//! Redfish resources (DSP0268), as much of them as is used, read tolerantly: every member is
//! optional and unknown ones are kept in `rest`.

mod boot;
mod common;
mod computer_system;
mod ethernet_interface;
mod secure_boot;
mod service_root;
mod task;
pub(crate) mod tolerant;
mod values;

pub use boot::Boot;
pub use common::{Action, ActionInfo, ActionParameter, Collection, Link, Settings, Status};
pub use computer_system::{
    ComputerSystem, MemorySummary, ProcessorSummary, SystemActions, SystemLinks,
};
pub use ethernet_interface::EthernetInterface;
pub use secure_boot::SecureBoot;
pub use service_root::{ServiceRoot, ServiceRootLinks};
pub use task::Task;
pub use values::{BootSource, IndicatorLed, OverrideEnabled, OverrideMode, PowerState, ResetType};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Number, Value};

    use super::{
        Boot, Collection, ComputerSystem, EthernetInterface, SecureBoot, ServiceRoot, Task,
    };

    /// Any JSON, its members often named as the models' are.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>()
                .prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
            ".{0,12}".prop_map(Value::from),
        ];
        let name = prop_oneof![
            "(Boot|Members|Status|Actions|Links|PowerState|MemorySummary|TotalSystemMemoryGiB|@odata.id|UUID|TaskState|Messages)",
            "(@Redfish.Settings|SettingsObject|#ComputerSystem.Reset|BootSourceOverrideTarget(@Redfish.AllowableValues)?)",
            ".{0,8}",
        ];
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(name.clone(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_object_is_a_resource(json in any_json()) {
            let is_object = json.is_object();
            let outcomes = [
                serde_json::from_value::<ComputerSystem>(json.clone()).is_ok(),
                serde_json::from_value::<Boot>(json.clone()).is_ok(),
                serde_json::from_value::<Collection>(json.clone()).is_ok(),
                serde_json::from_value::<EthernetInterface>(json.clone()).is_ok(),
                serde_json::from_value::<SecureBoot>(json.clone()).is_ok(),
                serde_json::from_value::<ServiceRoot>(json.clone()).is_ok(),
                serde_json::from_value::<Task>(json).is_ok(),
            ];
            prop_assert_eq!(outcomes, [is_object; 7]);
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = serde_json::from_slice::<ComputerSystem>(&bytes);
        }
    }
}
