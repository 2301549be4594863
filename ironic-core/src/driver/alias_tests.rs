use super::fake::{self, FakeBehaviour};
use super::harness::NODE;
use super::{DriverAlias, Registry, RegistryBuilder, ResolveError};
use crate::error::{Error, ErrorKind};
use crate::model::{Node, NodeInterfaces};
use crate::states::InterfaceKind as I;

fn builder() -> RegistryBuilder {
    fake::register(Registry::builder(), &FakeBehaviour::new())
        .enable(I::Console, ["no-console"])
        .enable(I::Power, ["fake"])
        .enable_aliases(["fake"])
}

fn registry() -> Registry {
    builder().build().unwrap()
}

fn chosen(kind: I, name: &str) -> NodeInterfaces {
    NodeInterfaces::from_iter([(kind, name.to_owned())])
}

fn refused(builder: RegistryBuilder, words: &[&str]) {
    let error: Error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error}: no {word}");
    }
}

#[test]
fn an_old_name_stands_for_a_hardware_type_with_fixed_interfaces() {
    let registry = registry();
    let names = registry
        .resolve("fake", &NodeInterfaces::default())
        .unwrap();
    // Fixed, although no enabled list has it.
    assert_eq!(names.get(I::Console), "fake");
    assert_eq!(names.get(I::Rescue), "fake");
    // Open, and so the default.
    assert_eq!(names.get(I::Network), "noop");
    assert_eq!(names.get(I::Bios), "fake");
    assert!(registry.compose(&names).is_ok());
    // The hardware type itself is not given what only the old name has.
    let error = registry
        .resolve("fake-hardware", &chosen(I::Console, "fake"))
        .unwrap_err();
    assert!(
        matches!(error, ResolveError::InterfaceNotEnabled { .. }),
        "{error}"
    );
    // Open kinds can be chosen.
    let names = registry
        .resolve("fake", &chosen(I::Bios, "no-bios"))
        .unwrap();
    assert_eq!(names.get(I::Bios), "no-bios");
}

#[test]
fn a_fixed_interface_cannot_be_another() {
    let registry = registry();
    let mut both = chosen(I::Power, "noop");
    both.set(I::Deploy, Some("direct".to_owned()));
    let error = registry.resolve("fake", &both).unwrap_err();
    let ResolveError::Fixed {
        driver,
        hardware_type,
        contradictions,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (driver.as_str(), hardware_type.as_str()),
        ("fake", "fake-hardware")
    );
    let kinds: Vec<_> = contradictions.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [I::Deploy, I::Power]);
    assert_eq!(Error::from(error).kind(), ErrorKind::InvalidParameter);

    let mut node = Node::new(NODE, "fake");
    // What a node was recorded with is what it has, so it may say so.
    node.interfaces = chosen(I::Power, "fake");
    assert_eq!(registry.resolve_node(&node).unwrap().get(I::Power), "fake");
    let pin = |name: &str| ("deploy_interface".to_owned(), name.into());
    node.instance_info.extend([pin("fake")]);
    assert_eq!(registry.resolve_node(&node).unwrap().get(I::Deploy), "fake");
    node.instance_info.extend([pin("noop")]);
    let error = registry.resolve_node(&node).unwrap_err();
    assert!(matches!(error, ResolveError::Fixed { .. }), "{error}");
}

#[test]
fn old_names_are_listed_with_what_they_have() {
    let registry = registry();
    let types: Vec<_> = registry.hardware_types().collect();
    assert_eq!(types, ["fake", "fake-hardware"]);
    let listed = registry.interfaces_of("fake").unwrap();
    assert_eq!(listed[&I::Console].enabled, ["fake"]);
    assert_eq!(listed[&I::Console].default, "fake");
    assert_eq!(listed[&I::Network].enabled, ["noop"]);
    assert!(registry.properties("fake").unwrap().contains_key("B1"));
}

#[test]
fn an_old_name_that_is_not_enabled_is_no_driver() {
    let registry = fake::register(Registry::builder(), &FakeBehaviour::new())
        .build()
        .unwrap();
    let error = registry
        .resolve("fake", &NodeInterfaces::default())
        .unwrap_err();
    assert!(
        matches!(error, ResolveError::DriverNotFound { .. }),
        "{error}"
    );
}

#[test]
fn what_is_missing_for_an_old_name_is_named() {
    refused(
        builder().enable_aliases(["fakes"]),
        &["fakes", "did you mean \"fake\"", "enabled_drivers"],
    );
    refused(
        builder().enable_aliases(["pxe_ssh"]),
        &["pxe_ssh", "virtual BMC", "enabled_drivers"],
    );
    refused(
        builder().enable_aliases(["fake_agent"]),
        &[
            "boot interface of driver \"fake_agent\"",
            "pxe",
            "registered are fake",
        ],
    );
    let odd = DriverAlias::new("odd", "nosuch");
    refused(
        builder().alias(odd).enable_aliases(["odd"]),
        &["hardware type of driver \"odd\"", "nosuch"],
    );
}

#[test]
fn the_first_interface_that_is_there_and_fits_is_taken() {
    // Registered, but not for this hardware type; then not registered; then right.
    let alias = DriverAlias::new("manual", "manual-management")
        .fixed(I::Bios, ["fake", "nosuch", "no-bios", "other"]);
    let fakes = fake::register(Registry::builder(), &FakeBehaviour::new());
    let registry = fakes
        .alias(alias.clone())
        .enable_aliases(["", "manual", "manual"])
        .enable(I::Bios, ["fake"])
        .enable(I::Boot, ["fake"])
        .build();
    // Nothing that is enabled boots a machine of this type, and the alias leaves that open.
    let error = registry.unwrap_err();
    assert!(error.to_string().contains("no boot interface"), "{error}");
    assert_eq!(
        (alias.name(), alias.hardware_type()),
        ("manual", "manual-management")
    );
}

#[test]
fn old_names_alone_are_enough() {
    // Fixes all, so that nothing has to be enabled, whatever the hardware type likes best.
    let alias = I::ALL.iter().fold(
        DriverAlias::new("old", "manual-management"),
        |alias, kind| {
            let name = match kind {
                I::Management | I::Network | I::Storage => "noop".to_owned(),
                I::Boot | I::Deploy | I::Power => "odd".to_owned(),
                other => format!("no-{other}"),
            };
            alias.fixed(*kind, [name])
        },
    );
    struct Hardware;
    impl super::HardwareType for Hardware {
        fn name(&self) -> &str {
            "manual-management"
        }

        fn supported(&self, kind: I) -> &[&str] {
            match kind {
                I::Boot | I::Deploy | I::Power => &["odd"],
                other => super::noop::ManualManagement.supported(other),
            }
        }
    }
    let behaviour = FakeBehaviour::new();
    let registry = super::noop::register(Registry::builder())
        .hardware(std::sync::Arc::new(Hardware))
        .boot("odd", std::sync::Arc::new(fake::FakeBoot::new(&behaviour)))
        .deploy(
            "odd",
            std::sync::Arc::new(fake::FakeDeploy::new(&behaviour)),
        )
        .power("odd", std::sync::Arc::new(fake::FakePower::new(&behaviour)))
        .alias(alias)
        .enable_aliases(["old"])
        .build()
        .unwrap();
    assert_eq!(registry.hardware_types().collect::<Vec<_>>(), ["old"]);
    let names = registry.resolve("old", &NodeInterfaces::default()).unwrap();
    assert_eq!(
        (names.get(I::Power), names.get(I::Raid)),
        ("odd", "no-raid")
    );
    assert!(registry.compose(&names).is_ok());
}
