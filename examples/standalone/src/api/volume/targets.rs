use ironic_core::model::VolumeTarget;
use ironic_core::secret::masked;
use ironic_core::store::Filter;
use serde_json::{Map, Value, json};

use super::super::arguments::Arguments;
use super::super::caller::Caller;
use super::super::document::Member;
use super::super::fault::Fault;
use super::super::fields::{Fields, fields};
use super::super::patch::Patch;
use super::super::records::{Brevity, Governed, MASK, Resource};
use super::super::schema::{Is, Schema};
use super::super::version::Version;
use super::super::version::since::VOLUME;
use super::{FILTERS, TAG, check_patch, of_node};

/// Who may see how a volume is reached.
const PROPERTIES: &str = "baremetal:volume:view_target_properties";

impl Resource for VolumeTarget {
    const PATH: &'static str = "volume/targets";
    const LIST: &'static str = "targets";
    const POLICY: &'static str = "volume";
    const GOVERNED: Governed = Governed::ByNode;
    const FIELDS: Fields = fields! {
        "uuid" since VOLUME, Null, takes(Is::Uuid), brief;
        "node_uuid" since VOLUME, Null, takes(Is::RequiredUuid), required, patchable, unordered, brief;
        "volume_type" since VOLUME, Null, takes(Is::RequiredText), required, patchable, brief;
        "boot_index" since VOLUME, Null, takes(Is::Integer), required, patchable, brief;
        "volume_id" since VOLUME, Null, takes(Is::RequiredText), required, patchable, brief;

        "created_at" since VOLUME, Null;
        "extra" since VOLUME, Object, takes(Is::Object), patchable, unordered;
        "properties" since VOLUME, Object, takes(Is::Object), patchable, unordered;
        "updated_at" since VOLUME, Null;
    };
    const BODY: Schema = Schema::new("volume target", Self::FIELDS);
    const TAG: &'static str = TAG;
    const NAMED: bool = false;
    const FILTERS: &'static [Member] = FILTERS;
    const BREVITY: Brevity = Brevity::BriefFromTheStart;

    fn check_patch(version: Version, patch: &Patch) -> Result<(), Fault> {
        check_patch(Self::FIELDS, version, patch)
    }

    async fn filter(caller: &Caller, query: &mut Arguments) -> Result<Filter, Fault> {
        of_node(caller, query).await
    }

    fn dress(&self, caller: &Caller, shown: &mut Map<String, Value>) {
        if !caller.may(PROPERTIES) {
            let kept = format!("** kept back: the policy {PROPERTIES} forbids it **");
            shown.insert("properties".to_owned(), json!({"redacted_contents": kept}));
            return;
        }
        if let Some(Value::Object(properties)) = shown.get_mut("properties") {
            *properties = masked(properties, MASK);
        }
    }
}
