//! The toy's virtual media: two slots for CDs.

use ironic_core::Error;
use ironic_core::driver::{SharedTask, VirtualMediaDevice, VirtualMediaSlot};
use serde_json::json;

use super::{Fault, ToyDriver};

impl ToyDriver {
    pub(super) async fn slots(&self, task: &SharedTask) -> Result<Vec<VirtualMediaSlot>, Error> {
        let images = self.ask(task, "media?").await?;
        let slots = images.split(' ').map(|image| {
            let details = json!({"media_types": ["CD"], "inserted": !image.is_empty(),
                "image": image});
            VirtualMediaSlot::new(details.as_object().unwrap().clone())
        });
        Ok(slots.collect())
    }

    async fn is_full(&self, task: &SharedTask) -> Result<bool, Error> {
        let slots = self.slots(task).await?;
        Ok(slots.iter().any(VirtualMediaSlot::is_inserted))
    }

    pub(super) async fn attach(
        &self,
        task: &SharedTask,
        device: VirtualMediaDevice,
        image_url: &str,
    ) -> Result<(), Error> {
        if device != VirtualMediaDevice::Cdrom {
            let text = format!("there is no slot for a {device}");
            return Err(match self.has(Fault::CallsAMissingSlotAFailure) {
                true => Error::driver("toy", text),
                false => Error::invalid(text),
            });
        }
        let full = self.is_full(task).await?;
        match self.fault() {
            Fault::AttachesNothing => Ok(()),
            Fault::RefusesAFullSlot if full => Err(Error::driver("toy", "the slot is full")),
            Fault::AttachesBeside if full => {
                let line = format!("insert-beside {image_url}");
                self.ask(task, &line).await.map(drop)
            }
            _ => {
                let line = format!("insert {image_url}");
                self.ask(task, &line).await.map(drop)
            }
        }
    }

    pub(super) async fn detach(
        &self,
        task: &SharedTask,
        devices: &[VirtualMediaDevice],
    ) -> Result<(), Error> {
        let named = devices.contains(&VirtualMediaDevice::Cdrom);
        let all = devices.is_empty() && !self.has(Fault::DetachesByNameOnly);
        if !(named || all) || self.has(Fault::DetachesNothing) {
            return Ok(());
        }
        if self.has(Fault::RefusesAnEmptySlot) && !self.is_full(task).await? {
            return Err(Error::driver("toy", "the slot is empty"));
        }
        self.ask(task, "eject").await.map(drop)
    }
}
