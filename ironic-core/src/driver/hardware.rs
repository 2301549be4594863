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
