//! Defects that are put back on purpose.

use super::Policy;

/// A defect in the engine's own code that the simulated fleet has to find. Without the feature
/// `testing` there is nothing that could put it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// A step that was begun is begun again after a crash, whatever its contract says.
    StepRepeated,
    /// An outcome is applied whatever flow it belongs to.
    StaleOutcome,
}

impl Policy {
    /// Whether the engine has this defect.
    #[cfg(feature = "testing")]
    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Whether the engine has this defect: it has none.
    #[cfg(not(feature = "testing"))]
    #[allow(clippy::unused_self, reason = "as with the feature `testing`")]
    pub(crate) const fn has(&self, _defect: Defect) -> bool {
        false
    }
}
