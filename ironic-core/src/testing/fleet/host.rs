use std::fmt;
use std::sync::Arc;

use crate::driver::RegistryBuilder;
use crate::store::{MemoryStore, Store};

type AddDrivers = Arc<dyn Fn(RegistryBuilder) -> RegistryBuilder + Send + Sync>;

/// What a host brings into a simulation instead of what there is: its store, its drivers.
#[derive(Clone)]
#[non_exhaustive]
#[must_use]
pub struct FleetHost {
    pub(super) store: Arc<dyn Store>,
    pub(super) drivers: AddDrivers,
}

impl fmt::Debug for FleetHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetHost").finish_non_exhaustive()
    }
}

impl Default for FleetHost {
    fn default() -> Self {
        Self {
            store: Arc::new(MemoryStore::new()),
            drivers: Arc::new(|builder| builder),
        }
    }
}

impl FleetHost {
    /// The same with this store, which is empty. It waits on tokio's clock alone, and answers
    /// commits in the order in which it applies them.
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        Self { store, ..self }
    }

    /// The same with these drivers, which are registered anew for each life of a conductor. A
    /// node gets an interface of theirs that is made the default of its kind; power, deployment,
    /// inspection and rescue stay those of the simulated machines.
    pub fn drivers(
        self,
        add: impl Fn(RegistryBuilder) -> RegistryBuilder + Send + Sync + 'static,
    ) -> Self {
        let drivers = Arc::new(add);
        Self { drivers, ..self }
    }
}
