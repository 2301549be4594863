use std::collections::BTreeMap;

use crate::states::InterfaceKind;

/// A family of machines: which interfaces work on it.
///
/// # Contract
/// - **Called** as a registry is built, and never after: it answers from memory. Nothing is locked,
///   dropped or recovered.
/// - **Same answers** in the whole fleet: conductors that answer differently look after the same
///   node differently.
/// - **Order.** Of what is listed and enabled, a node that names nothing gets the first, unless the
///   registry prefers another. A name that is listed need not be registered; one that is not
///   listed is never used on such a machine, unless it `accepts_any`.
/// - **Every kind** has to have one that is enabled, or no registry is built: where a machine
///   has nothing to offer, list `no-…` or `noop`, which refuse or do nothing
///   ([`generic::supported`](super::generic::supported) is where most begin).
///
/// **Checked by** no suite of its own; [`RegistryBuilder::build`](super::RegistryBuilder::build)
/// refuses a type that does not fit what is enabled.
///
/// ```
/// use ironic_core::driver::{HardwareType, generic};
/// use ironic_core::states::InterfaceKind;
///
/// struct Blade;
///
/// impl HardwareType for Blade {
///     fn name(&self) -> &str {
///         "blade"
///     }
///
///     fn supported(&self, kind: InterfaceKind) -> &[&str] {
///         match kind {
///             InterfaceKind::Power | InterfaceKind::Management => &["blade"],
///             kind => generic::supported(kind),
///         }
///     }
/// }
/// ```
pub trait HardwareType: Send + Sync + 'static {
    /// Its name: what a node's `driver` says.
    fn name(&self) -> &str;

    /// The names of the interfaces of this kind that work on it, the preferred one first.
    fn supported(&self, kind: InterfaceKind) -> &[&str];

    /// Whether a node may be given any enabled interface, so that every combination can be tried
    /// out; then `supported` says only what it gets by default.
    fn accepts_any(&self) -> bool {
        false
    }
}

/// A hardware type that is like another but for its name, and the interfaces of some kinds: what
/// most vendors' types are.
///
/// ```
/// use ironic_core::driver::{HardwareLike, HardwareType, fake::FakeHardware};
/// use ironic_core::states::InterfaceKind;
///
/// let lighthouse = HardwareLike::new("lighthouse", FakeHardware)
///     .with(InterfaceKind::Vendor, ["lamp", "no-vendor"]);
/// assert_eq!(lighthouse.supported(InterfaceKind::Vendor), ["lamp", "no-vendor"]);
/// assert_eq!(lighthouse.supported(InterfaceKind::Power), ["fake"]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct HardwareLike<T> {
    name: String,
    other: T,
    kinds: BTreeMap<InterfaceKind, Vec<&'static str>>,
}

impl<T: HardwareType> HardwareLike<T> {
    /// The type `other`, under another name. It does not accept any interface but those named,
    /// even where the other one does.
    pub fn new(name: &str, other: T) -> Self {
        Self {
            name: name.to_owned(),
            other,
            kinds: BTreeMap::new(),
        }
    }

    /// The same type, with these interfaces of a kind instead, the preferred one first.
    pub fn with(
        mut self,
        kind: InterfaceKind,
        names: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        self.kinds.insert(kind, names.into_iter().collect());
        self
    }
}

impl<T: HardwareType> HardwareType for HardwareLike<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match self.kinds.get(&kind) {
            Some(names) => names,
            None => self.other.supported(kind),
        }
    }
}
