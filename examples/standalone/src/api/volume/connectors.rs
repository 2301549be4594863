use ironic_core::model::VolumeConnector;
use ironic_core::store::Filter;

use super::super::arguments::Arguments;
use super::super::caller::Caller;
use super::super::document::Member;
use super::super::fault::Fault;
use super::super::fields::{Fields, fields};
use super::super::patch::Patch;
use super::super::records::{Brevity, Governed, Resource};
use super::super::schema::{Is, Schema};
use super::super::version::Version;
use super::super::version::since::VOLUME;
use super::{FILTERS, TAG, check_patch, of_node};

impl Resource for VolumeConnector {
    const PATH: &'static str = "volume/connectors";
    const LIST: &'static str = "connectors";
    const POLICY: &'static str = "volume";
    const GOVERNED: Governed = Governed::ByNode;
    const FIELDS: Fields = fields! {
        "uuid" since VOLUME, Null, takes(Is::Uuid), brief;
        "node_uuid" since VOLUME, Null, takes(Is::RequiredUuid), required, patchable, unordered, brief;
        "type" since VOLUME, Null, takes(Is::RequiredText), required, patchable, brief;
        "connector_id" since VOLUME, Null, takes(Is::RequiredText), required, patchable, brief;

        "created_at" since VOLUME, Null;
        "extra" since VOLUME, Object, takes(Is::Object), patchable, unordered;
        "updated_at" since VOLUME, Null;
    };
    const BODY: Schema = Schema::new("volume connector", Self::FIELDS);
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
}
