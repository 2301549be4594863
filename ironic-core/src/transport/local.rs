use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{Handler, Request, Response, Transport};
use crate::Error;

/// Carries requests between conductors of one process, without a copy.
#[derive(Default)]
pub struct LocalTransport {
    conductors: Mutex<BTreeMap<String, Registered>>,
}

#[derive(Clone)]
struct Registered {
    handler: Weak<dyn Handler>,
    removed: CancellationToken,
}

impl LocalTransport {
    /// A transport that knows nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Delivers what is for `conductor` to `handler`, for as long as that lives. Another handler
    /// of that name gets nothing more; what it has been asked, it may still answer.
    pub fn register(&self, conductor: impl Into<String>, handler: &Arc<dyn Handler>) {
        let registered = Registered {
            handler: Arc::downgrade(handler),
            removed: CancellationToken::new(),
        };
        self.conductors().insert(conductor.into(), registered);
    }

    /// Delivers nothing to `conductor` any more; the calls that it has not answered yet end as
    /// [`Error::Unreachable`].
    pub fn remove(&self, conductor: &str) {
        if let Some(registered) = self.conductors().remove(conductor) {
            registered.removed.cancel();
        }
    }

    fn conductors(&self) -> MutexGuard<'_, BTreeMap<String, Registered>> {
        let conductors = self.conductors.lock();
        conductors.unwrap_or_else(PoisonError::into_inner)
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
        let unreachable = |message: &str| Error::Unreachable {
            what: format!("conductor {conductor}"),
            message: message.to_owned(),
        };
        let registered = self.conductors().get(conductor).cloned();
        let found = registered.and_then(|known| Some((known.handler.upgrade()?, known.removed)));
        let (handler, removed) =
            found.ok_or_else(|| unreachable("it does not run in this process"))?;
        // A defect of one conductor is not to take another one's caller along.
        let answer = AssertUnwindSafe(handler.handle(request)).catch_unwind();
        tokio::select! {
            biased;
            answer = answer => answer.unwrap_or_else(|_| {
                Err(Error::internal(format!("conductor {conductor} panicked; see its log")))
            }),
            () = removed.cancelled() => Err(unreachable("it was taken away before it answered")),
        }
    }
}
