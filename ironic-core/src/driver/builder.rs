use std::collections::BTreeMap;
use std::sync::Arc;

use super::registry::Registry;
use super::resolve::Resolver;
use super::{
    BareDriver, Bios, Boot, Catalog, Console, Defaults, Deploy, DriverAlias, Enabled, Firmware,
    HardwareType, Inspect, Interface, Management, Network, Power, Raid, Rescue, Storage, Vendor,
};
use crate::Error;
use crate::model::InterfaceNames;
use crate::states::InterfaceKind;

/// Makes a [`Registry`]: what there is, what of it may be used, and what is preferred.
#[derive(Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct RegistryBuilder {
    hardware: BTreeMap<String, Arc<dyn HardwareType>>,
    interfaces: Interfaces,
    aliases: BTreeMap<String, DriverAlias>,
    enabled: Enabled,
    defaults: Defaults,
}

/// One map of implementations by name for each kind, and what every kind is done with alike.
macro_rules! interfaces {
    ($($kind:ident $field:ident $article:literal,)+) => {
        #[derive(Default)]
        pub(super) struct Interfaces {
            $($field: BTreeMap<String, Arc<dyn $kind>>,)+
        }

        impl Interfaces {
            fn names(&self, kind: InterfaceKind) -> Vec<&String> {
                match kind {
                    $(InterfaceKind::$kind => self.$field.keys().collect(),)+
                }
            }

            pub(super) fn get(&self, kind: InterfaceKind, name: &str) -> Option<Arc<dyn Interface>> {
                match kind {
                    $(InterfaceKind::$kind => {
                        let interface: Arc<dyn Interface> = self.$field.get(name)?.clone();
                        Some(interface)
                    })+
                }
            }

            /// The driver of these names, or the first kind of which the name is nothing.
            pub(super) fn compose(&self, names: &InterfaceNames) -> Result<BareDriver, InterfaceKind> {
                Ok(BareDriver {
                    $($field: {
                        let kind = InterfaceKind::$kind;
                        self.$field.get(names.get(kind)).cloned().ok_or(kind)?
                    },)+
                })
            }
        }

        impl RegistryBuilder {
            $(
                #[doc = concat!("Registers ", $article, " ", stringify!($field), " interface. \
                    Under a name that is taken it replaces the other.")]
                pub fn $field(mut self, name: &str, interface: Arc<dyn $kind>) -> Self {
                    self.interfaces.$field.insert(name.to_owned(), interface);
                    self
                }
            )+
        }
    };
}

interfaces! {
    Bios bios "a",
    Boot boot "a",
    Console console "a",
    Deploy deploy "a",
    Firmware firmware "a",
    Inspect inspect "an",
    Management management "a",
    Network network "a",
    Power power "a",
    Raid raid "a",
    Rescue rescue "a",
    Storage storage "a",
    Vendor vendor "a",
}

impl Interfaces {
    pub(super) fn raid(&self, name: &str) -> Option<Arc<dyn Raid>> {
        self.raid.get(name).cloned()
    }

    pub(super) fn vendor(&self, name: &str) -> Option<Arc<dyn Vendor>> {
        self.vendor.get(name).cloned()
    }
}

impl RegistryBuilder {
    /// Registers a hardware type. One of the same name is replaced.
    pub fn hardware(mut self, hardware: Arc<dyn HardwareType>) -> Self {
        self.hardware.insert(hardware.name().to_owned(), hardware);
        self
    }

    /// Lets nodes have these hardware types, besides those enabled before
    /// (`enabled_hardware_types`).
    pub fn enable_hardware_types<S: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.enabled.add_types(names);
        self
    }

    /// Registers an old name of a hardware type with fixed interfaces. One of the same name is
    /// replaced.
    pub fn alias(mut self, alias: DriverAlias) -> Self {
        self.aliases.insert(alias.name().to_owned(), alias);
        self
    }

    /// Lets nodes have these old names for a driver, besides those enabled before
    /// (`enabled_drivers`).
    pub fn enable_aliases<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.enabled.add_aliases(names);
        self
    }

    /// Lets nodes have exactly these interfaces of a kind (`enabled_<kind>_interfaces`). A kind
    /// of which none is enabled has what each enabled hardware type likes best of what is
    /// registered.
    pub fn enable<S: AsRef<str>>(
        mut self,
        kind: InterfaceKind,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.enabled.set(kind, names);
        self
    }

    /// Prefers an interface where a node names none (`default_<kind>_interface`), on every
    /// hardware type. Without a preference a node gets what its hardware type likes best of what
    /// is enabled.
    pub fn default_interface(mut self, kind: InterfaceKind, name: &str) -> Self {
        self.defaults.set(kind, name);
        self
    }

    /// The registry.
    ///
    /// # Errors
    /// [`Error::NotFound`] when something is enabled that is not registered,
    /// [`Error::MissingParameter`] when no hardware type is enabled, and what
    /// [`ResolveError`](super::ResolveError) becomes when an interface is enabled without those
    /// that it requires, or an enabled hardware type has no default for some kind.
    pub fn build(self) -> Result<Registry, Error> {
        let catalog = self.catalog();
        let resolver = Resolver::new(&catalog, &self.enabled, &self.defaults)?;
        if resolver.hardware_types().next().is_none() {
            let known: Vec<_> = self.hardware.keys().map(String::as_str).collect();
            return Err(Error::missing(format!(
                "no hardware type is enabled: add some of those registered ({}) to \
                 enabled_hardware_types",
                known.join(", ")
            )));
        }
        resolver.check()?;
        Ok(Registry::new(self.interfaces, resolver))
    }

    fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::new();
        for (name, hardware) in &self.hardware {
            catalog = catalog.hardware_type(name, |kind| hardware.supported(kind).to_vec());
            if hardware.accepts_any() {
                catalog = catalog.accepting_any(name);
            }
        }
        for kind in InterfaceKind::ALL.iter().copied() {
            for name in self.interfaces.names(kind) {
                let interface = self.interfaces.get(kind, name);
                let requires = interface.map_or_else(Vec::new, |i| i.requires());
                catalog = catalog.interface(kind, name, &requires);
            }
        }
        let aliases = self.aliases.values().cloned();
        aliases.fold(catalog, Catalog::alias)
    }
}

impl std::fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryBuilder")
            .field("hardware", &self.hardware.keys())
            .field("enabled", &self.enabled)
            .field("defaults", &self.defaults)
            .finish_non_exhaustive()
    }
}
