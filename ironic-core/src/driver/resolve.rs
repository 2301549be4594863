use std::collections::BTreeMap;

use super::catalog::CatalogType;
use super::{Catalog, Defaults, Enabled, ResolveError};
use crate::model::{InterfaceNames, JsonMap, NodeInterfaces};
use crate::states::InterfaceKind;

/// The interfaces of a node with this hardware type that chose these names.
///
/// # Errors
/// [`ResolveError`]: the first that is found, going through the kinds in their order.
pub fn resolve(
    catalog: &Catalog,
    enabled: &Enabled,
    defaults: &Defaults,
    driver: &str,
    chosen: &NodeInterfaces,
) -> Result<InterfaceNames, ResolveError> {
    let resolver = Resolver::new(catalog, enabled, defaults)?;
    resolver.complete(&resolver.settle(driver, chosen, &NodeInterfaces::default())?)
}

/// The rules of resolution, prepared for one configuration.
#[derive(Debug, Clone)]
pub struct Resolver {
    loaded: BTreeMap<InterfaceKind, Result<Vec<String>, ResolveError>>,
    types: BTreeMap<String, ResolverType>,
}

#[derive(Debug, Clone)]
pub(super) struct ResolverType {
    pub(super) entry: CatalogType,
    /// The hardware type that it is, or is an old name of.
    hardware_type: String,
    /// What an old name fixes.
    pub(super) fixed: BTreeMap<InterfaceKind, String>,
    /// What a node gets that names nothing, for each kind that could be loaded.
    defaults: BTreeMap<InterfaceKind, Result<String, ResolveError>>,
}

impl Resolver {
    /// Prepares the rules.
    ///
    /// # Errors
    /// [`ResolveError::NotRegistered`] for an enabled hardware type that does not exist. What is
    /// wrong with interfaces shows when one is asked for, or by [`Resolver::check`].
    pub fn new(
        catalog: &Catalog,
        enabled: &Enabled,
        defaults: &Defaults,
    ) -> Result<Self, ResolveError> {
        let mut types = hardware_types(catalog, enabled)?;
        types.extend(aliases(catalog, enabled)?);
        let kinds = InterfaceKind::ALL.iter();
        let loaded: BTreeMap<_, _> = kinds
            .map(|kind| (*kind, load(catalog, enabled, &types, *kind)))
            .collect();
        for (name, hardware) in &mut types {
            for (kind, names) in &loaded {
                let default = match (hardware.fixed.get(kind), names) {
                    (Some(fixed), _) => Ok(fixed.clone()),
                    (None, Ok(names)) => {
                        default_of(name, &hardware.entry, *kind, names, defaults.get(*kind))
                    }
                    (None, Err(_)) => continue,
                };
                hardware.defaults.insert(*kind, default);
            }
        }
        Ok(Self { loaded, types })
    }

    /// Whether every node of every enabled hardware type that names nothing finds its
    /// interfaces.
    ///
    /// # Errors
    /// [`ResolveError`]: what is wrong with the configuration.
    pub fn check(&self) -> Result<(), ResolveError> {
        for names in self.loaded.values() {
            names.as_ref().map_err(Clone::clone)?;
        }
        for default in self.types.values().flat_map(|t| t.defaults.values()) {
            default.as_ref().map_err(Clone::clone)?;
        }
        Ok(())
    }

    /// The names that a node is to be recorded with: those that it chose, checked, and defaults
    /// where it chose none. `overrides` are names that hold for the current instance only; they
    /// are checked too, and where one holds no default is settled.
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn settle(
        &self,
        driver: &str,
        chosen: &NodeInterfaces,
        overrides: &NodeInterfaces,
    ) -> Result<NodeInterfaces, ResolveError> {
        let hardware = self.hardware_type(driver)?;
        hardware.check_fixed(driver, chosen, overrides)?;
        let mut settled = NodeInterfaces::default();
        for kind in InterfaceKind::ALL.iter().copied() {
            if let Some(fixed) = hardware.fixed.get(&kind) {
                settled.set(kind, Some(fixed.clone()));
                continue;
            }
            let enabled = self.enabled(kind)?;
            for named in [overrides.get(kind), chosen.get(kind)]
                .into_iter()
                .flatten()
            {
                check_named(driver, &hardware.entry, kind, named, enabled)?;
            }
            let name = match (chosen.get(kind), overrides.get(kind)) {
                (Some(chosen), _) => Some(chosen.to_owned()),
                (None, Some(_)) => None,
                (None, None) => Some(hardware.default(kind)?.to_owned()),
            };
            settled.set(kind, name);
        }
        Ok(settled)
    }

