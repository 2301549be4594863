use super::{InvalidTransition, Verb};

string_enum! {
    /// Where a node stands in its life.
    #[non_exhaustive]
    pub enum ProvisionState("provision state") {
        /// An instance runs on the machine.
        Active = "active",
        /// Adoption failed.
        AdoptFailed = "adopt failed",
        /// A machine that already runs an instance is being taken in.
        Adopting = "adopting",
        /// Ready to be deployed.
        Available = "available",
        /// Cleaning failed.
        CleanFailed = "clean failed",
        /// Cleaning stands still until `unhold`.
        CleanHold = "clean hold",
        /// Cleaning waits for the agent.
        CleanWait = "clean wait",
        /// Clean steps run.
        Cleaning = "cleaning",
        /// The instance is being torn down.
        Deleting = "deleting",
        /// Deployment failed.
        DeployFailed = "deploy failed",
        /// Deployment stands still until `unhold`.
        DeployHold = "deploy hold",
        /// Deploy steps run.
        Deploying = "deploying",
        /// Known, but nothing about it has been verified.
        Enroll = "enroll",
        /// Tearing down failed.
        Error = "error",
        /// Inspection failed.
        InspectFailed = "inspect failed",
        /// Inspection waits for the agent.
        InspectWait = "inspect wait",
        /// The hardware is being inspected.
        Inspecting = "inspecting",
        /// Verified, but not offered for deployment.
        Manageable = "manageable",
        /// The rescue ramdisk runs.
        Rescue = "rescue",
        /// Rescue failed.
        RescueFailed = "rescue failed",
        /// Rescue waits for the agent.
        RescueWait = "rescue wait",
        /// The rescue ramdisk is being started.
        Rescuing = "rescuing",
        /// Servicing failed.
        ServiceFailed = "service failed",
        /// Servicing stands still until `unhold`.
        ServiceHold = "service hold",
        /// Servicing waits for the agent.
        ServiceWait = "service wait",
        /// Service steps run.
        Servicing = "servicing",
        /// Leaving rescue failed.
        UnrescueFailed = "unrescue failed",
        /// The instance is being started again after rescue.
        Unrescuing = "unrescuing",
        /// The credentials of the BMC are being checked.
        Verifying = "verifying",
        /// Deployment waits for the agent.
        DeployWait = "wait call-back",
    }
}

string_enum! {
    /// What moves a node from one state to another.
    #[non_exhaustive]
    pub enum Event("event") {
        /// Stop what is going on.
        Abort = "abort",
        /// Take the machine in as it runs.
        Adopt = "adopt",
        /// Start cleaning.
        Clean = "clean",
        /// Tear the instance down.
        Delete = "delete",
        /// Deploy.
        Deploy = "deploy",
        /// What was going on succeeded.
        Done = "done",
        /// What was going on failed.
        Fail = "fail",
        /// Stand still.
        Hold = "hold",
        /// Inspect the hardware.
        Inspect = "inspect",
        /// Bring under management.
        Manage = "manage",
        /// Make available.
        Provide = "provide",
        /// Deploy again over the instance.
        Rebuild = "rebuild",
        /// Start the rescue ramdisk.
        Rescue = "rescue",
        /// The agent called back.
        Resume = "resume",
        /// Start servicing.
        Service = "service",
        /// Go on after a hold.
        Unhold = "unhold",
        /// Leave the rescue ramdisk.
        Unrescue = "unrescue",
        /// Wait for the agent.
        Wait = "wait",
    }
}

use Event as E;
use ProvisionState as S;

