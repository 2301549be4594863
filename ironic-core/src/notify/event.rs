use serde::{Deserialize, Serialize};

use crate::states::{self, PowerState, PowerTarget, ProvisionState};

string_enum! {
    /// How grave an event is, in rising order.
    #[non_exhaustive]
    pub enum Level("notification level") {
        /// For whoever looks for a defect.
        Debug = "debug",
        /// Something happened as it should.
        Info = "info",
        /// Something is odd.
        Warning = "warning",
        /// Something went wrong.
        Error = "error",
        /// Nothing works any more.
        Critical = "critical",
    }
}

string_enum! {
    /// Where what an event tells of stands.
    #[non_exhaustive]
    pub enum Status("notification status") {
        /// It begins.
        Start = "start",
        /// It is done.
        End = "end",
        /// It has failed.
        Error = "error",
        /// It is done, and took no time.
        Success = "success",
    }
}

string_enum! {
    /// What sort of record an event is about.
    #[non_exhaustive]
    pub enum Object("notification object") {
        /// An allocation.
        Allocation = "allocation",
        /// A chassis.
        Chassis = "chassis",
        /// A deploy template.
        DeployTemplate = "deploytemplate",
        /// An inspection rule.
        InspectionRule = "inspectionrule",
        /// A node.
        Node = "node",
        /// A port.
        Port = "port",
        /// A group of ports.
        Portgroup = "portgroup",
        /// A runbook.
        Runbook = "runbook",
        /// A volume connector.
        VolumeConnector = "volumeconnector",
        /// A volume target.
        VolumeTarget = "volumetarget",
    }
}

string_enum! {
    /// What is done to a record.
    #[non_exhaustive]
    pub enum RecordChange("change of a record") {
        /// It is made.
        Create = "create",
        /// Some of it is changed.
        Update = "update",
        /// It is removed.
        Delete = "delete",
    }
}

/// Something that others may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A record is made, changed or removed because somebody asked for it.
    Record {
        /// What sort of record.
        object: Object,
        /// What is done to it.
        change: RecordChange,
        /// How far it is.
        status: Status,
    },
    /// A node is put into maintenance, or taken out, because somebody asked for it.
    MaintenanceSet {
        /// How far it is.
        status: Status,
    },
    /// A node's console is switched on or off because somebody asked for it.
    ConsoleSet {
        /// How far it is.
        status: Status,
    },
    /// A node's console is started again after its conductor was, or after its driver was changed.
    ConsoleRestore {
        /// How far it is.
        status: Status,
    },
    /// A node's console is stopped with its instance; the next instance finds it running.
    ConsoleStop {
        /// How far it is.
        status: Status,
    },
    /// A node's power is switched.
    PowerSet {
        /// To what.
        target: PowerTarget,
        /// How far it is.
        status: Status,
    },
    /// A node's power was seen to have changed by itself, and the record follows.
    PowerStateCorrected {
        /// What it was, as far as known.
        from: Option<PowerState>,
        /// What it is.
        to: PowerState,
    },
    /// A node moved from one provision state to another.
    ProvisionSet {
        /// By what.
        by: states::Event,
        /// Where it was.
        from: ProvisionState,
        /// Where it was on its way to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_target: Option<ProvisionState>,
        /// Where it is.
        to: ProvisionState,
        /// What went wrong, if that is why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

impl Event {
    /// What sort of record it is about.
    pub const fn object(&self) -> Object {
        match self {
            Self::Record { object, .. } => *object,
            _ => Object::Node,
        }
    }

    /// What is done, as the original names it.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Record { change, .. } => change.as_str(),
            Self::MaintenanceSet { .. } => "maintenance_set",
            Self::ConsoleSet { .. } => "console_set",
            Self::ConsoleRestore { .. } => "console_restore",
            Self::ConsoleStop { .. } => "console_stop",
            Self::PowerSet { .. } => "power_set",
            Self::PowerStateCorrected { .. } => "power_state_corrected",
            Self::ProvisionSet { .. } => "provision_set",
        }
    }

    /// How far it is. A move between states begins something, ends something, fails, or does
    /// neither.
    pub const fn status(&self) -> Status {
        match self {
            Self::Record { status, .. }
            | Self::MaintenanceSet { status }
            | Self::ConsoleSet { status }
            | Self::ConsoleRestore { status }
            | Self::ConsoleStop { status }
            | Self::PowerSet { status, .. } => *status,
            Self::PowerStateCorrected { .. } => Status::Success,
            Self::ProvisionSet { by, from, to, .. } => {
                match (by, changes_by_itself(*from), changes_by_itself(*to)) {
                    (states::Event::Fail, ..) => Status::Error,
                    (_, false, true) => Status::Start,
                    (_, true, false) => Status::End,
                    _ => Status::Success,
                }
            }
        }
    }

    /// How grave it is.
    pub const fn level(&self) -> Level {
        match self.status() {
            Status::Error => Level::Error,
            _ => Level::Info,
        }
    }

    /// The name of the event on the wire: `baremetal.node.provision_set.start`.
    pub fn event_type(&self) -> String {
        let (object, action, status) = (self.object(), self.action(), self.status());
        format!("baremetal.{object}.{action}.{status}")
    }

    /// Which of the original's services tells of it.
    pub const fn service(&self) -> &'static str {
        match self {
            Self::Record { .. } | Self::MaintenanceSet { .. } => "ironic-api",
            _ => "ironic-conductor",
        }
    }
}

/// Whether a node leaves this state without anybody asking for it.
const fn changes_by_itself(state: ProvisionState) -> bool {
    state.is_in_progress() || state.is_waiting()
}
