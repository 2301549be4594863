/// Where session ids, random numbers and initialization vectors come from.
///
/// The state machines take it as an argument, so that a test can repeat a run. A BMC or a client that faces a
/// network needs a cryptographically secure source.
pub trait Random {
    /// Fills the slice.
    fn fill(&mut self, out: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Random for F {
    fn fill(&mut self, out: &mut [u8]) {
        self(out);
    }
}

pub(crate) fn random_bytes<const N: usize>(random: &mut dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// A session id other than zero that `taken` does not know.
pub(crate) fn fresh_id(random: &mut dyn Random, taken: impl Fn(u32) -> bool) -> u32 {
    let mut id = u32::from_le_bytes(random_bytes(random));
    // Steps on from the random start, so that a source stuck on one value cannot hang the caller.
    while id == 0 || taken(id) {
        id = id.wrapping_add(1);
    }
    id
}
