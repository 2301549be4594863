use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::machine::{DriverCall, MachineAnswer, MachineCall};
use crate::engine::Plan;
use crate::model::{JsonMap, Node, Port};
use crate::runtime::Timestamp;
use crate::secret::is_secret_key;
use crate::states::{BootDevice, FlowKind, InterfaceKind, PowerTarget, Verb};
use crate::steps::UserStep;
use crate::store::Kind;

use super::AnyRecord;

/// Who asks, and until when the answer is of use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestContext {
    /// Names the request in logs and answers.
    pub request_id: String,
    /// Who asks; `None` for the system itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// On behalf of which project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// In which roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// After which nobody waits for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// What a conductor is asked, by whom, in which version of this enum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The version of [`Call`] that the sender speaks.
    pub version: u16,
    /// Who asks.
    pub context: RequestContext,
    /// What for.
    pub call: Call,
}

impl Request {
    /// The version of [`Call`] that this program speaks.
    pub const VERSION: u16 = 1;

    /// A request in the version of this program.
    pub fn new(context: RequestContext, call: Call) -> Self {
        Self {
            version: Self::VERSION,
            context,
            call,
        }
    }
}

/// The arguments of a provision verb.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProvisionArgs {
    /// The steps of a manual clean or a service, or further steps of a deploy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<UserStep>,
    /// For a manual clean or a service: whether no ramdisk is booted, so that only steps can run
    /// which do without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_ramdisk: bool,
    /// For a manual clean or a service, in place of steps: the uuid or name of a runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// The config drive: an object, or text that is one already.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub configdrive: Value,
    /// The password of the rescue user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue_password: Option<String>,
}

impl ProvisionArgs {
    /// The same arguments, with these steps.
    #[must_use]
    pub fn with_steps(mut self, steps: Vec<UserStep>) -> Self {
        self.steps = steps;
        self
    }

    /// The same arguments, with the steps of this runbook.
    #[must_use]
    pub fn with_runbook(mut self, ident: impl Into<String>) -> Self {
        self.runbook = Some(ident.into());
        self
    }

    /// The same arguments, for steps that do without the ramdisk.
    #[must_use]
    pub fn without_ramdisk(mut self) -> Self {
        self.disable_ramdisk = true;
        self
    }

    /// The same arguments, with this password of the rescue user.
    #[must_use]
    pub fn with_rescue_password(mut self, password: impl Into<String>) -> Self {
        self.rescue_password = Some(password.into());
        self
    }

    /// The same arguments, with this config drive.
    #[must_use]
    pub fn with_configdrive(mut self, configdrive: Value) -> Self {
        self.configdrive = configdrive;
        self
    }
}

impl std::fmt::Debug for ProvisionArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvisionArgs")
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

/// A change of one member of a node or port: its path, and what it becomes (`None` removes it).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Member names from the record down.
    pub path: Vec<String>,
    /// The new value.
    pub value: Option<Value>,
}

impl Change {
    /// The member at `path` (names joined by `/`) becomes `value`.
    pub fn set(path: &str, value: impl Into<Value>) -> Self {
        Self {
            path: path.split('/').map(str::to_owned).collect(),
            value: Some(value.into()),
        }
    }

    /// The member at `path` (names joined by `/`) is removed.
    pub fn remove(path: &str) -> Self {
        Self {
            path: path.split('/').map(str::to_owned).collect(),
            value: None,
        }
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.join("/");
        if self.path.iter().any(|member| is_secret_key(member))
            || matches!(self.value, Some(Value::Object(_) | Value::Array(_)))
        {
            return write!(f, "{path}: ***");
        }
        write!(f, "{path}: {:?}", self.value)
    }
}

/// What an agent says when it calls.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HeartbeatArgs {
    /// Where the agent takes commands.
    pub callback_url: String,
    /// The agent's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// The token that it got from lookup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_token: Option<String>,
    /// The certificate of its command server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_verify_ca: Option<String>,
    /// `start`, `end` or `error` of an agent that reports rather than takes commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_status: Option<String>,
    /// A text to go with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_status_message: Option<String>,
}

