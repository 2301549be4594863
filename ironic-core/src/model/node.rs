use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{capabilities, is_default};
use crate::runtime::Timestamp;
use crate::states::{BootMode, InterfaceKind, PowerState, PowerTarget, ProvisionState};

/// Free-form facts, as a JSON object.
pub type JsonMap = Map<String, Value>;

/// The interface names that somebody chose for a node; `None` leaves the choice to the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeInterfaces(std::collections::BTreeMap<InterfaceKind, String>);

impl NodeInterfaces {
    /// The name chosen for this interface.
    pub fn get(&self, kind: InterfaceKind) -> Option<&str> {
        self.0.get(&kind).map(String::as_str)
    }

    /// Chooses a name, or with `None` leaves it to the defaults.
    pub fn set(&mut self, kind: InterfaceKind, name: Option<String>) {
        match name {
            Some(name) => self.0.insert(kind, name),
            None => self.0.remove(&kind),
        };
    }

    /// What has been chosen, in the order of the kinds.
    pub fn iter(&self) -> impl Iterator<Item = (InterfaceKind, &str)> {
        self.0.iter().map(|(kind, name)| (*kind, name.as_str()))
    }
}

impl FromIterator<(InterfaceKind, String)> for NodeInterfaces {
    fn from_iter<I: IntoIterator<Item = (InterfaceKind, String)>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl From<InterfaceNames> for NodeInterfaces {
    /// Every name as if it had been chosen: what a node is recorded with.
    fn from(names: InterfaceNames) -> Self {
        Self(names.0)
    }
}

/// A name for each of the thirteen interfaces: what a driver is composed of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InterfaceNames(std::collections::BTreeMap<InterfaceKind, String>);

impl InterfaceNames {
    /// The names given by `name`, which is asked once for each kind.
    ///
    /// # Errors
    /// The first error of `name`.
    pub fn try_from_fn<E>(
        mut name: impl FnMut(InterfaceKind) -> Result<String, E>,
    ) -> Result<Self, E> {
        InterfaceKind::ALL
            .iter()
            .map(|kind| Ok((*kind, name(*kind)?)))
            .collect::<Result<_, E>>()
            .map(Self)
    }

    /// The name of this interface.
    pub fn get(&self, kind: InterfaceKind) -> &str {
        self.0.get(&kind).map_or("", String::as_str)
    }

    /// Every interface with its name.
    pub fn iter(&self) -> impl Iterator<Item = (InterfaceKind, &str)> {
        self.0.iter().map(|(kind, name)| (*kind, name.as_str()))
    }
}

/// A machine that the engine looks after.
///
/// Field names are those of the original's API. Who holds the node's lock is not here: that is
/// the [`Lock`](super::Lock) record; nor is what is going on: that is the flow.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// Its identity.
    pub uuid: Uuid,
    /// A unique name, valid as a host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hardware type.
    pub driver: String,
    /// How to reach the BMC and boot the machine; the keys are the interfaces' `properties`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub driver_info: JsonMap,
    /// What drivers and the engine remember about the machine; not for callers to set.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub driver_internal_info: JsonMap,
    /// The interface names that somebody chose, or that were the defaults when the node was
    /// enrolled or got its driver.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interfaces: NodeInterfaces,
    /// Facts about the hardware: `cpu_arch`, `memory_mb`, `capabilities`, …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: JsonMap,
    /// Anything that the operator wants to remember.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: JsonMap,
    /// What to put on the machine: `image_source`, `root_gb`, `configdrive`, …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub instance_info: JsonMap,
    /// The instance that the node belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_uuid: Option<Uuid>,
    /// The name of that instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,

    /// Where it stands in its life.
    pub provision_state: ProvisionState,
    /// Where it is on its way to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_provision_state: Option<ProvisionState>,
    /// When `provision_state` last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision_updated_at: Option<Timestamp>,
    /// Whether the machine has power, as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_state: Option<PowerState>,
    /// What is being done to its power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_power_state: Option<PowerTarget>,
    /// How many flows this node has begun; an outcome of an earlier one is stale.
    #[serde(default, skip_serializing_if = "is_default")]
    pub generation: u64,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,

