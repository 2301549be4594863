use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value, json};

use super::{Params, Work, read_none};
use crate::configdrive::{ConfigDrive, MAX_CONFIG_DRIVE_MIB};
use crate::fault::{Fault, FaultKind};
use crate::hardware::{Disk, PowerAction};
use crate::image::{Downloader, ImageInfo};
use crate::partition::{PartitionError, Table, destroy_metadata, disk_identifier};
use crate::root_device;
use crate::shared::Shared;

/// Most bytes of a config drive on its way, still in base64: a third more than the drive itself,
/// and a little for what gzip and line breaks add.
const MOST_DOWNLOADED: usize = 96 << 20;

/// What the deployment so far has left behind.
#[derive(Debug, Default)]
pub(crate) struct Standby {
    written: Option<String>,
    partition_uuids: Map<String, Value>,
}

pub(super) fn prepare(
    shared: &Arc<Shared>,
    method: &str,
    params: Params,
) -> Result<Option<Work>, Fault> {
    let agent = Arc::clone(shared);
    if method == "prepare_image" {
        let preparation = Preparation::parse(shared, params)?;
        return Ok(Some(Work::background("prepare_image", async move {
            let text = preparation.run(&agent).await?;
            Ok(json!({"result": format!("prepare_image: {text}")}))
        })));
    }
    let work = match method {
        "power_off" => {
            Work::background(
                "power_off",
                async move { power(&agent, PowerAction::Off).await },
            )
        }
        "run_image" => Work::background("run_image", async move {
            power(&agent, PowerAction::Reboot).await
        }),
        "sync" => Work::now("sync", async move {
            let synced = agent.hardware.sync().await;
            synced
                .map(|()| Value::Null)
                .map_err(|e| Fault::new(FaultKind::CommandExecutionError, e.to_string()))
        }),
        "get_partition_uuids" => Work::now("get_partition_uuids", async move {
            Ok(Value::Object(agent.standby().partition_uuids.clone()))
        }),
        _ => return Ok(None),
    };
    read_none(&params)?;
    Ok(Some(work))
}

async fn power(shared: &Shared, action: PowerAction) -> Result<Value, Fault> {
    if let Err(error) = shared.hardware.sync().await {
        shared.journal.warn(&format!("sync failed: {error}"));
    }
    shared
        .hardware
        .power(action)
        .await
        .map(|()| Value::Null)
        .map_err(|error| Fault::new(FaultKind::SystemRebootError, error.to_string()))
}

/// An image and a config drive on their way to the root disk.
pub(super) struct Preparation {
    image: ImageInfo,
    raw: Map<String, Value>,
    configdrive: Option<String>,
    md5_enabled: bool,
}

impl Preparation {
    /// Checks the parameters of `prepare_image` and of the step `write_image`.
    pub(super) fn parse(shared: &Shared, mut params: Params) -> Result<Self, Fault> {
        let invalid = |details: &str| Fault::new(FaultKind::InvalidCommandParamsError, details);
        let Some(Value::Object(raw)) = params.remove("image_info") else {
            return Err(invalid("'image_info' is missing"));
        };
        let configdrive = match params.remove("configdrive") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
            Some(_) => return Err(invalid("'configdrive' must be a string")),
        };
        read_none(&params)?;
        let md5_enabled = shared.md5_enabled();
        let mut image = ImageInfo::parse(&raw, md5_enabled)?;
        let inside = image.configdrive.take();
        Ok(Self {
            image,
            raw,
            configdrive: configdrive.or(inside),
            md5_enabled,
        })
    }

    /// Writes image and config drive; the text tells what went where.
    pub(super) async fn run(self, shared: &Shared) -> Result<String, Fault> {
        ImageInfo::check_kind(&self.raw)?;
        let device = install_device(shared).await?;
        let opened = shared.hardware.open_disk(&device).await;
        let disk = opened.map_err(|e| Fault::new(FaultKind::DeviceNotFound, e.to_string()))?;
        // A config drive that cannot be had is better known before the disk is overwritten.
        let configdrive = match &self.configdrive {
            Some(given) => Some(fetch_config_drive(shared, given).await?),
            None => None,
        };
        if shared.standby().written.as_deref() != Some(&self.image.id) {
            self.write(shared, &device, &*disk).await?;
        }
        validate_partitioning(&device, &*disk).await?;
        if let Some(configdrive) = configdrive {
            configdrive.write(&*disk, &*shared.entropy).await?;
            shared
                .journal
                .info(&format!("config drive written to {device}"));
        }
        let id = disk_identifier(&*disk)
            .await
            .map_err(|error| write_fault(&device, error))?;
        let root_uuid = format!("{id:#010x}");
        let text = format!(
            "image ({}) written to device {device} root_uuid={root_uuid}",
            self.image.id
        );
        shared
            .standby()
            .partition_uuids
            .insert("root uuid".to_owned(), json!(root_uuid));
        Ok(text)
    }

    async fn write(&self, shared: &Shared, device: &str, disk: &dyn Disk) -> Result<(), Fault> {
        {
            let mut standby = shared.standby();
            standby.written = None;
            standby.partition_uuids.clear();
        }
        // A backup GPT of whatever was there before would outlive a smaller image.
        destroy_metadata(disk)
            .await
            .map_err(|error| write_fault(device, error))?;
        let config = &shared.config;
        let downloader = Downloader {
            http: &shared.http,
            journal: &shared.journal,
            timeout: config.download_timeout,
            retries: config.download_retries,
            pause: config.download_retry_interval,
            limit: config.download_max_duration,
            md5_enabled: self.md5_enabled,
        };
        downloader.run(&self.image, disk).await?;
        if let Ok(Some(Table::Gpt(gpt))) = Table::read(disk).await
            && gpt.needs_rewrite()
        {
            gpt.write(disk)
                .await
                .map_err(|error| write_fault(device, error))?;
        }
        shared.standby().written = Some(self.image.id.clone());
        Ok(())
    }
}