impl HeartbeatArgs {
    /// A plain heartbeat of an agent that takes commands at this URL.
    pub fn new(callback_url: impl Into<String>, agent_token: Option<String>) -> Self {
        Self {
            callback_url: callback_url.into(),
            agent_version: None,
            agent_token,
            agent_verify_ca: None,
            agent_status: None,
            agent_status_message: None,
        }
    }
}

impl std::fmt::Debug for HeartbeatArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeartbeatArgs")
            .field("callback_url", &self.callback_url)
            .field("agent_version", &self.agent_version)
            .finish_non_exhaustive()
    }
}

/// What an inspection found.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InspectionArgs {
    /// The hardware, as the agent lists it.
    pub inventory: JsonMap,
    /// What the agent's collectors found besides.
    pub plugin_data: JsonMap,
}

impl InspectionArgs {
    /// What an inspection found.
    pub fn new(inventory: JsonMap, plugin_data: JsonMap) -> Self {
        Self {
            inventory,
            plugin_data,
        }
    }
}

impl std::fmt::Debug for InspectionArgs {
    /// Prints how much was found: what, is the machine's word, and may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InspectionArgs")
            .field("inventory", &self.inventory.len())
            .field("plugin_data", &self.plugin_data.len())
            .finish()
    }
}

/// What to boot from, and whether for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootDeviceSetting {
    /// The device; `None` when the machine does not say.
    pub device: Option<BootDevice>,
    /// Whether for every boot; `None` when the machine does not say.
    pub persistent: Option<bool>,
}

/// Whether an interface has what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// Whether it has; `None` when the interface is not supported.
    pub result: Option<bool>,
    /// What is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a conductor can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Call {
    /// Enrol a node.
    CreateNode {
        /// The node; its identity may be nil for a new one.
        node: Box<Node>,
    },
    /// Change fields of a node.
    UpdateNode {
        /// The node.
        node: Uuid,
        /// What to change.
        changes: Vec<Change>,
    },
    /// Remove a node and everything that belongs to it.
    DestroyNode {
        /// The node.
        node: Uuid,
    },
    /// Add a port.
    CreatePort {
        /// The port; its identity may be nil for a new one.
        port: Box<Port>,
    },
    /// Change fields of a port.
    UpdatePort {
        /// The port's node.
        node: Uuid,
        /// The port.
        port: Uuid,
        /// What to change.
        changes: Vec<Change>,
    },
    /// Remove a port.
    DestroyPort {
        /// The port's node.
        node: Uuid,
        /// The port.
        port: Uuid,
    },
    /// Create a record.
    CreateRecord {
        /// The record.
        record: Box<AnyRecord>,
    },
    /// Change fields of a record.
    UpdateRecord {
        /// What sort of record.
        kind: Kind,
        /// Which one.
        id: Uuid,
        /// What to change.
        changes: Vec<Change>,
    },
    /// Remove a record.
    DestroyRecord {
        /// What sort of record.
        kind: Kind,
        /// Which one.
        id: Uuid,
    },
    /// Give a node traits.
    AddTraits {
        /// The node.
        node: Uuid,
        /// Their names.
        names: BTreeSet<String>,
        /// In place of those that it has.
        replace: bool,
    },
    /// Take traits from a node.
    RemoveTraits {
        /// The node.
        node: Uuid,
        /// Their names; `None` for all.
        names: Option<BTreeSet<String>>,
    },
    /// Set the RAID that the next cleaning is to make.
    SetTargetRaid {
        /// The node.
        node: Uuid,
        /// Of which logical disks.
        config: JsonMap,
    },
    /// Do something with the node's life.
    Provision {
        /// The node.
        node: Uuid,
        /// What.
        verb: Verb,
        /// How.
        args: ProvisionArgs,
    },
    /// Say what a verb would do, and do nothing.
    Plan {
        /// The node.
        node: Uuid,
        /// What.
        verb: Verb,
        /// How.
        args: ProvisionArgs,
    },
    /// Switch power.
    SetPower {
        /// The node.
        node: Uuid,
        /// To what.
        target: PowerTarget,
        /// How long it may take, in seconds.
        timeout: Option<u64>,
    },
    /// Put a node into maintenance, or take it out.
    SetMaintenance {
        /// The node.
        node: Uuid,
        /// Into it.
        on: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Ask every interface whether it has what it needs.
    Validate {
        /// The node.
        node: Uuid,
    },
    /// Ask what the machine boots from.
    GetBootDevice {
        /// The node.
        node: Uuid,
    },
    /// Set what the machine boots from.
    SetBootDevice {
        /// The node.
        node: Uuid,
        /// The device.
        device: BootDevice,
        /// For every boot, rather than the next.
        persistent: bool,
    },
    /// Ask what the machine could boot from.
    SupportedBootDevices {
        /// The node.
        node: Uuid,
    },
    /// Ask something of the machine's hardware.
    Machine {
        /// The node.
        node: Uuid,
        /// What.
        ask: MachineCall,
    },
    /// Ask something of a hardware type, whatever the node.
    Driver {
        /// The hardware type.
        driver: String,
        /// What.
        ask: DriverCall,
    },
    /// An agent asks which node it runs on.
    Lookup {
        /// The node that its uuid or its addresses have led to.
        node: Uuid,
    },
    /// An agent calls.
    Heartbeat {
        /// The node.
        node: Uuid,
        /// What it says.
        args: Box<HeartbeatArgs>,
    },
    /// What a flow waits for is done: go on with it.
    ContinueFlow {
        /// The node.
        node: Uuid,
        /// The flow that is expected to wait.
        flow: FlowKind,
    },
    /// An inspection has found something.
    ContinueInspection {
        /// The node.
        node: Uuid,
        /// What.
        found: Box<InspectionArgs>,
    },
}

