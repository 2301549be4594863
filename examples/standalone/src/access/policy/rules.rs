//! The rules as they are unless overridden: the name of each, whom it lets through, in which
//! scopes, and the name of an older rule that governed the same.
//!
//! Names and checks are those of the Bare Metal service of today: its new defaults, with scopes
//! enforced.

use super::Scope;

/// A rule as it is unless overridden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DefaultRule {
    pub(super) name: &'static str,
    pub(super) check: &'static str,
    pub(super) scope: Scope,
    /// What governed this before the rule existed: who overrides that alone means this too.
    pub(super) was: Option<&'static str>,
}

const fn rule(name: &'static str, scope: Scope, check: &'static str) -> DefaultRule {
    DefaultRule {
        name,
        check,
        scope,
        was: None,
    }
}

impl DefaultRule {
    const fn was(mut self, name: &'static str) -> Self {
        self.was = Some(name);
        self
    }
}

/// Administrators of the whole system.
const SYSTEM_ADMIN: &str = "role:admin and system_scope:all";

/// Members of the whole system, and services with elevated access.
const SYSTEM_MEMBER: &str = "(role:member and system_scope:all) or rule:service_role";

/// Whoever reads the whole system.
const SYSTEM_READER: &str = "(role:reader and system_scope:all) or (role:service and system_scope:all) or \
    rule:service_role";

/// Every reader: what they are shown is filtered by project.
const ANY_READER: &str = "(role:reader) or (role:service)";

/// Readers of the system, of the project that owns the node, and of the one that leases it.
const NODE_READER: &str = "((role:reader and system_scope:all) or (role:service and system_scope:all) or \
    rule:service_role) or (role:reader and (project_id:%(node.owner)s or \
    project_id:%(node.lessee)s)) or (role:service and project_id:%(node.owner)s)";

/// Readers of the system and of the project that owns the node.
const OWNER_READER: &str = "((role:reader and system_scope:all) or (role:service and system_scope:all) or \
    rule:service_role) or (role:service and system_scope:all) or (role:reader and \
    project_id:%(node.owner)s) or (role:service and project_id:%(node.owner)s)";

/// Members of the system and of the project that owns the node.
const OWNER_MEMBER: &str = "((role:member and system_scope:all) or rule:service_role) or (role:service and \
    system_scope:all) or (role:member and project_id:%(node.owner)s) or (role:service and \
    project_id:%(node.owner)s)";

/// Members of the owning project, managers of the leasing one.
const OWNER_MEMBER_OR_LESSEE_MANAGER: &str = "((role:member and system_scope:all) or rule:service_role) or (role:service and \
    system_scope:all) or (role:member and project_id:%(node.owner)s) or (role:admin and \
    project_id:%(node.lessee)s) or (role:manager and project_id:%(node.lessee)s) or \
    (role:service and project_id:%(node.owner)s)";

/// Managers of the project that owns the node, and members of the system.
const OWNER_MANAGER: &str = "((role:member and system_scope:all) or rule:service_role) or (role:service and \
    system_scope:all) or (role:admin and project_id:%(node.owner)s) or (role:manager and \
    project_id:%(node.owner)s) or (role:service and project_id:%(node.owner)s)";

/// Members of the system, of the owning and of the leasing project.
const NODE_MEMBER: &str = "((role:member and system_scope:all) or rule:service_role) or (role:member and \
    (project_id:%(node.owner)s or project_id:%(node.lessee)s)) or (role:service and \
    system_scope:all)";

/// Administrators of the system, managers of the project that owns the node.
const SYSTEM_ADMIN_OR_OWNER_MANAGER: &str = "(role:admin and system_scope:all) or (role:service and system_scope:all) or (role:admin \
    and project_id:%(node.owner)s) or (role:manager and project_id:%(node.owner)s) or \
    (role:service and project_id:%(node.owner)s)";

/// Members of the system, managers of the project that owns the runbook.
const RUNBOOK_MANAGER: &str = "((role:member and system_scope:all) or rule:service_role) or (role:manager and \
    project_id:%(runbook.owner)s) or role:service";