/// The transition table: from a state, by an event, to a state. It stands nowhere else.
pub const TRANSITIONS: &[(ProvisionState, Event, ProvisionState)] = &[
    (S::Active, E::Delete, S::Deleting),
    (S::Active, E::Rebuild, S::Deploying),
    (S::Active, E::Rescue, S::Rescuing),
    (S::Active, E::Service, S::Servicing),
    (S::AdoptFailed, E::Adopt, S::Adopting),
    (S::AdoptFailed, E::Manage, S::Manageable),
    (S::Adopting, E::Done, S::Active),
    (S::Adopting, E::Fail, S::AdoptFailed),
    (S::Available, E::Deploy, S::Deploying),
    (S::Available, E::Manage, S::Manageable),
    (S::CleanFailed, E::Manage, S::Manageable),
    (S::CleanHold, E::Abort, S::CleanFailed),
    (S::CleanHold, E::Unhold, S::CleanWait),
    (S::CleanWait, E::Abort, S::CleanFailed),
    (S::CleanWait, E::Fail, S::CleanFailed),
    (S::CleanWait, E::Hold, S::CleanHold),
    (S::CleanWait, E::Resume, S::Cleaning),
    (S::Cleaning, E::Done, S::Available),
    (S::Cleaning, E::Fail, S::CleanFailed),
    (S::Cleaning, E::Hold, S::CleanHold),
    (S::Cleaning, E::Manage, S::Manageable),
    (S::Cleaning, E::Wait, S::CleanWait),
    (S::Deleting, E::Clean, S::Cleaning),
    (S::Deleting, E::Fail, S::Error),
    (S::DeployFailed, E::Delete, S::Deleting),
    (S::DeployFailed, E::Deploy, S::Deploying),
    (S::DeployFailed, E::Rebuild, S::Deploying),
    (S::DeployHold, E::Abort, S::DeployFailed),
    (S::DeployHold, E::Unhold, S::DeployWait),
    (S::Deploying, E::Done, S::Active),
    (S::Deploying, E::Fail, S::DeployFailed),
    (S::Deploying, E::Hold, S::DeployHold),
    (S::Deploying, E::Wait, S::DeployWait),
    (S::Enroll, E::Manage, S::Verifying),
    (S::Error, E::Delete, S::Deleting),
    (S::Error, E::Rebuild, S::Deploying),
    (S::InspectFailed, E::Inspect, S::Inspecting),
    (S::InspectFailed, E::Manage, S::Manageable),
    (S::InspectWait, E::Abort, S::InspectFailed),
    (S::InspectWait, E::Done, S::Manageable),
    (S::InspectWait, E::Fail, S::InspectFailed),
    (S::InspectWait, E::Resume, S::Inspecting),
    (S::Inspecting, E::Done, S::Manageable),
    (S::Inspecting, E::Fail, S::InspectFailed),
    (S::Inspecting, E::Wait, S::InspectWait),
    (S::Manageable, E::Adopt, S::Adopting),
    (S::Manageable, E::Clean, S::Cleaning),
    (S::Manageable, E::Inspect, S::Inspecting),
    (S::Manageable, E::Provide, S::Cleaning),
    (S::Rescue, E::Delete, S::Deleting),
    (S::Rescue, E::Rescue, S::Rescuing),
    (S::Rescue, E::Unrescue, S::Unrescuing),
    (S::RescueFailed, E::Delete, S::Deleting),
    (S::RescueFailed, E::Rescue, S::Rescuing),
    (S::RescueFailed, E::Unrescue, S::Unrescuing),
    (S::RescueWait, E::Abort, S::RescueFailed),
    (S::RescueWait, E::Delete, S::Deleting),
    (S::RescueWait, E::Fail, S::RescueFailed),
    (S::RescueWait, E::Resume, S::Rescuing),
    (S::Rescuing, E::Done, S::Rescue),
    (S::Rescuing, E::Fail, S::RescueFailed),
    (S::Rescuing, E::Wait, S::RescueWait),
    (S::ServiceFailed, E::Abort, S::Active),
    (S::ServiceFailed, E::Delete, S::Deleting),
    (S::ServiceFailed, E::Hold, S::ServiceHold),
    (S::ServiceFailed, E::Rescue, S::Rescuing),
    (S::ServiceFailed, E::Service, S::Servicing),
    (S::ServiceFailed, E::Wait, S::ServiceWait),
    (S::ServiceHold, E::Abort, S::ServiceFailed),
    (S::ServiceHold, E::Fail, S::ServiceFailed),
    (S::ServiceHold, E::Service, S::Servicing),
    (S::ServiceHold, E::Unhold, S::ServiceWait),
    (S::ServiceWait, E::Abort, S::ServiceFailed),
    (S::ServiceWait, E::Delete, S::Deleting),
    (S::ServiceWait, E::Fail, S::ServiceFailed),
    (S::ServiceWait, E::Hold, S::ServiceHold),
    (S::ServiceWait, E::Resume, S::Servicing),
    (S::Servicing, E::Done, S::Active),
    (S::Servicing, E::Fail, S::ServiceFailed),
    (S::Servicing, E::Hold, S::ServiceHold),
    (S::Servicing, E::Wait, S::ServiceWait),
    (S::UnrescueFailed, E::Delete, S::Deleting),
    (S::UnrescueFailed, E::Rescue, S::Rescuing),
    (S::UnrescueFailed, E::Unrescue, S::Unrescuing),
    (S::Unrescuing, E::Done, S::Active),
    (S::Unrescuing, E::Fail, S::UnrescueFailed),
    (S::Verifying, E::Done, S::Manageable),
    (S::Verifying, E::Fail, S::Enroll),
    (S::DeployWait, E::Abort, S::DeployFailed),
    (S::DeployWait, E::Delete, S::Deleting),
    (S::DeployWait, E::Fail, S::DeployFailed),
    (S::DeployWait, E::Hold, S::DeployHold),
    (S::DeployWait, E::Resume, S::Deploying),
];