fn write_fault(device: &str, error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::ImageWriteError, format!("{device}: {error}"))
}

/// The disk to write to, by the newest hints there are.
async fn install_device(shared: &Shared) -> Result<String, Fault> {
    let has_hints = |node: &crate::node::Node| node.root_device_hints().is_some();
    if !shared.node().as_ref().is_some_and(has_hints) {
        shared.refresh_node().await;
    }
    let node = shared.node();
    let disks = shared.disks(node.as_ref()).await?;
    root_device::install_device(&disks, node.as_ref()).map(|disk| disk.name.clone())
}

async fn validate_partitioning(device: &str, disk: &dyn Disk) -> Result<(), Fault> {
    let failure = |what: String| Fault::new(FaultKind::DeploymentError, what);
    match Table::read(disk).await {
        Ok(Some(table)) if !table.partitions(disk.sector_size()).is_empty() => Ok(()),
        Ok(_) => Err(failure(format!(
            "no partitions on {device} after writing the image"
        ))),
        Err(PartitionError::Io(error)) => Err(write_fault(device, error)),
        Err(error) => Err(failure(format!(
            "{device} after writing the image: {error}"
        ))),
    }
}

async fn fetch_config_drive(shared: &Shared, given: &str) -> Result<ConfigDrive, Fault> {
    const LIMIT: u64 = MAX_CONFIG_DRIVE_MIB << 20;
    if !given.starts_with("http://") && !given.starts_with("https://") {
        let text = given.to_owned();
        return unpack(move || ConfigDrive::decode(&text, LIMIT)).await;
    }
    let failure =
        |what: &str| Fault::new(FaultKind::DeploymentError, format!("config drive: {what}"));
    let patience = shared.config.download_timeout;
    let response = tokio::time::timeout(patience, shared.http.get(given).send())
        .await
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| failure("no answer from its server"))?;
    if response.status().as_u16() >= 400 {
        return Err(failure(&format!("its server says {}", response.status())));
    }
    let content = tokio::time::timeout(
        patience,
        crate::api::read_at_most(response, MOST_DOWNLOADED),
    )
    .await
    .ok()
    .and_then(Result::ok)
    .ok_or_else(|| failure("it did not arrive, or is too large"))?;
    unpack(move || ConfigDrive::decode_download(content, LIMIT)).await
}

async fn unpack(
    work: impl FnOnce() -> Result<ConfigDrive, Fault> + Send + 'static,
) -> Result<ConfigDrive, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Fault::new(
                FaultKind::CommandExecutionError,
                error.to_string(),
            ))
        })
}

impl Shared {
    /// The deployment's state.
    pub(super) fn standby(&self) -> std::sync::MutexGuard<'_, Standby> {
        self.standby.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