/// Managers of the owning and of the leasing project, and members of the system.
const OWNER_OR_LESSEE_MANAGER: &str = "((role:member and system_scope:all) or rule:service_role) or (role:service and \
    system_scope:all) or (role:admin and project_id:%(node.owner)s) or (role:manager and \
    project_id:%(node.owner)s) or (role:admin and project_id:%(node.lessee)s) or \
    (role:manager and project_id:%(node.lessee)s) or (role:service and \
    project_id:%(node.owner)s)";

/// Members of the system and of the project that owns the allocation.
const ALLOCATION_MEMBER: &str = "((role:member and system_scope:all) or rule:service_role) or (role:member and \
    project_id:%(allocation.owner)s)";

/// The rules, by what they are about.
pub(super) const DEFAULTS: &[DefaultRule] = &[
    rule("admin_api", Scope::Any, "role:admin or role:administrator"),
    rule("public_api", Scope::Any, "is_public_api:True"),
    rule("show_password", Scope::Any, "!"),
    rule("show_instance_secrets", Scope::Any, "!"),
    rule(
        "service_role",
        Scope::Any,
        "role:service and project_name:%(config.service_project_name)s",
    ),
    rule(
        "is_member",
        Scope::Any,
        "(project_domain_id:default or project_domain_id:None) and (project_name:demo or \
    project_name:baremetal)",
    ),
    rule(
        "is_observer",
        Scope::Any,
        "rule:is_member and (role:observer or role:baremetal_observer)",
    ),
    rule(
        "is_admin",
        Scope::Any,
        "rule:admin_api or (rule:is_member and role:baremetal_admin)",
    ),
    rule("is_node_owner", Scope::Any, "project_id:%(node.owner)s"),
    rule("is_node_lessee", Scope::Any, "project_id:%(node.lessee)s"),
    rule(
        "is_allocation_owner",
        Scope::Any,
        "project_id:%(allocation.owner)s",
    ),
    rule(
        "baremetal:node:create",
        Scope::SystemOrProject,
        "(role:admin and system_scope:all) or (role:service and system_scope:all)",
    ),
    rule(
        "baremetal:node:create:self_owned_node",
        Scope::SystemOrProject,
        "(role:admin) or (role:service)",
    ),
    rule("baremetal:node:list", Scope::SystemOrProject, ANY_READER),
    rule(
        "baremetal:node:list_all",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule("baremetal:node:get", Scope::SystemOrProject, NODE_READER),
    rule(
        "baremetal:node:get:filter_threshold",
        Scope::SystemOrProject,
        SYSTEM_READER,
    )
    .was("baremetal:node:get"),
    rule(
        "baremetal:node:get:last_error",
        Scope::SystemOrProject,
        OWNER_READER,
    )
    .was("baremetal:node:get"),
    rule(
        "baremetal:node:get:reservation",
        Scope::SystemOrProject,
        OWNER_READER,
    )
    .was("baremetal:node:get"),
    rule(
        "baremetal:node:get:driver_internal_info",
        Scope::SystemOrProject,
        OWNER_READER,
    )
    .was("baremetal:node:get"),
    rule(
        "baremetal:node:get:driver_info",
        Scope::SystemOrProject,
        OWNER_READER,
    )
    .was("baremetal:node:get"),
    rule(
        "baremetal:node:update:driver_info",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:properties",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:chassis_uuid",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:instance_uuid",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:lessee",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:owner",
        Scope::SystemOrProject,
        SYSTEM_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:driver_interfaces",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:network_data",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:conductor_group",
        Scope::SystemOrProject,
        SYSTEM_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:name",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    )
    .was("baremetal:node:update"),
    rule(
        "baremetal:node:update:retired",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    )
    .was("baremetal:node:update"),
    rule("baremetal:node:update", Scope::SystemOrProject, NODE_MEMBER),
    rule(
        "baremetal:node:update_extra",
        Scope::SystemOrProject,
        NODE_MEMBER,
    ),
    rule(
        "baremetal:node:update_instance_info",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:update_owner_provisioned",
        Scope::System,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:node:delete",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:node:delete:self_owned_node",
        Scope::SystemOrProject,
        "role:admin and project_id:%(node.owner)s",
    ),
    rule(
        "baremetal:node:validate",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:set_maintenance",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:clear_maintenance",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:get_boot_device",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    ),
    rule(
        "baremetal:node:set_boot_device",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    )
    .was("baremetal:node:set_maintenance"),
    rule(
        "baremetal:node:get_indicator_state",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule(
        "baremetal:node:set_indicator_state",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    ),
    rule(
        "baremetal:node:inject_nmi",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    ),
    rule(
        "baremetal:node:get_states",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule(
        "baremetal:node:set_power_state",
        Scope::SystemOrProject,
        NODE_MEMBER,
    ),
    rule(
        "baremetal:node:set_boot_mode",
        Scope::SystemOrProject,
        NODE_MEMBER,
    )
    .was("baremetal:node:set_power_state"),
    rule(
        "baremetal:node:set_secure_boot",
        Scope::SystemOrProject,
        NODE_MEMBER,
    )
    .was("baremetal:node:set_power_state"),
    rule(
        "baremetal:node:set_provision_state",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:set_provision_state:clean_steps",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:set_provision_state:service_steps",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:set_raid_state",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    ),
    rule(
        "baremetal:node:get_console",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    ),
    rule(
        "baremetal:node:set_console_state",
        Scope::SystemOrProject,
        OWNER_MEMBER,
    ),
    rule(
        "baremetal:node:vif:list",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule(
        "baremetal:node:vif:attach",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:vif:detach",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:node:traits:list",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule(
        "baremetal:node:traits:set",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    ),
    rule(
        "baremetal:node:traits:delete",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    ),
    rule(
        "baremetal:node:bios:get",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule(
        "baremetal:node:disable_cleaning",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:node:history:get",
        Scope::SystemOrProject,
        OWNER_READER,
    )
    .was("baremetal:node:get"),
    rule(
        "baremetal:node:inventory:get",
        Scope::SystemOrProject,
        OWNER_READER,
    )
    .was("baremetal:node:get"),
    rule(
        "baremetal:node:update:shard",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:shards:get",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:node:update:parent_node",
        Scope::SystemOrProject,
        SYSTEM_MEMBER,
    ),
    rule(
        "baremetal:node:update:disable_power_off",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:node:firmware:get",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule(
        "baremetal:node:vmedia:attach",
        Scope::SystemOrProject,
        NODE_MEMBER,
    ),
    rule(
        "baremetal:node:vmedia:detach",
        Scope::SystemOrProject,
        NODE_MEMBER,
    ),
    rule(
        "baremetal:node:vmedia:get",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule("baremetal:port:get", Scope::SystemOrProject, NODE_READER),
    rule("baremetal:port:list", Scope::SystemOrProject, ANY_READER),
    rule(
        "baremetal:port:list_all",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:port:create",
        Scope::SystemOrProject,
        SYSTEM_ADMIN_OR_OWNER_MANAGER,
    ),
    rule(
        "baremetal:port:delete",
        Scope::SystemOrProject,
        SYSTEM_ADMIN_OR_OWNER_MANAGER,
    ),
    rule(
        "baremetal:port:update",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    ),
    rule(
        "baremetal:portgroup:get",
        Scope::SystemOrProject,
        NODE_READER,
    ),
    rule(
        "baremetal:portgroup:create",
        Scope::SystemOrProject,
        SYSTEM_ADMIN_OR_OWNER_MANAGER,
    ),
    rule(
        "baremetal:portgroup:delete",
        Scope::SystemOrProject,
        SYSTEM_ADMIN_OR_OWNER_MANAGER,
    ),
    rule(
        "baremetal:portgroup:update",
        Scope::SystemOrProject,
        OWNER_MANAGER,
    ),
    rule(
        "baremetal:portgroup:list",
        Scope::SystemOrProject,
        ANY_READER,
    )
    .was("baremetal:portgroup:get"),
    rule(
        "baremetal:portgroup:list_all",
        Scope::SystemOrProject,
        SYSTEM_READER,
    )
    .was("baremetal:portgroup:get"),
    rule("baremetal:chassis:get", Scope::System, SYSTEM_READER),
    rule("baremetal:chassis:create", Scope::System, SYSTEM_ADMIN),
    rule("baremetal:chassis:delete", Scope::System, SYSTEM_ADMIN),
    rule("baremetal:chassis:update", Scope::System, SYSTEM_MEMBER),
    rule("baremetal:driver:get", Scope::System, SYSTEM_READER),
    rule(
        "baremetal:driver:get_properties",
        Scope::System,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:driver:get_raid_logical_disk_properties",
        Scope::System,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:node:vendor_passthru",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:driver:vendor_passthru",
        Scope::System,
        SYSTEM_ADMIN,
    ),
    rule("baremetal:node:ipa_heartbeat", Scope::Any, ""),
    rule("baremetal:driver:ipa_lookup", Scope::Any, ""),
    rule("baremetal:driver:ipa_continue_inspection", Scope::Any, ""),
    rule(
        "baremetal:volume:list_all",
        Scope::SystemOrProject,
        SYSTEM_READER,
    )
    .was("baremetal:volume:get"),
    rule("baremetal:volume:list", Scope::SystemOrProject, ANY_READER).was("baremetal:volume:get"),
    rule("baremetal:volume:get", Scope::SystemOrProject, NODE_READER),
    rule(
        "baremetal:volume:create",
        Scope::SystemOrProject,
        OWNER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:volume:delete",
        Scope::SystemOrProject,
        OWNER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:volume:update",
        Scope::SystemOrProject,
        OWNER_MEMBER_OR_LESSEE_MANAGER,
    ),
    rule(
        "baremetal:volume:view_target_properties",
        Scope::SystemOrProject,
        "((role:reader and system_scope:all) or (role:service and system_scope:all) or \
    rule:service_role) or (role:admin)",
    )
    .was("baremetal:volume:update"),
    rule(
        "baremetal:conductor:get",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:allocation:get",
        Scope::SystemOrProject,
        "((role:reader and system_scope:all) or (role:service and system_scope:all) or \
    rule:service_role) or (role:reader and project_id:%(allocation.owner)s)",
    ),
    rule(
        "baremetal:allocation:list",
        Scope::SystemOrProject,
        ANY_READER,
    ),
    rule(
        "baremetal:allocation:list_all",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:allocation:create",
        Scope::SystemOrProject,
        "((role:member and system_scope:all) or rule:service_role) or (role:member)",
    ),
    rule(
        "baremetal:allocation:create_restricted",
        Scope::SystemOrProject,
        SYSTEM_MEMBER,
    ),
    rule(
        "baremetal:allocation:delete",
        Scope::SystemOrProject,
        ALLOCATION_MEMBER,
    ),
    rule(
        "baremetal:allocation:update",
        Scope::SystemOrProject,
        ALLOCATION_MEMBER,
    ),
    rule(
        "baremetal:allocation:create_pre_rbac",
        Scope::Project,
        "(rule:is_member and role:baremetal_admin) or (is_admin_project:True and role:admin)",
    ),
    rule("baremetal:events:post", Scope::System, SYSTEM_ADMIN),
    rule(
        "baremetal:deploy_template:get",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:deploy_template:create",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:deploy_template:delete",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:deploy_template:update",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:runbook:get",
        Scope::SystemOrProject,
        "((role:reader and system_scope:all) or (role:service and system_scope:all) or \
    rule:service_role) or (role:reader and project_id:%(runbook.owner)s) or role:service",
    ),
    rule("baremetal:runbook:list", Scope::SystemOrProject, ANY_READER),
    rule(
        "baremetal:runbook:list_all",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:runbook:create",
        Scope::SystemOrProject,
        "((role:member and system_scope:all) or rule:service_role) or role:manager or \
    role:service",
    ),
    rule(
        "baremetal:runbook:delete",
        Scope::SystemOrProject,
        RUNBOOK_MANAGER,
    ),
    rule(
        "baremetal:runbook:update",
        Scope::SystemOrProject,
        RUNBOOK_MANAGER,
    ),
    rule(
        "baremetal:runbook:update:public",
        Scope::SystemOrProject,
        SYSTEM_MEMBER,
    ),
    rule(
        "baremetal:runbook:update:owner",
        Scope::SystemOrProject,
        SYSTEM_MEMBER,
    ),
    rule(
        "baremetal:runbook:use",
        Scope::SystemOrProject,
        RUNBOOK_MANAGER,
    ),
    rule(
        "baremetal:inspection_rule:get",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:inspection_rule:list_all",
        Scope::SystemOrProject,
        SYSTEM_READER,
    ),
    rule(
        "baremetal:inspection_rule:create",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:inspection_rule:update",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
    rule(
        "baremetal:inspection_rule:delete",
        Scope::SystemOrProject,
        SYSTEM_ADMIN,
    ),
];