    /// Whether the engine leaves the machine alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub maintenance: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_reason: Option<String>,
    /// The fault that the engine itself put the node in maintenance for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The health that the BMC reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// Whether undeploy, rebuild and delete are refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protected: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_reason: Option<String>,
    /// Whether the machine is to leave the fleet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retired: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_reason: Option<String>,
    /// Whether it is cleaned between instances; `None` follows the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automated_clean: Option<bool>,
    /// Whether the engine never switches the machine off.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable_power_off: bool,

    /// What the scheduler matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_class: Option<String>,
    /// Whose machine it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lessee: Option<String>,
    /// The shard that an external scheduler counts it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// The group of conductors that may look after it; empty for the default group.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conductor_group: String,
    /// The conductor that looked after it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conductor: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The chassis it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chassis_uuid: Option<Uuid>,
    /// The allocation that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_uuid: Option<Uuid>,
    /// The node that this one is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_node: Option<Uuid>,
    /// Static network configuration for the ramdisk.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub network_data: JsonMap,

    /// How the machine boots, as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_mode: Option<BootMode>,
    /// Whether secure boot is on, as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_boot: Option<bool>,
    /// Whether the console is on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub console_enabled: bool,
    /// The RAID configuration that the machine has.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub raid_config: JsonMap,
    /// The RAID configuration that the next cleaning is to make.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub target_raid_config: JsonMap,
    /// When the last inspection began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspection_started_at: Option<Timestamp>,
    /// When the last inspection succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspection_finished_at: Option<Timestamp>,

    /// When it was created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl Node {
    /// A node that has just been enrolled.
    pub fn new(uuid: Uuid, driver: impl Into<String>) -> Self {
        Self {
            uuid,
            name: None,
            driver: driver.into(),
            driver_info: Map::new(),
            driver_internal_info: Map::new(),
            interfaces: NodeInterfaces::default(),
            properties: Map::new(),
            extra: Map::new(),
            instance_info: Map::new(),
            instance_uuid: None,
            instance_name: None,
            provision_state: ProvisionState::Enroll,
            target_provision_state: None,
            provision_updated_at: None,
            power_state: None,
            target_power_state: None,
            generation: 0,
            last_error: None,
            maintenance: false,
            maintenance_reason: None,
            fault: None,
            health: None,
            protected: false,
            protected_reason: None,
            retired: false,
            retired_reason: None,
            automated_clean: None,
            disable_power_off: false,
            resource_class: None,
            owner: None,
            lessee: None,
            shard: None,
            conductor_group: String::new(),
            conductor: None,
            description: None,
            chassis_uuid: None,
            allocation_uuid: None,
            parent_node: None,
            network_data: Map::new(),
            boot_mode: None,
            secure_boot: None,
            console_enabled: false,
            raid_config: Map::new(),
            target_raid_config: Map::new(),
            inspection_started_at: None,
            inspection_finished_at: None,
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }

    /// The name if it has one, else the uuid: for texts.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.uuid.to_string())
    }

    /// How the machine is to boot: as this deployment was asked to, else as the machine's
    /// capabilities say, else by UEFI (the original's `[deploy] default_boot_mode`).
    pub fn wanted_boot_mode(&self) -> BootMode {
        let deployed = [&self.driver_internal_info, &self.instance_info]
            .into_iter()
            .find_map(|info| info.get("deploy_boot_mode")?.as_str());
        let wanted = capabilities::of_instance(&self.instance_info).unwrap_or_default();
        let asked = wanted.get("boot_mode").and_then(Value::as_str);
        let capable = capabilities::of_node(&self.properties, "boot_mode").unwrap_or_default();
        let named = deployed.or(asked).or(capable);
        named
            .and_then(|mode| mode.to_ascii_lowercase().parse().ok())
            .unwrap_or(BootMode::Uefi)
    }

    /// Forgets what the rescue user logs in with, in clear and hashed.
    pub fn forget_rescue_password(&mut self) {
        for key in ["rescue_password", "hashed_rescue_password"] {
            self.instance_info.remove(key);
        }
    }

    /// A string that a driver remembered.
    pub fn internal_str(&self, key: &str) -> Option<&str> {
        self.driver_internal_info.get(key).and_then(Value::as_str)
    }

    /// Remembers a value for a driver, or with null forgets it.
    pub fn set_internal(&mut self, key: &str, value: Value) {
        if value.is_null() {
            self.driver_internal_info.remove(key);
        } else {
            self.driver_internal_info.insert(key.to_owned(), value);
        }
    }
}

masked_debug!(Node);
