use super::{Catalog, Defaults, DriverAlias, Enabled, ResolveError, Resolver};
use crate::model::NodeInterfaces;
use crate::states::InterfaceKind as I;

/// Two types of which both like the power interface `a` best, and `b` less; `c` is for others.
fn catalog() -> Catalog {
    let power = |kind| {
        if kind == I::Power {
            vec!["a", "b"]
        } else {
            vec!["x"]
        }
    };
    let catalog = ["one", "two"]
        .into_iter()
        .fold(Catalog::new(), |catalog, name| {
            catalog.hardware_type(name, power)
        });
    let catalog = I::ALL
        .iter()
        .fold(catalog, |catalog, kind| catalog.interface(*kind, "x", &[]));
    ["a", "b", "c"].into_iter().fold(catalog, |catalog, name| {
        catalog.interface(I::Power, name, &[])
    })
}

fn resolver(catalog: &Catalog, enabled: &Enabled) -> Resolver {
    Resolver::new(catalog, enabled, &Defaults::new()).unwrap()
}

#[test]
fn what_types_like_best_is_enabled_once() {
    let resolver = resolver(&catalog(), &Enabled::new(["one", "two"]));
    assert_eq!(resolver.enabled(I::Power).unwrap(), ["a"]);
}

#[test]
fn an_old_name_enables_nothing_of_what_it_fixes() {
    let old = DriverAlias::new("old", "one").fixed(I::Power, ["b"]);
    let enabled = Enabled::new(["", ""]).aliases(["old"]);
    let resolver = resolver(&catalog().alias(old), &enabled);
    assert!(resolver.enabled(I::Power).unwrap().is_empty());
    assert_eq!(resolver.enabled(I::Boot).unwrap(), ["x"]);
    assert!(resolver.grants(I::Power, "b").unwrap());
    assert!(!resolver.grants(I::Power, "a").unwrap());
}

#[test]
fn an_old_name_has_the_first_that_is_registered_and_works() {
    // There is a `c`, but it does not work on this hardware type; there is no `d`.
    let old = DriverAlias::new("old", "one").fixed(I::Power, ["c", "d", "b", "a"]);
    let enabled = Enabled::new(["one"]).aliases(["old"]);
    let resolver = resolver(&catalog().alias(old), &enabled);
    assert_eq!(resolver.default_interface("old", I::Power), Ok("b"));
    assert_eq!(resolver.usable("old", I::Power).unwrap(), ["b"]);
}

#[test]
fn what_is_fixed_needs_no_list_that_could_be_wrong() {
    let old = DriverAlias::new("old", "one").fixed(I::Power, ["b"]);
    let enabled = Enabled::new(["one"]).aliases(["old"]);
    let enabled = enabled.interfaces(I::Power, ["nosuch"]);
    let resolver = resolver(&catalog().alias(old), &enabled);
    let none = NodeInterfaces::default();
    assert_eq!(resolver.default_interface("old", I::Power), Ok("b"));
    let settled = resolver.settle("old", &none, &none).unwrap();
    assert_eq!(settled.get(I::Power), Some("b"));
    for error in [
        resolver.default_interface("one", I::Power).unwrap_err(),
        resolver.settle("one", &none, &none).unwrap_err(),
    ] {
        assert!(
            matches!(error, ResolveError::NotRegistered { .. }),
            "{error}"
        );
    }
}

#[test]
fn what_can_be_chosen_is_listed_in_order() {
    let enabled = Enabled::new(["one"]).interfaces(I::Power, ["b", "c", "a"]);
    let resolver = resolver(&catalog(), &enabled);
    assert_eq!(resolver.usable("one", I::Power).unwrap(), ["a", "b"]);
    assert_eq!(resolver.enabled(I::Power).unwrap(), ["b", "c", "a"]);
}

#[test]
fn an_interface_waits_for_those_that_it_requires() {
    let catalog = catalog().interface(I::Power, "b", &["a".to_owned()]);
    let listed = |names: &[&str]| {
        let enabled = Enabled::new(["one"]).interfaces(I::Power, names);
        resolver(&catalog, &enabled).check()
    };
    assert!(listed(&["a", "b"]).is_ok());
    let error = listed(&["b"]).unwrap_err();
    let ResolveError::CannotLoad { name, missing, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (name.as_str(), missing.as_slice()),
        ("b", &["a".to_owned()][..])
    );
}

#[test]
fn a_preference_must_fit() {
    let enabled = Enabled::new(["one"]).interfaces(I::Power, ["a", "c"]);
    let with = |name: &str| {
        let defaults = Defaults::new().interface(I::Power, name);
        Resolver::new(&catalog(), &enabled, &defaults)
            .unwrap()
            .check()
    };
    assert!(with("a").is_ok());
    assert!(matches!(
        with("b"),
        Err(ResolveError::InterfaceNotEnabled {
            by_default: true,
            ..
        })
    ));
    assert!(matches!(
        with("c"),
        Err(ResolveError::NoValidDefault { .. })
    ));
}
