//! Virtual media: images that a BMC shows to its machine as a disk or CD.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use super::jobs::Job;
use crate::Error;
use crate::driver::VirtualMediaDevice;
use crate::engine::POWER_FAILURE;
use crate::model::{Node, is_http_url};
use crate::transport::MachineAnswer;

impl Inner {
    pub(super) async fn virtual_media(&self, node: Uuid) -> Result<MachineAnswer, Error> {
        let task = self.manager.shared(node, "get virtual media").await?;
        let management = &task.driver().management;
        management.validate(&task).await?;
        let slots = management.virtual_media(&task).await?;
        Ok(MachineAnswer::VirtualMedia { slots })
    }

    pub(super) async fn attach_virtual_media(
        self: &Arc<Self>,
        node: Uuid,
        device: VirtualMediaDevice,
        image_url: String,
    ) -> Result<MachineAnswer, Error> {
        if !is_http_url(&image_url) {
            return Err(Error::invalid(
                "image_url must be an http:// or https:// URL that the BMC can fetch",
            ));
        }
        let job = Job::AttachMedia(device, image_url);
        self.change_media(node, "attach virtual media", job).await
    }

    pub(super) async fn detach_virtual_media(
        self: &Arc<Self>,
        node: Uuid,
        devices: Vec<VirtualMediaDevice>,
    ) -> Result<MachineAnswer, Error> {
        self.change_media(node, "detach virtual media", Job::DetachMedia(devices))
            .await
    }

    async fn change_media(
        self: &Arc<Self>,
        node: Uuid,
        purpose: &str,
        job: Job,
    ) -> Result<MachineAnswer, Error> {
        self.manage_in_background(node, purpose, job, is_unreachable)
            .await
    }
}

/// A BMC that does not answer is not kept busy with another request.
fn is_unreachable(node: &Node) -> Option<String> {
    (node.maintenance && node.fault.as_deref() == Some(POWER_FAILURE))
        .then(|| "its BMC does not answer".to_owned())
}
