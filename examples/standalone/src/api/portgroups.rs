//! `/v1/portgroups`: network ports that act as one.

use axum::routing::MethodFilter;
use ironic_core::model::Portgroup;
use ironic_core::states::ProvisionState;
use ironic_core::store::Filter;
use serde_json::{Map, Value};

use super::arguments::Arguments;
use super::caller::Caller;
use super::document::{Member, Refusal, Routes, Shape, about, get, listed, refused};
use super::fault::Fault;
use super::fields::{Fields, fields};
use super::patch::Patch;
use super::ports;
use super::records::{
    Governed, Resource, about_detail, about_list, detail_of_node, detail_route, list_of_node,
};
use super::schema::{Is, Schema, TEXT};
use super::version::Version;
use super::version::since::{self, PORTGROUP_MODE, PORTGROUPS};

impl Resource for Portgroup {
    const PATH: &'static str = "portgroups";
    const LIST: &'static str = Self::PATH;
    const POLICY: &'static str = "portgroup";
    const GOVERNED: Governed = Governed::ByNode;
    const FIELDS: Fields = fields! {
        "uuid" since PORTGROUPS, Null, takes(Is::Uuid), brief;
        "address" since PORTGROUPS, Null, takes(Is::MacOrNull), patchable, brief;
        "name" since PORTGROUPS, Null, takes(Is::NameOrNull), patchable, brief;

        "category" since 103, Null, named_since(1), takes(Is::Text(0, 80)), patchable;
        "created_at" since PORTGROUPS, Null;
        "dynamic_portgroup" since 111, False;
        "extra" since PORTGROUPS, Object, takes(Is::Object), patchable, unordered;
        "internal_info" since PORTGROUPS, Object, unordered;
        "mode" since PORTGROUP_MODE, Null, takes(TEXT), patchable;
        "node_uuid" since PORTGROUPS, Null, takes(Is::RequiredUuid), required, patchable, unordered;
        "physical_network" since 102, Null, named_since(1), takes(Is::Text(0, 64)), patchable;
        "ports" since PORTGROUPS, Null, unordered, reads(Shape::Links);
        "properties" since PORTGROUP_MODE, Object, takes(Is::Object), patchable, unordered;
        "standalone_ports_supported" since PORTGROUPS, True, takes(Is::Flag), patchable;
        "updated_at" since PORTGROUPS, Null;
    };
    const BODY: Schema = Schema::new("port group", Self::FIELDS);
    const TAG: &'static str = "Port groups";
    const FILTERS: &'static [Member] = &[
        Member::new("address", Shape::Mac, "The one with this address."),
        Member::new(
            "conductor_groups",
            Shape::List(&Shape::Text),
            "Those of nodes of these.",
        ),
        Member::new("node", Shape::Ident, "Those of this node."),
        Member::new(
            "shard",
            Shape::List(&Shape::Text),
            "Those of nodes of these shards.",
        )
        .since(since::PORTGROUP_SHARD),
    ];
    /// Lists of the original show every field in every version.
    const HIDES_IN_LISTS: bool = false;

    fn check_body(version: Version, patched: bool, body: &Map<String, Value>) -> Result<(), Fault> {
        if patched {
            return match body.contains_key("mode") {
                true => Ok(()),
                false => Err(Fault::bad(
                    "mode cannot be removed: a port group always has one",
                )),
            };
        }
        let said = |value: &Value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => false,
        };
        let newer = ["mode", "properties"].iter();
        match newer.filter_map(|name| body.get(*name)).any(said) {
            true => version.need(PORTGROUP_MODE),
            false => Ok(()),
        }
    }

    fn check_patch(version: Version, patch: &Patch) -> Result<(), Fault> {
        if patch.updates("/mode") || patch.updates("/properties") {
            version.need(PORTGROUP_MODE)?;
        }
        // What a version does not show it may change all the same.
        let fields: Vec<_> = Self::FIELDS.patchable().map(|field| field.name).collect();
        patch.check_fields(version, &fields)
    }

    async fn refer(
        caller: &Caller,
        _: &mut Map<String, Value>,
        before: Option<&Self>,
    ) -> Result<(), Fault> {
        let Some(group) = before.filter(|_| caller.version.has(since::INSPECT_WAIT_STATE)) else {
            return Ok(());
        };
        let node = caller.client.node(group.node_uuid).await?;
        match node.provision_state {
            ProvisionState::Inspecting => Err(Fault::conflict(format!(
                "port group {} cannot be updated while node {} is in state \"inspecting\"",
                group.uuid,
                node.label()
            ))),
            _ => Ok(()),
        }
    }

    async fn filter(caller: &Caller, query: &mut Arguments) -> Result<Filter, Fault> {
        let node = query.ident("node")?;
        let address = query.mac("address")?;
        let shards = query.list("shard")?;
        let groups = query.list("conductor_groups")?;
        let given = [
            node.is_some(),
            address.is_some(),
            shards.is_some(),
            groups.is_some(),
        ];
        if shards.is_some() {
            caller.version.need(since::PORTGROUP_SHARD)?;
        }
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(Fault::bad(
                "node, address, shard and conductor_groups exclude each other",
            ));
        }
        Ok(if let Some(ident) = node {
            let node = caller.visible_node(&ident).await?;
            Filter::text("node_uuid", node.uuid.to_string())
        } else if let Some(address) = address {
            Filter::text("address", address)
        } else if let Some(names) = shards {
            ports::of_nodes(caller, "shard", names).await?
        } else if let Some(names) = groups {
            ports::of_nodes(caller, "conductor_group", names).await?
        } else {
            Filter::All
        })
    }

    fn dress(&self, caller: &Caller, shown: &mut Map<String, Value>) {
        let path = format!("portgroups/{}/ports", self.uuid);
        shown.insert("ports".to_owned(), caller.endpoint.both(&path));
        shown.insert("mode".to_owned(), self.mode().into());
    }
}

/// The routes beside those of every resource.
pub(super) fn routes() -> Routes {
    let within = || refused(Refusal::WithinAnother);
    detail_route::<Portgroup>()
        .route(
            "/portgroups/{ident}/ports",
            get(
                ports::list_of_group,
                about(
                    "Lists the ports of a port group.",
                    listed("ports", &ports::SHOWN),
                )
                .query(ports::FILTERS)
                .paged(ports::FIELDS)
                .selects(ports::FIELDS)
                .details(since::DETAIL_QUERY),
            )
            .refuses(MethodFilter::POST, Refusal::WithinAnother),
        )
        .route(
            "/portgroups/{ident}/ports/detail",
            get(
                ports::detail_of_group,
                about(
                    "Lists the ports of a port group with every field.",
                    listed("ports", &ports::SHOWN),
                )
                .query(ports::FILTERS)
                .paged(ports::FIELDS),
            ),
        )
        .route("/portgroups/{ident}/ports/{port}", within())
        .route(
            "/nodes/{ident}/portgroups",
            get(
                list_of_node::<Portgroup>,
                about_list::<Portgroup>("Lists the port groups of a node."),
            )
            .refuses(MethodFilter::POST, Refusal::WithinAnother),
        )
        .route(
            "/nodes/{ident}/portgroups/detail",
            get(
                detail_of_node::<Portgroup>,
                about_detail::<Portgroup>("Lists the port groups of a node with every field."),
            ),
        )
        .route("/nodes/{ident}/portgroups/{group}", within())
}
