//! What a node has besides fields: traits, firmware settings and versions, what was found of it.

use uuid::Uuid;

use super::Client;
use crate::Error;
use crate::model::{BiosSetting, FirmwareComponent, Inventory, JsonMap};
use crate::transport::Call;

impl Client {
    /// The node's traits, in the order of their names.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn traits(&self, node: Uuid) -> Result<Vec<String>, Error> {
        self.node(node).await?;
        let names = self.repository.trait_names(node).await?;
        Ok(names.into_iter().collect())
    }

    /// Gives the node exactly these traits.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for more than 50, and for a name that is no trait's;
    /// [`Error::NodeLocked`].
    pub async fn set_traits(&self, node: Uuid, names: &[&str]) -> Result<(), Error> {
        self.change_traits(node, names, true).await
    }

    /// Gives the node these traits besides those that it has.
    ///
    /// # Errors
    /// As [`Client::set_traits`].
    pub async fn add_traits(&self, node: Uuid, names: &[&str]) -> Result<(), Error> {
        self.change_traits(node, names, false).await
    }

    async fn change_traits(&self, node: Uuid, names: &[&str], replace: bool) -> Result<(), Error> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let call = Call::AddTraits {
            node,
            names,
            replace,
        };
        self.done_by_keeper(node, call).await
    }

    /// Takes these traits from the node, or all.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that it lacks: then it keeps the others; [`Error::NodeLocked`].
    pub async fn remove_traits(&self, node: Uuid, names: Option<&[&str]>) -> Result<(), Error> {
        let names = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        self.done_by_keeper(node, Call::RemoveTraits { node, names })
            .await
    }

    /// The node's firmware settings, as last read.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn bios_settings(&self, node: Uuid) -> Result<Vec<BiosSetting>, Error> {
        self.records_of(node).await
    }

    /// The node's firmware versions, as last read.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn firmware(&self, node: Uuid) -> Result<Vec<FirmwareComponent>, Error> {
        self.records_of(node).await
    }

    /// What the last inspection found of the node.
    ///
    /// # Errors
    /// [`Error::NotFound`] also where it has never been inspected.
    pub async fn inventory(&self, node: Uuid) -> Result<Inventory, Error> {
        self.record(node).await
    }

    /// Sets the RAID that the next cleaning is to make; an empty one unsets it.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] names what the node's RAID interface does not understand;
    /// [`Error::Unsupported`] where it has none; [`Error::NodeLocked`].
    pub async fn set_target_raid(&self, node: Uuid, config: JsonMap) -> Result<(), Error> {
        self.done(node, Call::SetTargetRaid { node, config }).await
    }
}
