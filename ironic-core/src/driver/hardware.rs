use crate::states::InterfaceKind;

/// A family of machines: which interfaces work on it.
///
/// # Contract
/// The answers never change. A name that is listed need not be registered; one that is not listed
/// is never used on such a machine, unless it `accepts_any`.
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
