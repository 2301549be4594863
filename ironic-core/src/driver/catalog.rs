use std::collections::{BTreeMap, BTreeSet};

use super::DriverAlias;
use crate::states::InterfaceKind;

/// What exists: hardware types with what they support, interfaces with what they require. Names
/// only, so that the rules of [`resolve`](super::resolve()) need no drivers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Catalog {
    pub(super) hardware_types: BTreeMap<String, CatalogType>,
    pub(super) interfaces: BTreeMap<InterfaceKind, BTreeMap<String, Vec<String>>>,
    pub(super) aliases: BTreeMap<String, DriverAlias>,
}

/// A hardware type in a [`Catalog`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CatalogType {
    pub(super) supported: BTreeMap<InterfaceKind, Vec<String>>,
    pub(super) accepts_any: bool,
}

impl CatalogType {
    pub(super) fn supported(&self, kind: InterfaceKind) -> &[String] {
        self.supported.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Whether an interface may be chosen for a node of this type.
    pub(super) fn takes(&self, kind: InterfaceKind, name: &str) -> bool {
        self.accepts_any || self.supported(kind).iter().any(|n| n == name)
    }
}

impl Catalog {
    /// A catalogue of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same catalogue with a hardware type; `supported` answers the names of the interfaces
    /// of each kind that work on it, the preferred one first.
    pub fn hardware_type<S: AsRef<str>>(
        mut self,
        name: &str,
        supported: impl Fn(InterfaceKind) -> Vec<S>,
    ) -> Self {
        let names = |kind| supported(kind).iter().map(|n| n.as_ref().into()).collect();
        let entry = self.hardware_types.entry(name.to_owned()).or_default();
        entry.supported = InterfaceKind::ALL
            .iter()
            .map(|kind| (*kind, names(*kind)))
            .collect();
        self
    }

    /// The same catalogue, where nodes of this hardware type may be given any enabled interface,
    /// supported or not.
    pub fn accepting_any(mut self, hardware_type: &str) -> Self {
        let entry = self.hardware_types.entry(hardware_type.to_owned());
        entry.or_default().accepts_any = true;
        self
    }

    /// The same catalogue with an interface, which can be enabled only together with the
    /// interfaces of the same kind that `requires` names.
    pub fn interface(mut self, kind: InterfaceKind, name: &str, requires: &[String]) -> Self {
        let names = self.interfaces.entry(kind).or_default();
        names.insert(name.to_owned(), requires.to_vec());
        self
    }

    /// The same catalogue with an old name of a hardware type. One of the same name is replaced.
    pub fn alias(mut self, alias: DriverAlias) -> Self {
        self.aliases.insert(alias.name.clone(), alias);
        self
    }

    /// What `name` requires; `None` when there is no such interface.
    pub(super) fn requirements(&self, kind: InterfaceKind, name: &str) -> Option<&[String]> {
        self.interfaces.get(&kind)?.get(name).map(Vec::as_slice)
    }

    /// The names of all interfaces of a kind, in the order of the alphabet.
    pub(super) fn known(&self, kind: InterfaceKind) -> Vec<String> {
        let names = self.interfaces.get(&kind);
        names.map_or_else(Vec::new, |names| names.keys().cloned().collect())
    }
}

/// What the operator lets be used (`enabled_hardware_types`, `enabled_<kind>_interfaces`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Enabled {
    pub(super) hardware_types: BTreeSet<String>,
    pub(super) aliases: BTreeSet<String>,
    pub(super) interfaces: BTreeMap<InterfaceKind, Vec<String>>,
}

impl Enabled {
    /// These hardware types; of each interface kind what every one of them likes best. Empty
    /// names are ignored, and so are names given twice.
    pub fn new<S: AsRef<str>>(hardware_types: impl IntoIterator<Item = S>) -> Self {
        Self {
            hardware_types: named(hardware_types).into_iter().collect(),
            aliases: BTreeSet::new(),
            interfaces: BTreeMap::new(),
        }
    }

    /// The same, with these old names of hardware types (`enabled_drivers`).
    pub fn aliases<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.add_aliases(names);
        self
    }

    /// Further old names.
    pub(super) fn add_aliases<S: AsRef<str>>(&mut self, names: impl IntoIterator<Item = S>) {
        self.aliases.extend(named(names));
    }

    /// Further hardware types.
    pub(super) fn add_types<S: AsRef<str>>(&mut self, names: impl IntoIterator<Item = S>) {
        self.hardware_types.extend(named(names));
    }

    /// The same, with these interfaces of a kind instead; with none, again what the hardware
    /// types like best. Empty names are ignored, and so are names given twice.
    pub fn interfaces<S: AsRef<str>>(
        mut self,
        kind: InterfaceKind,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.set(kind, names);
        self
    }

    pub(super) fn set<S: AsRef<str>>(
        &mut self,
        kind: InterfaceKind,
        names: impl IntoIterator<Item = S>,
    ) {
        self.interfaces.insert(kind, named(names));
    }

    /// What the operator listed for this kind.
    pub(super) fn listed(&self, kind: InterfaceKind) -> &[String] {
        self.interfaces.get(&kind).map_or(&[], Vec::as_slice)
    }
}

fn named<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    let mut kept = Vec::new();
    for name in names {
        let name = name.as_ref();
        if !name.is_empty() && !kept.iter().any(|k| k == name) {
            kept.push(name.to_owned());
        }
    }
    kept
}

/// The interfaces that the operator prefers where a node names none
/// (`default_<kind>_interface`). A kind without an entry follows the hardware type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Defaults(BTreeMap<InterfaceKind, String>);

impl Defaults {
    /// No preferences.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with this preference.
    pub fn interface(mut self, kind: InterfaceKind, name: impl Into<String>) -> Self {
        self.set(kind, name);
        self
    }

    pub(super) fn set(&mut self, kind: InterfaceKind, name: impl Into<String>) {
        self.0.insert(kind, name.into());
    }

    /// The preference for this kind.
    pub fn get(&self, kind: InterfaceKind) -> Option<&str> {
        self.0.get(&kind).map(String::as_str)
    }
}
