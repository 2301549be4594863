//! Work on a machine that goes on after whoever asked for it has been answered.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use super::Inner;
use crate::Error;
use crate::driver::{Task, VirtualMediaDevice};
use crate::model::JsonMap;
use crate::states::BootMode;
use crate::transport::MachineAnswer;

/// What is done to a machine while its node is held.
pub(super) enum Job {
    /// Set how it boots.
    BootMode(BootMode),
    /// Set whether its firmware checks what it boots.
    SecureBoot(bool),
    /// Put the image at a URL into a slot.
    AttachMedia(VirtualMediaDevice, String),
    /// Empty slots; without any, all.
    DetachMedia(Vec<VirtualMediaDevice>),
    /// Start or stop its console.
    Console(bool),
    /// Call a method of its vendor's: name, HTTP method, arguments.
    Vendor(String, String, JsonMap),
}

impl Job {
    /// What it does, after "failed to".
    fn what(&self) -> String {
        match self {
            Self::BootMode(mode) => format!("change boot mode to '{mode}'"),
            Self::SecureBoot(on) => format!("change secure boot state to '{on}'"),
            Self::AttachMedia(device, _) => format!("attach virtual media device {device}"),
            Self::DetachMedia(devices) if devices.is_empty() => "detach virtual media".to_owned(),
            Self::DetachMedia(devices) => {
                let names: Vec<_> = devices.iter().map(|device| device.as_str()).collect();
                format!("detach virtual media devices {}", names.join(", "))
            }
            Self::Console(true) => "enable the console".to_owned(),
            Self::Console(false) => "disable the console".to_owned(),
            Self::Vendor(method, ..) => format!("carry out the vendor method {method}"),
        }
    }

    /// The sort of event that its failure is in the node's history.
    fn activity(&self) -> &'static str {
        match self {
            Self::Console(_) => "console",
            Self::Vendor(..) => "vendor",
            _ => "management",
        }
    }

    async fn carry_out(&self, inner: &Inner, task: &mut Task) -> Result<(), Error> {
        let driver = task.driver();
        match self {
            Self::BootMode(mode) => super::management::change_boot_mode(task, *mode).await,
            Self::SecureBoot(on) => super::management::change_secure_boot(task, *on).await,
            Self::AttachMedia(device, url) => {
                let management = &driver.management;
                management.attach_virtual_media(task, *device, url).await
            }
            Self::DetachMedia(devices) => {
                driver.management.detach_virtual_media(task, devices).await
            }
            Self::Console(on) => inner.switch_console(task, *on).await,
            Self::Vendor(method, http_method, args) => {
                let called = driver.vendor.call(task, method, http_method, args);
                called.await.map(drop)
            }
        }
    }
}

impl Inner {
    /// Begins a job on a node and answers; how it ends, the node tells: by what the job changes,
    /// or by `last_error`.
    pub(super) async fn begin_job(
        self: &Arc<Self>,
        mut task: Task,
        worker: OwnedSemaphorePermit,
        job: Job,
    ) -> Result<MachineAnswer, Error> {
        task.node_mut().last_error = None;
        if let Err(error) = task.save().await {
            self.give_up(task).await;
            return Err(error);
        }
        let (inner, span) = (Arc::clone(self), task.span().clone());
        self.spawn(async move {
            inner.do_job(task, &job).instrument(span).await;
            drop(worker);
        });
        Ok(MachineAnswer::Done)
    }

    async fn do_job(self: &Arc<Self>, mut task: Task, job: &Job) {
        let node = task.node_id();
        match job.carry_out(self, &mut task).await {
            Ok(()) => tracing::info!(%node, job = job.what(), "done"),
            Err(error) => {
                let text = format!("failed to {}: {error}", job.what());
                tracing::warn!(%node, %error, "{text}");
                self.note_failure(&task, job.activity(), &error, &text)
                    .await;
                task.node_mut().last_error = Some(text);
            }
        }
        if let Err(error) = task.save().await {
            tracing::warn!(%node, %error, "what came of the work is not recorded");
        }
        self.give_up(task).await;
    }
}
