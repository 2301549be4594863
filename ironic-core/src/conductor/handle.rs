//! Answering requests.

use std::sync::Arc;

use async_trait::async_trait;

use super::Inner;
use crate::Error;
use crate::task::on_behalf_of;
use crate::transport::{Call, Handler, Request, RequestContext, Response};

/// A conductor as what a transport delivers to.
pub(super) struct Service {
    pub(super) inner: Arc<Inner>,
}

#[async_trait]
impl Handler for Service {
    async fn handle(&self, request: Request) -> Result<Response, Error> {
        let inner = &self.inner;
        if request.version != Request::VERSION {
            return Err(Error::invalid(format!(
                "this conductor speaks version {} of requests, not {}",
                Request::VERSION,
                request.version
            )));
        }
        let now = inner.manager.context().clock.now();
        if request
            .context
            .deadline
            .is_some_and(|deadline| deadline <= now)
        {
            return Err(Error::Timeout {
                what: "the caller's deadline".into(),
                after: std::time::Duration::ZERO,
            });
        }
        // The request is carried out to its end even if its caller stops waiting for the answer, or
        // its caller's runtime ends: what has been committed must be carried out too.
        let (inner, call, context) = (Arc::clone(inner), request.call, request.context);
        let carried_out = async move {
            let answer = on_behalf_of(&context.request_id, inner.announced(call, &context));
            tokio::select! {
                biased;
                () = inner.stopped.cancelled() => Err(Error::NoFreeWorker { host: inner.config.host.clone() }),
                answer = answer => answer,
            }
        };
        let answer = self.inner.work.spawn_on(carried_out, &self.inner.runtime);
        match answer.await {
            Ok(answer) => answer,
            Err(error) => Err(Error::internal(format!(
                "the request ended unexpectedly: {error}"
            ))),
        }
    }
}

impl Inner {
    pub(super) async fn dispatch(
        self: &Arc<Self>,
        call: Call,
        context: &RequestContext,
    ) -> Result<Response, Error> {
        let inner = self;
        match call {
            Call::CreateNode { node } => inner.create_node(*node).await,
            Call::UpdateNode { node, changes } => inner.update_node(node, &changes).await,
            Call::DestroyNode { node } => inner.destroy_node(node).await,
            Call::CreatePort { port } => inner.create_port(*port).await,
            Call::UpdatePort {
                node,
                port,
                changes,
            } => inner.update_port(node, port, &changes).await,
            Call::CreateRecord { record } => inner.create_record(*record).await,
            Call::UpdateRecord { kind, id, changes } => {
                inner.update_record(kind, id, &changes).await
            }
            Call::DestroyRecord { kind, id } => inner.destroy_record(kind, id).await,
            Call::DestroyPort { node, port } => inner.destroy_port(node, port).await,
            Call::AddTraits {
                node,
                names,
                replace,
            } => inner.add_traits(node, names, replace).await,
            Call::RemoveTraits { node, names } => inner.remove_traits(node, names).await,
            Call::SetTargetRaid { node, config } => inner.set_target_raid(node, config).await,
            Call::Provision { node, verb, args } => {
                inner.provision(node, verb, args, context).await
            }
            Call::Plan { node, verb, args } => inner.plan(node, verb, args, context).await,
            Call::SetPower {
                node,
                target,
                timeout,
            } => inner.set_power(node, target, timeout, context).await,
            Call::SetMaintenance { node, on, reason } => {
                inner.set_maintenance(node, on, reason).await
            }
            Call::Validate { node } => inner.validate(node).await,
            Call::GetBootDevice { node } => inner.get_boot_device(node).await,
            Call::SetBootDevice {
                node,
                device,
                persistent,
            } => inner.set_boot_device(node, device, persistent).await,
            Call::SupportedBootDevices { node } => inner.supported_boot_devices(node).await,
            Call::Machine { node, ask } => inner.ask_machine(node, ask).await,
            Call::Driver { driver, ask } => inner.ask_driver(&driver, ask).await,
            Call::Lookup { node } => inner.lookup(node).await,
            Call::Heartbeat { node, args } => inner.heartbeat(node, &args).await,
            Call::ContinueFlow { node, flow } => inner.continue_flow(node, flow).await,
            Call::ContinueInspection { node, found } => {
                inner.continue_inspection(node, &found).await
            }
        }
    }
}