/// What lookup tells an agent.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LookupAnswer {
    /// The node that the agent runs on.
    pub node: Box<Node>,
    /// How long between two heartbeats, in seconds.
    pub heartbeat_timeout: u64,
    /// The token, given once.
    pub agent_token: Option<String>,
    /// Whether MD5 will do as an image's checksum.
    #[serde(default = "yes")]
    pub allow_md5: bool,
}

fn yes() -> bool {
    true
}

impl LookupAnswer {
    /// An answer.
    pub fn new(node: Node, heartbeat_timeout: u64, agent_token: Option<String>) -> Self {
        Self {
            node: Box::new(node),
            heartbeat_timeout,
            agent_token,
            allow_md5: true,
        }
    }

    /// The same answer, which says whether MD5 will do as an image's checksum.
    #[must_use]
    pub fn with_md5(mut self, allow: bool) -> Self {
        self.allow_md5 = allow;
        self
    }
}

impl std::fmt::Debug for LookupAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LookupAnswer")
            .field("node", &self.node.uuid)
            .finish_non_exhaustive()
    }
}

/// What a conductor answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Response {
    /// It has been done, or has begun.
    Done,
    /// The node as it is now.
    Node {
        /// The node.
        node: Box<Node>,
    },
    /// The port as it is now.
    Port {
        /// The port.
        port: Box<Port>,
    },
    /// The record as it is now.
    Record {
        /// The record.
        record: Box<AnyRecord>,
    },
    /// What would be done.
    Plan {
        /// The plan.
        plan: Box<Plan>,
    },
    /// Whether each interface has what it needs.
    Validation {
        /// By interface.
        results: BTreeMap<InterfaceKind, Validation>,
    },
    /// What the machine boots from.
    BootDevice {
        /// The device.
        setting: BootDeviceSetting,
    },
    /// What the machine could boot from.
    BootDevices {
        /// The devices.
        devices: Vec<BootDevice>,
    },
    /// What the machine's hardware, or its hardware type, has to say.
    Machine {
        /// The answer.
        answer: MachineAnswer,
    },
    /// Which node the agent runs on.
    Lookup {
        /// The answer.
        answer: LookupAnswer,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Change;

    #[test]
    fn changes_print_no_secret_however_deep() {
        for (change, shown) in [
            (Change::set("name", "a"), r#"name: Some(String("a"))"#),
            (Change::remove("name"), "name: None"),
            (
                Change::set("driver_info/ipmi_password", "s3cret"),
                "driver_info/ipmi_password: ***",
            ),
            (
                Change::set("driver_info", json!({"password": "s3cret"})),
                "driver_info: ***",
            ),
            (
                Change::set("actions", json!([{"args": ["s3cret"]}])),
                "actions: ***",
            ),
        ] {
            assert_eq!(format!("{change:?}"), shown);
        }
    }
}
