string_enum! {
    /// A defect that the simulation is to find: what a store, a driver, a transport or a
    /// conductor would do wrong that broke its contract.
    #[non_exhaustive]
    pub enum Bug("bug") {
        /// The store applies a batch whatever its fence says.
        FencesIgnored = "fences-ignored",
        /// The store applies a batch whatever revisions it expects.
        RevisionsIgnored = "revisions-ignored",
        /// A driver sends commands without a permit, so whatever the conductor's lease says.
        LeaseIgnored = "lease-ignored",
        /// A conductor takes over before the lease of whom it takes from has ended.
        HastyTakeOver = "hasty-take-over",
        /// A conductor takes a lock that another one holds.
        LockStolen = "lock-stolen",
        /// The answer of a commit that got lost is taken for a failure, and the batch is repeated.
        LostAnswerRepeated = "lost-answer-repeated",
        /// A flow that fails does not give the lock back.
        LockKept = "lock-kept",
        /// A conductor does not go on with what a dead one left in the middle.
        WorkForgotten = "work-forgotten",
        /// A conductor does not wait on for what a dead one, or an earlier life, waited for.
        DeadlineForgotten = "deadline-forgotten",
        /// A step that was begun is begun again, and not asked about, when its conductor died.
        StepRepeated = "step-repeated",
        /// The outcome of an effect is applied to whatever flow there is by then.
        StaleOutcome = "stale-outcome",
        /// A heartbeat that arrives while the node is held is answered, and forgotten.
        HeartbeatLost = "heartbeat-lost",
        /// A request that the wire has repeated is carried out twice.
        DuplicateDelivered = "duplicate-delivered",
        /// An error of a driver shows a password.
        SecretInError = "secret-in-error",
        /// A line of the log shows a password.
        SecretInLog = "secret-in-log",
        /// A node's history shows a password.
        SecretInHistory = "secret-in-history",
        /// A driver says that a step is done whose work has failed.
        FailureUnnoticed = "failure-unnoticed",
    }
}

impl Bug {
    /// Whose contract it breaks, and how.
    pub const fn breaks(self) -> &'static str {
        match self {
            Self::FencesIgnored => "store: applies a batch whose fence is over",
            Self::RevisionsIgnored => "store: applies a batch whatever revisions it expects",
            Self::LeaseIgnored => "driver: sends commands without a permit",
            Self::HastyTakeOver => "conductor: takes over before the lease has ended",
            Self::LockStolen => "conductor: takes a lock that another one holds",
            Self::LostAnswerRepeated => "conductor: takes a lost answer for a failure, and repeats",
            Self::LockKept => "conductor: a flow that fails keeps the lock",
            Self::WorkForgotten => "conductor: what a dead one left in the middle stays there",
            Self::DeadlineForgotten => "conductor: a restart forgets what was waited for",
            Self::StepRepeated => {
                "engine: a step is begun again, and not asked about, after a crash"
            }
            Self::StaleOutcome => "engine: an outcome is applied to a flow that it is not of",
            Self::HeartbeatLost => "conductor: a heartbeat while the node is held is forgotten",
            Self::DuplicateDelivered => "transport: delivers a request twice",
            Self::SecretInError => "driver: an error shows a password",
            Self::SecretInLog => "driver: a line of the log shows a password",
            Self::SecretInHistory => "conductor: the history shows a password",
            Self::FailureUnnoticed => "driver: says that a failed step is done",
        }
    }

    /// The invariants that it breaks: who finds it by another one has found something else.
    pub const fn found_by(self) -> &'static [&'static str] {
        match self {
            Self::FencesIgnored
            | Self::HastyTakeOver
            | Self::LockStolen
            | Self::LostAnswerRepeated => &[
                "a node is owned by one conductor",
                "nobody writes over what he has not read",
                "no lock outlives its owner",
            ],
            Self::RevisionsIgnored => &["nobody writes over what he has not read"],
            Self::LeaseIgnored => &[
                "no command outlasts its conductor's lease",
                "a machine is never powered or written by two",
            ],
            Self::LockKept | Self::WorkForgotten | Self::DeadlineForgotten => &[
                "every node settles once nothing fails",
                "every node rests, or has a deadline or a reason",
                "no lock outlives its owner",
            ],
            Self::StepRepeated | Self::DuplicateDelivered => {
                &["what is asked for is done once at most"]
            }
            // Whatever follows from what has not been done, and counts as done.
            Self::StaleOutcome | Self::FailureUnnoticed => &[
                "no instance is lost",
                "what is asked for is done once at most",
                "what an agent says is heard",
                "provision_state follows the table",
                "a machine is never powered or written by two",
                "every node settles once nothing fails",
                "every node rests, or has a deadline or a reason",
            ],
            Self::HeartbeatLost => &["what an agent says is heard"],
            Self::SecretInError | Self::SecretInLog | Self::SecretInHistory => {
                &["secrets are kept"]
            }
        }
    }
}
