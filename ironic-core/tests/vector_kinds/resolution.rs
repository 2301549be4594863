//! Interface resolution against cases computed by running the original.

use ironic_core::driver::{Catalog, Defaults, Enabled, ResolveError, Resolver, instance_overrides};
use ironic_core::model::{InterfaceNames, JsonMap, NodeInterfaces};
use ironic_core::states::InterfaceKind;
use ironic_core::{Error, ErrorKind};
use serde_json::{Map, Value};

use crate::harness::{check, facts};

const FILE: &str = "interface_resolution.json";

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.map(|v| v.as_str().unwrap().to_owned()).collect()
}

/// What the original's configuration options say unless they are set.
struct Library {
    catalog: Catalog,
    enabled: Map<String, Value>,
    defaults: Map<String, Value>,
}

impl Library {
    fn new() -> Self {
        let surface = facts("api_surface.json");
        let options = surface["config_options"].as_array().unwrap();
        let option = |name: &str| {
            let is = |option: &&Value| option["group"] == "DEFAULT" && option["name"] == name;
            options.iter().find(is).unwrap()["default"].clone()
        };
        let per_kind = |prefix: &str, suffix: &str| {
            let kinds = InterfaceKind::ALL.iter();
            kinds
                .map(|kind| {
                    (
                        kind.to_string(),
                        option(&format!("{prefix}_{kind}_{suffix}")),
                    )
                })
                .collect()
        };
        Self {
            catalog: catalog(&surface, &option("autodetect_deploy_interfaces")),
            enabled: per_kind("enabled", "interfaces"),
            defaults: per_kind("default", "interface"),
        }
    }

    /// The configuration of a case: what it sets, else what the library says.
    fn resolver(&self, case: &Value) -> Result<Resolver, ResolveError> {
        let mut enabled = Enabled::new(strings(&case["enabled_hardware_types"]));
        let mut defaults = Defaults::new();
        for kind in InterfaceKind::ALL.iter().copied() {
            let set = &case["enabled_interfaces"][kind.as_str()];
            let names = if set.is_null() {
                &self.enabled[kind.as_str()]
            } else {
                set
            };
            enabled = enabled.interfaces(kind, strings(names));
            let set = case["default_interfaces"].get(kind.as_str());
            if let Some(name) = set.unwrap_or(&self.defaults[kind.as_str()]).as_str() {
                defaults = defaults.interface(kind, name);
            }
        }
        Resolver::new(&self.catalog, &enabled, &defaults)
    }
}

/// The original's hardware types and interfaces. Its `fake-hardware` takes any interface, and its
/// `autodetect` needs those enabled that it chooses from.
fn catalog(surface: &Value, autodetected: &Value) -> Catalog {
    let resolution = facts(FILE);
    let types = resolution["supported_interfaces_in_priority_order"].as_object();
    let mut catalog = Catalog::new();
    for (name, supported) in types.unwrap() {
        catalog = catalog.hardware_type(name, |kind| strings(&supported[kind.as_str()]));
    }
    for kind in InterfaceKind::ALL.iter().copied() {
        for name in strings(&surface["interface_entry_points"][kind.as_str()]) {
            let requires = match (kind, name.as_str()) {
                (InterfaceKind::Deploy, "autodetect") => strings(autodetected),
                _ => Vec::new(),
            };
            catalog = catalog.interface(kind, &name, &requires);
        }
    }
    catalog.accepting_any("fake-hardware")
}

/// The original's class for an error.
fn class(error: &ResolveError) -> &'static str {
    match error {
        ResolveError::DriverNotFound { .. } => "DriverNotFound",
        ResolveError::NotRegistered { .. } => "DriverNotFoundInEntrypoint",
        ResolveError::CannotLoad { .. } => "DriverLoadError",
        ResolveError::InterfaceNotEnabled { .. } => "InterfaceNotFoundInEntrypoint",
        ResolveError::Incompatible { .. } => "IncompatibleInterface",
        ResolveError::NoValidDefault { .. } => "NoValidDefaultForInterface",
        _ => "unknown",
    }
}

/// The HTTP status that an error leads to.
fn code(error: ResolveError) -> u64 {
    match Error::from(error).kind() {
        ErrorKind::NotFound => 404,
        ErrorKind::InvalidParameter => 400,
        _ => 500,
    }
}

fn failure(error: ResolveError) -> Value {
    serde_json::json!({"error": class(&error), "code": code(error)})
}

/// What the node is recorded with (null where an instance's own name keeps a default away), and
/// whether a driver can be made of that alone.
fn run(library: &Library, case: &Value) -> Value {
    let fields = case["node_fields"].as_object().unwrap();
    let chosen: NodeInterfaces = fields
        .iter()
        .filter_map(|(field, name)| {
            let kind = field.strip_suffix("_interface").unwrap().parse().unwrap();
            Some((kind, name.as_str()?.to_owned()))
        })
        .collect();
    let instance_info: JsonMap = case["instance_info"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let overrides = instance_overrides(&instance_info);
    let driver = case["driver"].as_str().unwrap();
    let settled = library
        .resolver(case)
        .and_then(|resolver| Ok((resolver.settle(driver, &chosen, &overrides)?, resolver)));
    let (settled, resolver) = match settled {
        Ok(settled) => settled,
        Err(error) => return failure(error),
    };
    let ok: JsonMap = InterfaceKind::ALL
        .iter()
        .map(|kind| (format!("{kind}_interface"), settled.get(*kind).into()))
        .collect();
    let names: Result<InterfaceNames, _> = resolver.complete(&settled);
    match names {
        Ok(_) => serde_json::json!({"ok": ok}),
        Err(error) => serde_json::json!({"ok": ok, "attach_error": class(&error)}),
    }
}

#[test]
fn interface_resolution() {
    let library = Library::new();
    check(FILE, &[], &[], |kind, case| {
        let family = kind.split(':').next()?;
        let known = matches!(
            family,
            "all_library_defaults" | "one_enabled" | "random" | "odd"
        );
        known.then(|| {
            let got = run(&library, case);
            if got == case["expect"] {
                Ok(())
            } else {
                Err(got.to_string())
            }
        })
    });
}
