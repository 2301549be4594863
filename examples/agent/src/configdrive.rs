//! Config drives: out of their wrapping, and onto the disk.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use ironic_core::Entropy;

use crate::fault::{Fault, FaultKind};
use crate::hardware::{Disk, zero};
use crate::partition::{Partition, PartitionError, Table, filesystem_label};

/// Largest config drive, in MiB; also what its partition gets.
pub const MAX_CONFIG_DRIVE_MIB: u64 = 64;
/// Label of a config drive's file system.
const LABEL: &str = "config-2";
const MIB: u64 = 1 << 20;

fn failure(details: impl Into<String>) -> Fault {
    Fault::new(FaultKind::DeploymentError, details)
}

/// A config drive as bytes of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigDrive(Vec<u8>);

impl ConfigDrive {
    /// Unwraps base64 and gzip, giving up beyond `limit` bytes. Characters that base64 does not
    /// have are passed over, so that line breaks do no harm.
    ///
    /// # Errors
    /// `DeploymentError` for what is neither, is cut short, or is larger than `limit`.
    pub fn decode(text: &str, limit: u64) -> Result<Self, Fault> {
        let packed = decode_base64(text.as_bytes())?;
        if packed.is_empty() {
            return Ok(Self(Vec::new()));
        }
        Self::unpack(&packed, limit)
    }

    /// As [`Self::decode`] for what a URL gave, which may also be the bare file system.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_download(content: Vec<u8>, limit: u64) -> Result<Self, Fault> {
        let is_text = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n \t".contains(byte);
        if content.iter().all(is_text) {
            let packed = decode_base64(&content)?;
            return if packed.is_empty() {
                Ok(Self(packed))
            } else {
                Self::unpack(&packed, limit)
            };
        }
        if content.len() as u64 > limit {
            return Err(too_large(limit));
        }
        Ok(Self(content))
    }

    fn unpack(packed: &[u8], limit: u64) -> Result<Self, Fault> {
        let mut content = Vec::new();
        MultiGzDecoder::new(packed)
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| failure(format!("the config drive does not unpack: {error}")))?;
        if content.len() as u64 > limit {
            return Err(too_large(limit));
        }
        Ok(Self(content))
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in MiB, rounded up.
    #[must_use]
    pub fn size_mib(&self) -> u64 {
        self.len().div_ceil(MIB)
    }

    /// Writes the drive into a partition labelled `config-2`, which is added at the end of the
    /// disk where the image brings none.
    ///
    /// # Errors
    /// `DeploymentError`: no partition table, no room, more than one such partition, or the disk
    /// failed.
    pub async fn write(self, disk: &dyn Disk, entropy: &dyn Entropy) -> Result<(), Fault> {
        let mut table = Table::read(disk)
            .await
            .map_err(cannot_place)?
            .ok_or_else(|| failure("no partition table for the config drive"))?;
        let partition = match existing(disk, &table).await? {
            Some(partition) => partition,
            None => table
                .append(disk, MAX_CONFIG_DRIVE_MIB * MIB, entropy.uuid())
                .await
                .map_err(cannot_place)?,
        };
        if self.len() > partition.len {
            return Err(failure(format!(
                "the config drive has {} bytes, its partition {}",
                self.len(),
                partition.len
            )));
        }
        let written = async {
            let rest = partition.len - self.len();
            let end = partition.start + self.len();
            disk.write_at(partition.start, Bytes::from(self.0)).await?;
            zero(disk, end, rest).await?;
            disk.sync().await
        };
        written
            .await
            .map_err(|error| failure(format!("the config drive was not written: {error}")))
    }
}

fn too_large(limit: u64) -> Fault {
    failure(format!(
        "the config drive is larger than {} MiB",
        limit / MIB
    ))
}

fn cannot_place(error: PartitionError) -> Fault {
    failure(format!("no place for the config drive: {error}"))
}

fn decode_base64(text: &[u8]) -> Result<Vec<u8>, Fault> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true);
    let known: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
        .collect();
    GeneralPurpose::new(&alphabet::STANDARD, CONFIG)
        .decode(known)
        .map_err(|_| failure("the config drive is not base64"))
}

/// The partition that already holds a config drive.
async fn existing(disk: &dyn Disk, table: &Table) -> Result<Option<Partition>, Fault> {
    let mut found = None;
    for partition in table.partitions(disk.sector_size()) {
        let label = filesystem_label(disk, &partition)
            .await
            .map_err(|error| failure(format!("partition {}: {error}", partition.number)))?;
        if label.is_some_and(|label| label.eq_ignore_ascii_case(LABEL))
            && found.replace(partition).is_some()
        {
            return Err(failure(format!("more than one partition labelled {LABEL}")));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::{any, proptest};

    use super::ConfigDrive;

    fn packed(content: &[u8]) -> String {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(content).unwrap();
        BASE64_STANDARD.encode(gzip.finish().unwrap())
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let text = packed(&vec![0; 8 << 20]);
        assert!(text.len() < 64 << 10);
        assert_eq!(ConfigDrive::decode(&text, 8 << 20).unwrap().len(), 8 << 20);
        let error = ConfigDrive::decode(&text, (8 << 20) - 1).unwrap_err();
        assert!(error.to_string().contains("larger"), "{error}");
    }

    #[test]
    fn a_download_is_wrapped_or_bare() {
        let text = packed(b"content");
        let wrapped = ConfigDrive::decode_download(text.into_bytes(), 100).unwrap();
        let bare = ConfigDrive::decode_download(b"\0content\xFF".to_vec(), 100).unwrap();
        assert_eq!((wrapped.len(), bare.len()), (7, 9));
        assert!(ConfigDrive::decode_download(vec![0; 101], 100).is_err());
    }

    proptest! {
        #[test]
        fn no_content_breaks_the_decoder(text in any::<String>(), raw in any::<Vec<u8>>()) {
            let _ = ConfigDrive::decode(&text, 1 << 16);
            let _ = ConfigDrive::decode_download(raw, 1 << 16);
        }
    }
}