    /// A name for every kind.
    ///
    /// # Errors
    /// [`ResolveError::InterfaceNotEnabled`] for the first kind without one.
    pub fn complete(&self, settled: &NodeInterfaces) -> Result<InterfaceNames, ResolveError> {
        InterfaceNames::try_from_fn(|kind| match settled.get(kind) {
            Some(name) => Ok(name.to_owned()),
            None => Err(ResolveError::InterfaceNotEnabled {
                kind,
                name: None,
                enabled: self.enabled(kind)?.to_vec(),
                by_default: false,
            }),
        })
    }

    /// Whether some node may have this interface: one that is enabled, or that an enabled old name
    /// of a hardware type fixes.
    ///
    /// # Errors
    /// As [`Resolver::enabled`].
    pub(super) fn grants(&self, kind: InterfaceKind, name: &str) -> Result<bool, ResolveError> {
        let mut types = self.types.values();
        let fixed = types.any(|t| t.fixed.get(&kind).is_some_and(|fixed| fixed == name));
        Ok(fixed || self.enabled(kind)?.iter().any(|enabled| enabled == name))
    }

    /// The enabled hardware types and old names of some, in the order of the alphabet.
    pub fn hardware_types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The enabled interfaces of a kind.
    ///
    /// # Errors
    /// [`ResolveError::NotRegistered`] and [`ResolveError::CannotLoad`].
    pub fn enabled(&self, kind: InterfaceKind) -> Result<&[String], ResolveError> {
        match self.loaded.get(&kind) {
            Some(Ok(names)) => Ok(names),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(&[]),
        }
    }

    /// The interfaces of a kind that are enabled and that a hardware type supports, in the order
    /// of the alphabet.
    ///
    /// # Errors
    /// [`ResolveError::DriverNotFound`] when the hardware type is not enabled; else as
    /// [`Resolver::enabled`].
    pub fn usable(&self, driver: &str, kind: InterfaceKind) -> Result<Vec<String>, ResolveError> {
        let hardware = self.hardware_type(driver)?;
        if let Some(fixed) = hardware.fixed.get(&kind) {
            return Ok(vec![fixed.clone()]);
        }
        let mut names = usable(&hardware.entry, kind, self.enabled(kind)?);
        names.sort();
        Ok(names)
    }

    /// The interface of a kind that a node of this hardware type gets that names none.
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn default_interface(
        &self,
        driver: &str,
        kind: InterfaceKind,
    ) -> Result<&str, ResolveError> {
        let hardware = self.hardware_type(driver)?;
        if !hardware.fixed.contains_key(&kind) {
            self.enabled(kind)?;
        }
        hardware.default(kind)
    }

    fn hardware_type(&self, driver: &str) -> Result<&ResolverType, ResolveError> {
        self.types
            .get(driver)
            .ok_or_else(|| ResolveError::DriverNotFound {
                driver: driver.to_owned(),
                enabled: self.hardware_types().map(str::to_owned).collect(),
            })
    }
}

impl ResolverType {
    fn new(hardware_type: &str, entry: &CatalogType) -> Self {
        Self {
            entry: entry.clone(),
            hardware_type: hardware_type.to_owned(),
            fixed: BTreeMap::new(),
            defaults: BTreeMap::new(),
        }
    }