impl ProvisionState {
    /// The state that `event` leads to.
    ///
    /// # Errors
    /// [`InvalidTransition`] when the table has no such row.
    pub fn on(self, event: Event) -> Result<Self, InvalidTransition> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == event)
            .map(|(_, _, to)| *to)
            .ok_or(InvalidTransition::Event { state: self, event })
    }

    /// The events that this state takes, with where they lead, in the order of the table.
    pub fn events(self) -> impl Iterator<Item = (Event, Self)> {
        TRANSITIONS
            .iter()
            .filter(move |(from, _, _)| *from == self)
            .map(|(_, by, to)| (*by, *to))
    }

    /// Whether a node in this state can be asked for this verb.
    pub fn takes(self, verb: Verb) -> bool {
        self.on(verb.event()).is_ok()
    }

    /// The verbs that a node in this state can be asked for.
    pub fn verbs(self) -> impl Iterator<Item = Verb> {
        let all = Verb::ALL.iter().copied();
        all.filter(move |verb| self.takes(*verb))
    }

    /// Whether a node rests here until somebody asks for something. Only such a state can be a
    /// target.
    pub const fn is_stable(self) -> bool {
        matches!(
            self,
            Self::Enroll
                | Self::Manageable
                | Self::Available
                | Self::Active
                | Self::Error
                | Self::Rescue
        )
    }

    /// The state that a node in this state is on its way to, unless another was asked for.
    pub const fn default_target(self) -> Option<Self> {
        match self {
            Self::AdoptFailed
            | Self::Adopting
            | Self::DeployFailed
            | Self::DeployHold
            | Self::Deploying
            | Self::ServiceFailed
            | Self::ServiceHold
            | Self::ServiceWait
            | Self::Servicing
            | Self::UnrescueFailed
            | Self::Unrescuing
            | Self::DeployWait => Some(Self::Active),
            Self::CleanFailed
            | Self::CleanHold
            | Self::CleanWait
            | Self::Cleaning
            | Self::Deleting => Some(Self::Available),
            Self::InspectFailed | Self::InspectWait | Self::Inspecting | Self::Verifying => {
                Some(Self::Manageable)
            }
            Self::RescueFailed | Self::RescueWait | Self::Rescuing => Some(Self::Rescue),
            _ => None,
        }
    }

    /// The state after `event` and the new target: the one asked for, else the default of the
    /// new state, else the target so far unless it has been reached.
    ///
    /// # Errors
    /// [`InvalidTransition`] when the table has no such row, or `requested` is not stable.
    pub fn advance(
        self,
        event: Event,
        target: Option<Self>,
        requested: Option<Self>,
    ) -> Result<(Self, Option<Self>), InvalidTransition> {
        let to = self.on(event)?;
        if let Some(requested) = requested {
            return Ok((to, Some(requested.checked_target()?)));
        }
        let kept = target.filter(|target| *target != to);
        Ok((to, to.default_target().or(kept)))
    }

    /// This state, if it may be a target.
    ///
    /// # Errors
    /// [`InvalidTransition::Target`] when it is not stable.
    pub fn checked_target(self) -> Result<Self, InvalidTransition> {
        if self.is_stable() {
            Ok(self)
        } else {
            Err(InvalidTransition::Target { target: self })
        }
    }

    /// Whether something went wrong on the way here.
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::AdoptFailed
                | Self::CleanFailed
                | Self::DeployFailed
                | Self::InspectFailed
                | Self::RescueFailed
                | Self::ServiceFailed
                | Self::UnrescueFailed
        )
    }

    /// Whether the node waits for its agent to call back.
    pub const fn is_waiting(self) -> bool {
        matches!(
            self,
            Self::DeployWait
                | Self::CleanWait
                | Self::InspectWait
                | Self::RescueWait
                | Self::ServiceWait
        )
    }

    /// Whether a conductor is working on the node; a node found so without a lock was left
    /// behind by a conductor that stopped.
    pub const fn is_in_progress(self) -> bool {
        matches!(
            self,
            Self::Deploying
                | Self::Cleaning
                | Self::Verifying
                | Self::Inspecting
                | Self::Adopting
                | Self::Rescuing
                | Self::Unrescuing
                | Self::Deleting
                | Self::Servicing
        )
    }

    /// Whether an agent may look the node up. With `fast_track`, also where a ramdisk that was
    /// left running may call.
    pub const fn allows_lookup(self, fast_track: bool) -> bool {
        match self {
            Self::Deploying
            | Self::DeployWait
            | Self::Cleaning
            | Self::CleanWait
            | Self::Inspecting
            | Self::InspectWait
            | Self::Rescuing
            | Self::RescueWait
            | Self::ServiceWait => true,
            Self::Enroll
            | Self::Manageable
            | Self::Available
            | Self::Servicing
            | Self::ServiceHold => fast_track,
            _ => false,
        }
    }

    /// Whether a node may be removed here outside maintenance; `available` only where the
    /// operator allows it.
    pub const fn allows_delete(self, available_too: bool) -> bool {
        match self {
            Self::Manageable | Self::Enroll | Self::AdoptFailed => true,
            Self::Available => available_too,
            _ => false,
        }
    }

    /// Whether a node in this state may be changed though it is on its way to another.
    pub const fn allows_update(self) -> bool {
        matches!(
            self,
            Self::DeployFailed
                | Self::Inspecting
                | Self::InspectFailed
                | Self::InspectWait
                | Self::CleanFailed
                | Self::Error
                | Self::Verifying
                | Self::AdoptFailed
                | Self::RescueFailed
                | Self::UnrescueFailed
                | Self::ServiceHold
                | Self::ServiceFailed
        )
    }

    /// Whether power is left alone by the periodic synchronisation.
    pub const fn excluded_from_power_sync(self) -> bool {
        matches!(
            self,
            Self::DeployWait | Self::CleanWait | Self::Enroll | Self::AdoptFailed
        )
    }
}
