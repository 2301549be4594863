use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Filter, Persistent, Query, Repository, Stored};
use crate::Error;
use crate::model::NodeTrait;

impl Repository {
    /// The record of this uuid, or of this name where the type has unique names.
    ///
    /// # Errors
    /// [`Error::NotFound`]; otherwise as [`Repository::get`].
    pub async fn load_by_ident<T: Persistent>(&self, ident: &str) -> Result<Stored<T>, Error> {
        let found = match Uuid::parse_str(ident) {
            Ok(id) => self.get::<T>(id).await?,
            Err(_) => self.find::<T>("name", ident).await?,
        };
        found.ok_or_else(|| Error::not_found(T::WHAT, ident))
    }

    /// The records that belong to this node, in the order of their creation.
    ///
    /// # Errors
    /// As [`Repository::get`].
    pub async fn list_of_node<T: Persistent>(&self, node: Uuid) -> Result<Vec<Stored<T>>, Error> {
        let of_node = Filter::text("node_uuid", node.to_string());
        self.list::<T>(&Query::all(T::KIND).filter(of_node)).await
    }

    /// The names of this node's traits.
    ///
    /// # Errors
    /// As [`Repository::get`].
    pub async fn trait_names(&self, node: Uuid) -> Result<BTreeSet<String>, Error> {
        let traits = self.list_of_node::<NodeTrait>(node).await?;
        Ok(traits.into_iter().map(|one| one.value.name).collect())
    }
}