    /// Refuses what contradicts a fixed interface. What is the same may stand: a node is recorded
    /// with the interfaces that it has.
    fn check_fixed(
        &self,
        driver: &str,
        chosen: &NodeInterfaces,
        overrides: &NodeInterfaces,
    ) -> Result<(), ResolveError> {
        let contradicted = |(kind, fixed): (&InterfaceKind, &String)| {
            let mut named = [overrides.get(*kind), chosen.get(*kind)].into_iter();
            let other = named.find_map(|name| name.filter(|name| name != fixed))?;
            Some((*kind, other.to_owned(), fixed.clone()))
        };
        let contradictions: Vec<_> = self.fixed.iter().filter_map(contradicted).collect();
        if contradictions.is_empty() {
            return Ok(());
        }
        Err(ResolveError::Fixed {
            driver: driver.to_owned(),
            hardware_type: self.hardware_type.clone(),
            contradictions,
        })
    }

    fn default(&self, kind: InterfaceKind) -> Result<&str, ResolveError> {
        match self.defaults.get(&kind) {
            Some(Ok(name)) => Ok(name),
            Some(Err(error)) => Err(error.clone()),
            // Only a kind that could not be loaded has no entry, and that was said before.
            None => Ok(""),
        }
    }
}

/// The names that an instance pins for itself: `instance_info` members such as `boot_interface`.
pub fn instance_overrides(instance_info: &JsonMap) -> NodeInterfaces {
    let mut names = NodeInterfaces::default();
    if instance_info.is_empty() {
        return names;
    }
    for kind in InterfaceKind::ALL.iter().copied() {
        let name = match instance_info.get(&format!("{kind}_interface")) {
            None | Some(serde_json::Value::Null) => continue,
            Some(serde_json::Value::String(name)) => name.clone(),
            // No interface has such a name: the check will say so.
            Some(other) => other.to_string(),
        };
        names.set(kind, Some(name));
    }
    names
}

fn hardware_types(
    catalog: &Catalog,
    enabled: &Enabled,
) -> Result<BTreeMap<String, ResolverType>, ResolveError> {
    let (mut types, mut unknown) = (BTreeMap::new(), Vec::new());
    for name in &enabled.hardware_types {
        match catalog.hardware_types.get(name) {
            Some(entry) => {
                types.insert(name.clone(), ResolverType::new(name, entry));
            }
            None => unknown.push(name.clone()),
        }
    }
    if unknown.is_empty() {
        return Ok(types);
    }
    Err(ResolveError::NotRegistered {
        what: "hardware type".to_owned(),
        names: unknown,
        known: catalog.hardware_types.keys().cloned().collect(),
        option: "enabled_hardware_types".to_owned(),
    })
}

/// The enabled old names, each as the hardware type that it stands for with what it fixes.
fn aliases(
    catalog: &Catalog,
    enabled: &Enabled,
) -> Result<BTreeMap<String, ResolverType>, ResolveError> {
    let missing = |what: String, names: Vec<String>, known: Vec<String>| {
        let option = "enabled_drivers".to_owned();
        ResolveError::NotRegistered {
            what,
            names,
            known,
            option,
        }
    };
    let known = |name: &&String| catalog.aliases.contains_key(*name);
    let unknown: Vec<_> = enabled
        .aliases
        .iter()
        .filter(|n| !known(n))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        let known = catalog.aliases.keys().cloned().collect();
        return Err(missing("driver".to_owned(), unknown, known));
    }
    let aliases = enabled
        .aliases
        .iter()
        .filter_map(|name| catalog.aliases.get(name));
    aliases
        .map(|alias| {
            let name = &alias.name;
            let base = &alias.hardware_type;
            let entry = catalog.hardware_types.get(base).ok_or_else(|| {
                let types = catalog.hardware_types.keys().cloned().collect();
                missing(
                    format!("hardware type of driver {name:?},"),
                    vec![base.clone()],
                    types,
                )
            })?;
            let mut hardware = ResolverType::new(base, entry);
            for (kind, candidates) in &alias.fixed {
                let fits = |name: &&String| {
                    catalog.requirements(*kind, name).is_some() && entry.takes(*kind, name)
                };
                let fixed = candidates.iter().find(fits).cloned().ok_or_else(|| {
                    let what = format!("{kind} interface of driver {name:?},");
                    missing(what, candidates.clone(), catalog.known(*kind))
                })?;
                hardware.fixed.insert(*kind, fixed);
            }
            Ok((name.clone(), hardware))
        })
        .collect()
}

