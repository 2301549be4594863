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
        /// A heartbeat that arrives while the node is held is answered, and forgotten.
        HeartbeatLost = "heartbeat-lost",
        /// A request that the wire has repeated is carried out twice.
        DuplicateDelivered = "duplicate-delivered",
        /// An error of a driver shows a password.
        SecretInError = "secret-in-error",
        /// A driver says that a step is done whose work has failed.
        FailureUnnoticed = "failure-unnoticed",
    }
}
