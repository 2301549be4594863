use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;

use super::{Handler, Request, Response, Transport};
use crate::Error;

/// Carries requests between conductors of one process, without a copy.
#[derive(Default)]
pub struct LocalTransport {
    handlers: Mutex<BTreeMap<String, Weak<dyn Handler>>>,
}

impl LocalTransport {
    /// A transport that knows nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Delivers what is for `conductor` to `handler`, for as long as that lives.
    pub fn register(&self, conductor: impl Into<String>, handler: &Arc<dyn Handler>) {
        self.handlers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(conductor.into(), Arc::downgrade(handler));
    }
}

impl std::fmt::Debug for LocalTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalTransport")
    }
}

#[async_trait]
impl Transport for LocalTransport {
    async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let handler = {
            let handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
            handlers.get(conductor).and_then(Weak::upgrade)
        };
        let handler = handler.ok_or_else(|| Error::Unreachable {
            what: format!("conductor {conductor}"),
            message: "it does not run in this process".to_owned(),
        })?;
        handler.handle(request).await
    }
}