/// The interfaces of a kind that can be used: those listed, or where none is, what each enabled
/// hardware type likes best.
fn load(
    catalog: &Catalog,
    enabled: &Enabled,
    types: &BTreeMap<String, ResolverType>,
    kind: InterfaceKind,
) -> Result<Vec<String>, ResolveError> {
    let listed = enabled.listed(kind);
    let mut names = listed.to_vec();
    if names.is_empty() {
        for entry in types.values().filter(|t| !t.fixed.contains_key(&kind)) {
            let known = |name: &&String| catalog.requirements(kind, name).is_some();
            match entry.entry.supported(kind).iter().find(known) {
                Some(best) if !names.contains(best) => names.push(best.clone()),
                _ => {}
            }
        }
    }
    let mut unknown = Vec::new();
    for name in &names {
        let Some(required) = catalog.requirements(kind, name) else {
            unknown.push(name.clone());
            continue;
        };
        let missing: Vec<_> = required.iter().filter(|r| !listed.contains(r)).collect();
        if !missing.is_empty() {
            return Err(ResolveError::CannotLoad {
                kind,
                name: name.clone(),
                missing: missing.into_iter().cloned().collect(),
                enabled: listed.to_vec(),
            });
        }
    }
    if unknown.is_empty() {
        return Ok(names);
    }
    Err(ResolveError::NotRegistered {
        what: format!("{kind} interface"),
        names: unknown,
        known: catalog.known(kind),
        option: format!("enabled_{kind}_interfaces"),
    })
}

fn usable(entry: &CatalogType, kind: InterfaceKind, enabled: &[String]) -> Vec<String> {
    let supported = entry.supported(kind);
    let both = enabled.iter().filter(|name| supported.contains(name));
    both.cloned().collect()
}

/// Whether a node of this hardware type may have the interface that it names.
fn check_named(
    driver: &str,
    entry: &CatalogType,
    kind: InterfaceKind,
    name: &str,
    enabled: &[String],
) -> Result<(), ResolveError> {
    if !enabled.iter().any(|n| n == name) {
        return Err(ResolveError::InterfaceNotEnabled {
            kind,
            name: Some(name.to_owned()),
            enabled: enabled.to_vec(),
            by_default: false,
        });
    }
    if !entry.takes(kind, name) {
        return Err(ResolveError::Incompatible {
            kind,
            name: name.to_owned(),
            driver: driver.to_owned(),
            usable: usable(entry, kind, enabled),
        });
    }
    Ok(())
}

/// What the operator prefers, which must fit; without a preference the first supported interface
/// that is enabled.
fn default_of(
    driver: &str,
    entry: &CatalogType,
    kind: InterfaceKind,
    enabled: &[String],
    preferred: Option<&str>,
) -> Result<String, ResolveError> {
    let none = || ResolveError::NoValidDefault {
        kind,
        driver: driver.to_owned(),
        preferred: preferred.map(str::to_owned),
        enabled: enabled.to_vec(),
        supported: entry.supported(kind).to_vec(),
    };
    let Some(name) = preferred else {
        let first = entry.supported(kind).iter().find(|n| enabled.contains(n));
        return first.cloned().ok_or_else(none);
    };
    if !enabled.iter().any(|n| n == name) {
        return Err(ResolveError::InterfaceNotEnabled {
            kind,
            name: Some(name.to_owned()),
            enabled: enabled.to_vec(),
            by_default: true,
        });
    }
    if entry.takes(kind, name) {
        Ok(name.to_owned())
    } else {
        Err(none())
    }
}
