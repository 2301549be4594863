//! An embeddable bare-metal provisioning engine: states, tasks, conductor, drivers.
