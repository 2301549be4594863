//! Random numbers in a range.

use ironic_core::Entropy;

/// A number between `low` and `high`.
pub(crate) fn uniform(entropy: &dyn Entropy, low: f64, high: f64) -> f64 {
    // 53 bits are what an f64 holds exactly.
    const STEPS: u64 = 1 << 53;
    #[allow(clippy::cast_precision_loss, reason = "both fit 53 bits")]
    let fraction = entropy.below(STEPS) as f64 / STEPS as f64;
    low + (high - low) * fraction
}
