use std::{io, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use ironic_agent::{
    Bootloader, Disk, FileHardware, Hardware, HardwareError, Inventory, PowerAction,
};
use ironic_core::Secret;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Hardware that is dead once its power is gone, whoever still holds it.
pub(super) struct Plugged {
    pub(super) hardware: FileHardware,
    pub(super) plug: Plug,
}

/// The plug of one run of a machine.
#[derive(Clone)]
pub(super) struct Plug {
    pub(super) power: CancellationToken,
    /// Writes that have begun: a file does not stop halfway, and the next run has to wait for them.
    pub(super) io: TaskTracker,
}

impl Plug {
    fn check(&self) -> io::Result<()> {
        if self.power.is_cancelled() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "no power"));
        }
        Ok(())
    }

    /// Runs what changes a disk, to its end even if nobody waits for it.
    async fn change<T: Send + 'static>(
        &self,
        work: impl Future<Output = io::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        // Before the check: who cuts the power and then waits for the tracker misses no write.
        let token = self.io.token();
        self.check()?;
        let task = tokio::spawn(async move {
            let _token = token;
            work.await
        });
        task.await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl Hardware for Plugged {
    async fn inventory(&self) -> Result<Inventory, HardwareError> {
        self.hardware.inventory().await
    }

    async fn open_disk(&self, name: &str) -> Result<Arc<dyn Disk>, HardwareError> {
        Ok(Arc::new(PluggedDisk {
            disk: self.hardware.open_disk(name).await?,
            plug: self.plug.clone(),
        }))
    }

    async fn install_bootloader(&self, request: &Bootloader) -> Result<bool, HardwareError> {
        self.hardware.install_bootloader(request).await
    }

    async fn sync(&self) -> Result<(), HardwareError> {
        self.hardware.sync().await
    }

    async fn power(&self, action: PowerAction) -> Result<(), HardwareError> {
        self.hardware.power(action).await
    }

    async fn set_rescue_password(&self, hashed: &Secret<String>) -> Result<(), HardwareError> {
        let dead = |source| HardwareError::io("keeping the rescue password", source);
        self.plug.check().map_err(dead)?;
        self.hardware.set_rescue_password(hashed).await
    }
}

struct PluggedDisk {
    disk: Arc<dyn Disk>,
    plug: Plug,
}

#[async_trait]
impl Disk for PluggedDisk {
    fn size(&self) -> u64 {
        self.disk.size()
    }

    fn sector_size(&self) -> u32 {
        self.disk.sector_size()
    }

    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.plug.check()?;
        self.disk.read_at(offset, len).await
    }

    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()> {
        let disk = Arc::clone(&self.disk);
        self.plug
            .change(async move { disk.write_at(offset, data).await })
            .await
    }

    async fn erase(&self) -> io::Result<bool> {
        let disk = Arc::clone(&self.disk);
        self.plug.change(async move { disk.erase().await }).await
    }

    async fn sync(&self) -> io::Result<()> {
        self.plug.check()?;
        self.disk.sync().await
    }
}

#[cfg(test)]
mod tests {
    use ironic_agent::FileDisk;

    use super::*;

    #[tokio::test]
    async fn nothing_is_written_without_power_and_what_began_is_waited_for() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096).unwrap();
        let plug = Plug {
            power: CancellationToken::new(),
            io: TaskTracker::new(),
        };
        plug.io.close();
        let disk = Arc::new(PluggedDisk {
            disk: Arc::new(FileDisk::regular(file, 4096)),
            plug: plug.clone(),
        });
        disk.write_at(0, Bytes::from_static(b"kept")).await.unwrap();
        // A write whose caller is gone before it ends.
        let writer = Arc::clone(&disk);
        let mut write = Box::pin(writer.write_at(8, Bytes::from_static(b"begun")));
        assert!(futures_poll(&mut write).is_pending());
        drop(write);
        plug.power.cancel();
        plug.io.wait().await;
        for result in [
            disk.write_at(0, Bytes::from_static(b"lost")).await,
            disk.erase().await.map(|_| ()),
            disk.read_at(0, 4).await.map(|_| ()),
            disk.sync().await,
        ] {
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
        assert_eq!(disk.disk.read_at(0, 4).await.unwrap(), b"kept");
        assert_eq!(disk.disk.read_at(8, 5).await.unwrap(), b"begun");
    }

    fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::pin::Pin::new(future).poll(&mut context)
    }
}
