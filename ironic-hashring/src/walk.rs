use std::iter::FusedIterator;

use crate::HashRing;

/// Hosts of a ring, each once, in the order in which a walk from a key meets them.
///
/// The first is the key's owner, the next its second replica, and so on.
#[derive(Debug, Clone)]
#[must_use = "iterators do nothing unless they are consumed"]
pub struct Walk<'a> {
    ring: &'a HashRing,
    start: usize,
    /// Points passed so far.
    steps: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(ring: &'a HashRing, start: usize) -> Self {
        Self {
            ring,
            start,
            steps: 0,
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let points = self.ring.points();
        while self.steps < points.len() {
            let steps = self.steps;
            self.steps += 1;
            let ahead = self.start + steps;
            let point = points
                .get(ahead)
                .or_else(|| points.get(ahead - points.len()))?;
            if point.gap as usize > steps {
                return Some(self.ring.host_name(point));
            }
        }
        None
    }
}

impl FusedIterator for Walk<'_> {}
