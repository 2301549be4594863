use std::{fmt, fs::File, io, os::unix::fs::FileExt as _};

use ironic_core::image::{configdrive, iso9660::Reader};
use serde_json::Value;

use super::table::{Partition, Table};

/// ECMA-119 §6.2.1 and §8.4: the first descriptor is sector 16 of 2048 bytes; its label and its size in blocks.
const DESCRIPTOR: u64 = 16 * 2048;
const LABEL: std::ops::Range<usize> = 40..72;
const BLOCKS: std::ops::Range<usize> = 80..84;
const BLOCK: u64 = 2048;

/// What a machine's first boot reads about itself.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ConfigDriveReport {
    /// The host name, where the metadata have one.
    pub hostname: Option<String>,
    /// The instance's uuid, where the metadata have one.
    pub instance_uuid: Option<String>,
    /// All of `meta_data.json`; null if there is none.
    pub meta_data: Value,
    /// `network_data.json`.
    pub network_data: Option<Value>,
    /// What the user wants to be run or read.
    pub user_data: Option<Vec<u8>>,
}

impl fmt::Debug for ConfigDriveReport {
    // Metadata and user data hold passwords and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigDriveReport")
            .field("hostname", &self.hostname)
            .field("instance_uuid", &self.instance_uuid)
            .field("user_data", &self.user_data.as_ref().map(|_| "***"))
            .finish_non_exhaustive()
    }
}

/// The partition that a config drive is in.
pub(super) fn find(disk: &File, table: &Table) -> io::Result<Option<Partition>> {
    for partition in table.partitions.iter().rev() {
        if volume_size(disk, partition)?.is_some() {
            return Ok(Some(partition.clone()));
        }
    }
    Ok(None)
}

/// The size of the labelled ISO 9660 volume in a partition.
fn volume_size(disk: &File, partition: &Partition) -> io::Result<Option<u64>> {
    if partition.len < DESCRIPTOR + BLOCK {
        return Ok(None);
    }
    let mut descriptor = [0; 128];
    disk.read_exact_at(&mut descriptor, partition.start.saturating_add(DESCRIPTOR))?;
    if !descriptor.starts_with(b"\x01CD001") {
        return Ok(None);
    }
    let label = descriptor.get(LABEL).unwrap_or_default().trim_ascii_end();
    let blocks = descriptor
        .get(BLOCKS)
        .and_then(|bytes| bytes.try_into().ok());
    let size = blocks.map(|blocks| u64::from(u32::from_le_bytes(blocks)) * BLOCK);
    Ok(size.filter(|_| label.eq_ignore_ascii_case(configdrive::LABEL.as_bytes())))
}

/// Reads the drive in a partition.
pub(super) fn read(disk: &File, partition: &Partition) -> Result<ConfigDriveReport, String> {
    let size = volume_size(disk, partition).map_err(|error| error.to_string())?;
    let size = size.unwrap_or_default();
    if size > partition.len.min(configdrive::MAX_SIZE) {
        return Err(format!("a volume of {size} bytes does not fit"));
    }
    let mut image = vec![0; usize::try_from(size).unwrap_or_default()];
    disk.read_exact_at(&mut image, partition.start)
        .map_err(|error| error.to_string())?;
    let volume = Reader::new()
        .max_content(configdrive::MAX_SIZE)
        .read(&image)
        .map_err(|error| error.to_string())?;
    let tree = volume.into_tree();
    let document = |name: &str| match tree.get(&format!("openstack/latest/{name}")) {
        None => Ok(None),
        Some(text) => serde_json::from_slice(text)
            .map(Some)
            .map_err(|error| format!("{name}: {error}")),
    };
    let meta_data: Value = document("meta_data.json")?.unwrap_or_default();
    let text = |name: &str| {
        meta_data
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Ok(ConfigDriveReport {
        hostname: text("hostname"),
        instance_uuid: text("uuid"),
        network_data: document("network_data.json")?,
        user_data: tree.get("openstack/latest/user_data").map(<[u8]>::to_vec),
        meta_data,
    })
}
