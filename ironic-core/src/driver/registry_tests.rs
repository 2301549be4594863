use super::fake::{self, FakeBehaviour, FakeHardware};
use super::harness::NODE;
use super::noop::{self, ManualManagement};
use super::{HardwareType, Registry, RegistryBuilder, ResolveError};
use crate::error::{Error, ErrorKind};
use crate::model::{InterfaceNames, Node, NodeInterfaces};
use crate::states::InterfaceKind as I;

fn fakes() -> RegistryBuilder {
    fake::register(Registry::builder(), &FakeBehaviour::new())
}

/// With a hardware type that is choosy, which the fake one is not.
fn with_manual() -> RegistryBuilder {
    struct Manual;

    impl HardwareType for Manual {
        fn name(&self) -> &str {
            "manual"
        }

        fn supported(&self, kind: I) -> &[&str] {
            match kind {
                I::Boot => &["fake"],
                I::Deploy => &["direct", "noop", "fake"],
                other => ManualManagement.supported(other),
            }
        }
    }

    fakes()
        .hardware(std::sync::Arc::new(Manual))
        .enable_hardware_types(["manual"])
        .enable(I::Deploy, ["fake", "noop"])
}

fn chosen(kind: I, name: &str) -> NodeInterfaces {
    NodeInterfaces::from_iter([(kind, name.to_owned())])
}

fn refused(builder: RegistryBuilder, kind: ErrorKind, words: &[&str]) {
    let error: Error = builder.build().unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error}: no {word}");
    }
}

#[test]
fn a_registry_that_could_not_work_is_not_built() {
    refused(
        Registry::builder(),
        ErrorKind::MissingParameter,
        &["enabled_hardware_types"],
    );
    refused(
        noop::register(Registry::builder()),
        ErrorKind::MissingParameter,
        &["manual-management"],
    );
    refused(
        fakes().enable_hardware_types(["ipmi"]),
        ErrorKind::NotFound,
        &["ipmi", "fake-hardware, manual-management"],
    );
    refused(
        fakes().enable(I::Power, ["fake", "ipmitool"]),
        ErrorKind::NotFound,
        &[
            "ipmitool",
            "registered are fake;",
            "enabled_power_interfaces",
        ],
    );
    refused(
        fakes().enable(I::Management, ["noop"]),
        ErrorKind::InvalidParameter,
        &["fake-hardware", "noop", "enabled_management_interfaces"],
    );
    refused(
        fakes().default_interface(I::Raid, "agent"),
        ErrorKind::InvalidParameter,
        &["agent", "fake, no-raid", "default_raid_interface"],
    );
    // Nothing listed, and nothing that the hardware type likes is registered.
    refused(
        noop::register(Registry::builder()).enable_hardware_types(["manual-management"]),
        ErrorKind::InvalidParameter,
        &["boot", "ipxe, pxe"],
    );
}

#[test]
fn what_is_left_open_follows_the_hardware_type() {
    let none: [&str; 0] = [];
    let registry = with_manual().enable(I::Deploy, none).build().unwrap();
    // The first of each type that is registered: direct is not.
    let deploy = |driver| registry.resolve(driver, &NodeInterfaces::default());
    assert_eq!(deploy("manual").unwrap().get(I::Deploy), "noop");
    assert_eq!(deploy("fake-hardware").unwrap().get(I::Deploy), "fake");
}

#[test]
fn names_are_checked_against_what_is_enabled_and_supported() {
    let registry = with_manual().build().unwrap();
    let names = registry.resolve("manual", &chosen(I::Power, "fake"));
    assert_eq!(names.unwrap().get(I::Power), "fake");
    assert!(matches!(
        registry.resolve("manual", &chosen(I::Raid, "fake")),
        Err(ResolveError::Incompatible { kind: I::Raid, usable, .. }) if usable == ["no-raid"]
    ));
    assert!(matches!(
        registry.resolve("manual", &chosen(I::Raid, "agent")),
        Err(ResolveError::InterfaceNotEnabled { kind: I::Raid, .. })
    ));
    assert!(matches!(
        registry.resolve("other", &NodeInterfaces::default()),
        Err(ResolveError::DriverNotFound { enabled, .. }) if enabled == ["fake-hardware", "manual"]
    ));
    // The fake hardware type takes what it does not support.
    let names = registry.resolve("fake-hardware", &chosen(I::Management, "noop"));
    assert_eq!(names.unwrap().get(I::Management), "noop");
    assert!(!FakeHardware.supported(I::Management).contains(&"noop"));
}

