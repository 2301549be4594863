use serde_json::Value;

use super::contents::write;
use super::{ConfigDriveError, MAX_SIZE, REBUILT_PUBLISHER, decode, encode, json};
use crate::image::iso9660::{Reader, Tree};
use crate::runtime::Timestamp;

/// Where readers look for the network first; the only copy that is looked at and replaced.
const NETWORK_DATA: &str = "openstack/latest/network_data.json";

/// A config drive that somebody else made, opened to look at its network metadata and put better ones in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingDrive {
    tree: Tree,
}

impl ExistingDrive {
    /// Opens an encoded drive.
    ///
    /// # Errors
    ///
    /// [`ConfigDriveError`] if the text cannot be [decoded](decode()) to an ISO 9660 image of at most [`MAX_SIZE`] bytes.
    pub fn decode(text: &str) -> Result<Self, ConfigDriveError> {
        let image = decode(text, MAX_SIZE)?;
        let volume = Reader::new().max_content(MAX_SIZE).read(&image)?;
        Ok(Self {
            tree: volume.into_tree(),
        })
    }

    /// The files on the drive.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The network metadata: `None` if the drive has none, null if they are no JSON.
    pub fn network_data(&self) -> Option<Value> {
        self.tree
            .get(NETWORK_DATA)
            .map(|text| serde_json::from_slice(text).unwrap_or(Value::Null))
    }

    /// Makes a drive of the same files but for the network metadata, which are `network_data`.
    ///
    /// # Errors
    ///
    /// Those of [`ConfigDrive::image`](super::ConfigDrive::image), and [`ConfigDriveError::Write`] where the drive has a name
    /// that cannot be written again.
    pub fn with_network_data(
        &self,
        network_data: &Value,
        time: Timestamp,
    ) -> Result<String, ConfigDriveError> {
        let mut tree = self.tree.clone();
        tree.replace(NETWORK_DATA, json::to_text(network_data))
            .map_err(|error| ConfigDriveError::Read(error.into()))?;
        write(&tree, REBUILT_PUBLISHER, time).map(|image| encode(&image))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::image::configdrive::{ConfigDrive, LABEL};

    #[test]
    fn network_data_are_replaced_and_all_else_stays() {
        let drive = ConfigDrive::new()
            .user_data("text")
            .network_data(json!({"links": [{}]}));
        let existing = ExistingDrive::decode(&drive.encode(Timestamp::EPOCH).unwrap()).unwrap();
        assert_eq!(existing.network_data(), Some(json!({"links": [{}]})));

        let data = json!({"links": [{"mtu": 1500}]});
        let text = existing.with_network_data(&data, Timestamp::EPOCH).unwrap();
        let better = ExistingDrive::decode(&text).unwrap();
        assert_eq!(better.network_data(), Some(data));
        let others = |drive: &ExistingDrive| {
            let files = drive
                .tree()
                .files()
                .filter(|(path, _)| *path != NETWORK_DATA);
            files
                .map(|(path, content)| (path.to_owned(), content.to_vec()))
                .collect::<Vec<_>>()
        };
        assert_eq!(others(&better), others(&existing));
        let volume = Reader::new()
            .read(&decode(&text, MAX_SIZE).unwrap())
            .unwrap();
        assert_eq!(
            (volume.label(), volume.publisher()),
            (LABEL, REBUILT_PUBLISHER)
        );
    }

    #[test]
    fn a_drive_without_network_data_gets_some() {
        let drive = ConfigDrive::new().encode(Timestamp::EPOCH).unwrap();
        let existing = ExistingDrive::decode(&drive).unwrap();
        assert_eq!(existing.network_data(), None);
        let text = existing
            .with_network_data(&json!({"links": []}), Timestamp::EPOCH)
            .unwrap();
        assert_eq!(
            ExistingDrive::decode(&text).unwrap().network_data(),
            Some(json!({"links": []}))
        );
    }
}
