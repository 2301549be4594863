use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::TransportCluster;
use crate::transport::{Handler, LocalTransport, Transport};

/// Conductors behind a [`LocalTransport`], which holds none of them: this does.
#[derive(Default)]
pub struct LocalCluster {
    transport: Arc<LocalTransport>,
    handlers: Mutex<BTreeMap<String, Arc<dyn Handler>>>,
}

impl LocalCluster {
    /// A cluster of nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for LocalCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalCluster")
    }
}

#[async_trait]
impl TransportCluster for LocalCluster {
    fn transport(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    async fn start(&self, conductor: &str, handler: Arc<dyn Handler>) {
        self.transport.register(conductor, &handler);
        let mut handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.insert(conductor.to_owned(), handler);
    }

    async fn take_away(&self, conductor: &str) {
        self.transport.remove(conductor);
        let mut handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.remove(conductor);
    }
}