#[test]
fn an_instance_may_pin_an_interface_for_itself() {
    let registry = with_manual().build().unwrap();
    let mut node = Node::new(NODE, "fake-hardware");
    node.interfaces = chosen(I::Deploy, "fake");
    let pin = |node: &mut Node, name: &str| {
        let key = "deploy_interface".to_owned();
        node.instance_info.insert(key, name.into());
    };
    pin(&mut node, "noop");
    let names = registry.resolve_node(&node).unwrap();
    assert_eq!(names.get(I::Deploy), "noop");
    assert_eq!(names.get(I::Power), "fake");
    pin(&mut node, "direct");
    let error = registry.resolve_node(&node).unwrap_err();
    assert!(error.to_string().contains("\"direct\""), "{error}");
}

#[test]
fn a_driver_is_made_of_the_interfaces_named() {
    let registry = fakes().build().unwrap();
    let node = Node::new(NODE, "fake-hardware");
    let steps = |vendor: &str| {
        let names = registry.resolve("fake-hardware", &chosen(I::Vendor, vendor));
        let driver = registry.compose(&names.unwrap()).unwrap();
        let steps = driver.vendor.steps(&node, crate::states::FlowKind::Clean);
        steps.len()
    };
    assert_eq!(steps("fake"), 1);
    assert_eq!(steps("no-vendor"), 0);
    let odd = |kind| match kind {
        I::Network => Ok::<_, ()>("fake".to_owned()), // Registered, but not enabled.
        _ => Ok("fake".to_owned()),
    };
    let names = InterfaceNames::try_from_fn(odd).unwrap();
    assert!(matches!(
        registry.compose(&names),
        Err(ResolveError::InterfaceNotEnabled { kind: I::Network, name: Some(name), .. })
            if name == "fake"
    ));
}

#[test]
fn hardware_types_are_listed_as_the_api_shows_them() {
    let registry = with_manual().build().unwrap();
    let types: Vec<_> = registry.hardware_types().collect();
    assert_eq!(types, ["fake-hardware", "manual"]);
    let fake = registry.interfaces_of("fake-hardware").unwrap();
    assert_eq!(fake.len(), I::ALL.len());
    // Enabled, but not supported.
    assert_eq!(fake[&I::Management].enabled, ["fake"]);
    assert_eq!(fake[&I::Inspect].enabled, ["fake", "no-inspect"]);
    assert_eq!(fake[&I::Storage].enabled, ["fake", "noop"]);
    assert_eq!(fake[&I::Storage].default, "noop");
    let manual = registry.interfaces_of("manual").unwrap();
    assert_eq!(manual[&I::Deploy].enabled, ["fake", "noop"]);
    assert_eq!(manual[&I::Deploy].default, "noop");
    assert!(registry.interfaces_of("ipmi").is_err());
    let keys = |driver| registry.properties(driver).unwrap().into_keys().collect();
    let (fake, manual): (Vec<_>, Vec<_>) = (keys("fake-hardware"), keys("manual"));
    assert_eq!(fake, ["B1", "B2"]);
    assert!(manual.is_empty());
}

#[test]
fn a_name_that_is_registered_again_is_replaced() {
    use super::noop::NoVendor;
    let builder = fakes().vendor("fake", std::sync::Arc::new(NoVendor));
    assert!(
        builder
            .build()
            .unwrap()
            .properties("fake-hardware")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_interface_is_asked_what_it_requires() {
    struct Needy;

    #[async_trait::async_trait]
    impl super::Interface for Needy {
        async fn validate(&self, _task: &super::SharedTask) -> Result<(), Error> {
            Ok(())
        }

        fn requires(&self) -> Vec<String> {
            vec!["no-vendor".to_owned()]
        }
    }

    impl super::Vendor for Needy {}

    let builder = || fakes().vendor("needy", std::sync::Arc::new(Needy));
    refused(
        builder().enable(I::Vendor, ["fake", "needy"]),
        ErrorKind::Internal,
        &["needy", "requires no-vendor", "enabled_vendor_interfaces"],
    );
    assert!(
        builder()
            .enable(I::Vendor, ["fake", "needy", "no-vendor"])
            .build()
            .is_ok()
    );
}
