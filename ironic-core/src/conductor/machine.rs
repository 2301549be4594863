//! What is asked of a machine's hardware, beside its power: who answers it.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Task;
use crate::model::{HistoryEvent, Severity};
use crate::store::Batch;
use crate::transport::{DriverCall, MachineAnswer, MachineCall, Response};

impl Inner {
    /// Answers what is asked about a node's machine.
    pub(super) async fn ask_machine(
        self: &Arc<Self>,
        node: Uuid,
        ask: MachineCall,
    ) -> Result<Response, Error> {
        let answer = match ask {
            MachineCall::SetBootMode { mode } => self.set_boot_mode(node, mode).await,
            MachineCall::SetSecureBoot { on } => self.set_secure_boot(node, on).await,
            MachineCall::InjectNmi => self.inject_nmi(node).await,
            MachineCall::Indicators { component } => self.indicators(node, component).await,
            MachineCall::GetIndicator {
                component,
                indicator,
            } => self.get_indicator(node, component, &indicator).await,
            MachineCall::SetIndicator {
                component,
                indicator,
                state,
            } => self.set_indicator(node, component, &indicator, state).await,
            MachineCall::VirtualMedia => self.virtual_media(node).await,
            MachineCall::AttachVirtualMedia { device, image_url } => {
                self.attach_virtual_media(node, device, image_url).await
            }
            MachineCall::DetachVirtualMedia { devices } => {
                self.detach_virtual_media(node, devices).await
            }
            MachineCall::Console => self.get_console(node).await,
            MachineCall::SetConsole { on } => self.set_console(node, on).await,
            MachineCall::VendorMethods => self.vendor_methods(node).await,
            MachineCall::CallVendor {
                method,
                http_method,
                args,
            } => self.call_vendor(node, method, &http_method, args).await,
            MachineCall::Vifs => self.vifs(node).await,
            MachineCall::AttachVif { info } => self.attach_vif(node, &info).await,
            MachineCall::DetachVif { id } => self.detach_vif(node, &id).await,
        };
        answer.map(|answer| Response::Machine { answer })
    }

    /// Answers what is asked about a hardware type.
    pub(super) async fn ask_driver(
        self: &Arc<Self>,
        driver: &str,
        ask: DriverCall,
    ) -> Result<Response, Error> {
        let answer = match ask {
            DriverCall::VendorMethods => self.driver_vendor_methods(driver),
            DriverCall::LogicalDiskProperties => {
                let raid = self.manager.registry().default_raid(driver);
                raid.map_err(Error::from)
                    .map(|raid| MachineAnswer::LogicalDiskProperties {
                        properties: raid.logical_disk_properties(),
                    })
            }
            DriverCall::CallVendor {
                method,
                http_method,
                args,
            } => {
                self.call_driver_vendor(driver, method, &http_method, args)
                    .await
            }
        };
        answer.map(|answer| Response::Machine { answer })
    }

    /// Gives a node back, with what was changed on it where that went well.
    pub(super) async fn conclude(
        self: &Arc<Self>,
        mut task: Task,
        done: Result<(), Error>,
    ) -> Result<MachineAnswer, Error> {
        let done = match done {
            Ok(()) => task.save().await,
            Err(error) => Err(error),
        };
        self.give_up(task).await;
        done.map(|()| MachineAnswer::Done)
    }

    /// Writes down that something went wrong with a node that is held.
    pub(super) async fn note_failure(
        &self,
        task: &Task,
        activity: &str,
        error: &Error,
        text: &str,
    ) {
        let (node, code) = (task.node_id(), error.code());
        let now = self.manager.context().clock.now();
        let event = HistoryEvent::new(node, Severity::Error, activity, code, text);
        let event = event.met_by(task.node(), now);
        let noted = async {
            let Some(op) = self.manager.history_op(&event)? else {
                return Ok(());
            };
            let batch = Batch {
                fence: Some(task.fence()),
                ops: vec![op],
            };
            self.manager.context().repository.commit(batch).await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = noted.await {
            tracing::warn!(node = %task.node_id(), %error, "the node's history lacks an event");
        }
    }
}
