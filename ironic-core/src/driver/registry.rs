use std::collections::BTreeMap;
use std::sync::Arc;

use super::builder::{Interfaces, RegistryBuilder};
use super::resolve::{Resolver, instance_overrides};
use super::{BareDriver, Interface, Properties, Raid, ResolveError, Vendor};
use crate::model::{InterfaceNames, Node, NodeInterfaces};
use crate::states::InterfaceKind;

/// The drivers of one engine: what a host registered, and which of it nodes may have.
///
/// A host builds one and hands it to its conductor; several live side by side in one process.
pub struct Registry {
    interfaces: Interfaces,
    resolver: Resolver,
}

/// The interfaces of one kind that a hardware type has, for listing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsableInterfaces {
    /// Those that are enabled and supported, in the order of the alphabet.
    pub enabled: Vec<String>,
    /// The one that a node gets that names none.
    pub default: String,
}

impl Registry {
    /// A builder of a registry of nothing.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    pub(super) fn new(interfaces: Interfaces, resolver: Resolver) -> Self {
        Self {
            interfaces,
            resolver,
        }
    }

    /// The interfaces of a node with this hardware type that chose these names: the names
    /// checked, and defaults where it chose none. Also what a node is to be recorded with.
    ///
    /// # Errors
    /// [`ResolveError`] that names what is wrong, what could be used and what to set.
    pub fn resolve(
        &self,
        driver: &str,
        chosen: &NodeInterfaces,
    ) -> Result<InterfaceNames, ResolveError> {
        let none = NodeInterfaces::default();
        let settled = self.resolver.settle(driver, chosen, &none)?;
        self.resolver.complete(&settled)
    }

    /// The interfaces that act for a node now: those that its instance pins (`instance_info`
    /// members such as `boot_interface`), else those that it chose, else the defaults.
    ///
    /// # Errors
    /// As [`Registry::resolve`].
    pub fn resolve_node(&self, node: &Node) -> Result<InterfaceNames, ResolveError> {
        let overrides = instance_overrides(&node.instance_info);
        let mut acting = self
            .resolver
            .settle(&node.driver, &node.interfaces, &overrides)?;
        for (kind, name) in overrides.iter() {
            acting.set(kind, Some(name.to_owned()));
        }
        self.resolver.complete(&acting)
    }

    /// The driver that is made of these interfaces.
    ///
    /// # Errors
    /// [`ResolveError::InterfaceNotEnabled`] for a name that is not enabled.
    pub fn compose(&self, names: &InterfaceNames) -> Result<BareDriver, ResolveError> {
        let not_enabled = |kind: InterfaceKind, enabled: &[String]| {
            let name = names.get(kind);
            ResolveError::InterfaceNotEnabled {
                kind,
                name: (!name.is_empty()).then(|| name.to_owned()),
                enabled: enabled.to_vec(),
                by_default: false,
            }
        };
        for kind in InterfaceKind::ALL.iter().copied() {
            if !self.resolver.grants(kind, names.get(kind))? {
                return Err(not_enabled(kind, self.resolver.enabled(kind)?));
            }
        }
        // What is enabled is registered, or the registry would not have been built.
        let composed = self.interfaces.compose(names);
        composed.map_err(|kind| not_enabled(kind, &[]))
    }

    /// The enabled hardware types and old names of some, in the order of the alphabet: what
    /// nodes may have for a driver.
    pub fn hardware_types(&self) -> impl Iterator<Item = &str> {
        self.resolver.hardware_types()
    }

    /// Which interfaces of each kind nodes of a hardware type may have, and which they get unless
    /// they choose.
    ///
    /// # Errors
    /// [`ResolveError::DriverNotFound`] when the hardware type is not enabled.
    pub fn interfaces_of(
        &self,
        driver: &str,
    ) -> Result<BTreeMap<InterfaceKind, UsableInterfaces>, ResolveError> {
        let usable = |kind| {
            Ok(UsableInterfaces {
                enabled: self.resolver.usable(driver, kind)?,
                default: self.resolver.default_interface(driver, kind)?.to_owned(),
            })
        };
        let kinds = InterfaceKind::ALL.iter();
        kinds.map(|kind| Ok((*kind, usable(*kind)?))).collect()
    }

    /// The interface of a kind that nodes of a hardware type get unless they choose.
    ///
    /// # Errors
    /// [`ResolveError::DriverNotFound`] when the hardware type is not enabled.
    pub fn default_interface(
        &self,
        driver: &str,
        kind: InterfaceKind,
    ) -> Result<Arc<dyn Interface>, ResolveError> {
        let name = self.resolver.default_interface(driver, kind)?;
        let interface = self.interfaces.get(kind, name);
        interface.ok_or_else(|| not_enabled(kind, name))
    }

    /// The vendor interface that nodes of a hardware type get unless they choose: the one that
    /// answers for the hardware type itself.
    ///
    /// # Errors
    /// [`ResolveError::DriverNotFound`] when the hardware type is not enabled.
    pub fn default_vendor(&self, driver: &str) -> Result<Arc<dyn Vendor>, ResolveError> {
        let kind = InterfaceKind::Vendor;
        let name = self.resolver.default_interface(driver, kind)?;
        let vendor = self.interfaces.vendor(name);
        vendor.ok_or_else(|| not_enabled(kind, name))
    }

    /// The RAID interface that nodes of a hardware type get unless they choose: the one that says
    /// what logical disks the hardware type knows.
    ///
    /// # Errors
    /// [`ResolveError::DriverNotFound`] when the hardware type is not enabled.
    pub fn default_raid(&self, driver: &str) -> Result<Arc<dyn Raid>, ResolveError> {
        let kind = InterfaceKind::Raid;
        let name = self.resolver.default_interface(driver, kind)?;
        let raid = self.interfaces.raid(name);
        raid.ok_or_else(|| not_enabled(kind, name))
    }

    /// What the default interfaces of a hardware type read from a node, all together.
    ///
    /// # Errors
    /// [`ResolveError::DriverNotFound`] when the hardware type is not enabled.
    pub fn properties(&self, driver: &str) -> Result<Properties, ResolveError> {
        let mut properties = Properties::new();
        for kind in InterfaceKind::ALL.iter().copied() {
            properties.extend(self.default_interface(driver, kind)?.properties());
        }
        Ok(properties)
    }
}

/// The default is none that the host has registered.
fn not_enabled(kind: InterfaceKind, name: &str) -> ResolveError {
    ResolveError::InterfaceNotEnabled {
        kind,
        name: Some(name.to_owned()),
        enabled: Vec::new(),
        by_default: true,
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let types: Vec<_> = self.hardware_types().collect();
        f.debug_struct("Registry")
            .field("hardware_types", &types)
            .finish_non_exhaustive()
    }
}
