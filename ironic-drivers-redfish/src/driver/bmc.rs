//! A BMC in a task's hands: every request to it goes by the conductor's governor.

use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::SharedTask;
use ironic_core::governor::{BmcEndpoint, BmcPermit};
use tokio::sync::{mpsc, oneshot};

use super::{RedfishDriver, error};
use crate::client::Client;
use crate::error::RedfishError;
use crate::http::{HttpError, HttpRequest, HttpResponse, HttpTransport};
use crate::system::{BootVendor, System};

/// Asks the task for leave to send one request.
type Asking = oneshot::Sender<BmcPermit>;

/// A node's BMC, for the time of one operation.
///
/// An operation is many requests with pauses in between, so a permit is had for each request and
/// not for the whole: others get their turn in the pauses, and no request outlasts the lease.
pub(super) struct Bmc<'task> {
    task: &'task SharedTask,
    endpoint: BmcEndpoint,
    asked: mpsc::UnboundedReceiver<Asking>,
    client: Arc<Client>,
    /// Shows the pool that its client is in use.
    _pooled: Arc<Client>,
    system_id: Option<String>,
}

impl<'task> Bmc<'task> {
    /// The BMC that the task's node names; nothing is sent yet.
    pub(super) async fn open(
        driver: &RedfishDriver,
        task: &'task SharedTask,
    ) -> Result<Self, Error> {
        let (info, connection) = driver.settings(task.node())?;
        let lent = driver.pool.lend(&connection);
        let (client, leaving) =
            lent.map_err(|error| error::convert(error, &connection.base.to_string()))?;
        for client in leaving {
            let mut bmc = Self::of(task, client, None);
            let client = Arc::clone(&bmc.client);
            let logout = async {
                client.close().await;
                Ok(())
            };
            if let Err(error) = bmc.run(logout).await {
                tracing::debug!(%error, "a session is left to its own time-out");
            }
        }
        Ok(Self::of(task, client, info.system_id))
    }

    fn of(task: &'task SharedTask, pooled: Arc<Client>, system_id: Option<String>) -> Self {
        let (asking, asked) = mpsc::unbounded_channel();
        let client = pooled.over(|inner| Arc::new(Governed { inner, asking }));
        Self {
            task,
            endpoint: BmcEndpoint::new(pooled.connection().base.to_string()),
            asked,
            client: Arc::new(client),
            _pooled: pooled,
            system_id,
        }
    }

    /// The client, whose operations are to be carried out by this BMC's methods.
    pub(super) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    /// The node's machine, as it is now.
    pub(super) async fn system(&mut self) -> Result<System, Error> {
        let (client, id) = (Arc::clone(&self.client), self.system_id.clone());
        self.run(System::find(&client, id.as_deref())).await
    }

    /// What is particular about the node's vendor.
    pub(super) fn vendor(&self) -> BootVendor {
        let vendor = self.task.node().properties.get("vendor");
        let vendor = vendor.and_then(|vendor| vendor.as_str());
        vendor.map_or(BootVendor::Usual, BootVendor::of)
    }

    /// Carries out `operation`, a future of this BMC's client.
    pub(super) async fn run<T>(
        &mut self,
        operation: impl Future<Output = Result<T, RedfishError>>,
    ) -> Result<T, Error> {
        let outcome = self.attempt(operation).await?;
        outcome.map_err(|error| error::convert(error, &self.endpoint.to_string()))
    }

    /// As [`run`](Self::run), for a caller who looks at what the BMC says. The outer error is that
    /// nothing may be sent.
    pub(super) async fn attempt<T>(
        &mut self,
        operation: impl Future<Output = Result<T, RedfishError>>,
    ) -> Result<Result<T, RedfishError>, Error> {
        let mut operation = pin!(operation);
        loop {
            tokio::select! {
                biased;
                outcome = &mut operation => return Ok(outcome),
                Some(asking) = self.asked.recv() => {
                    let permit = self.task.bmc_permit(&self.endpoint).await?;
                    // Whoever has stopped waiting does not send.
                    drop(asking.send(permit));
                }
            }
        }
    }

    /// The error of something that the machine cannot do at all.
    pub(super) fn unsupported(&self, extension: &str) -> Error {
        Error::Unsupported {
            driver: self.task.node().driver.clone(),
            extension: extension.to_owned(),
        }
    }

    /// What the engine makes of an error of this BMC's.
    pub(super) fn convert(&self, error: RedfishError) -> Error {
        error::convert(error, &self.endpoint.to_string())
    }
}

/// A transport that sends nothing without a permit, and nothing beyond the permit's deadline.
#[derive(Debug)]
struct Governed {
    inner: Arc<dyn HttpTransport>,
    asking: mpsc::UnboundedSender<Asking>,
}

#[async_trait]
impl HttpTransport for Governed {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (asking, permit) = oneshot::channel();
        let unasked = || HttpError::Connect {
            reason: "nobody gives leave to send".to_owned(),
            source: None,
        };
        self.asking.send(asking).map_err(|_| unasked())?;
        let permit = permit.await.map_err(|_| unasked())?;
        let sending = self.inner.send(request);
        match tokio::time::timeout_at(permit.deadline(), sending).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::Timeout),
        }
    }
}
