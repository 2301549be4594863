//! What was found out a moment ago.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// What a thing is remembered by: a digest of credentials, never they themselves.
pub(super) type Digest = [u8; 32];

/// So many results at most, each until its time is over.
pub(super) struct Recent<V> {
    most: usize,
    kept: Mutex<Kept<V>>,
}

struct Kept<V> {
    values: BTreeMap<Digest, (Instant, V)>,
    ends: BTreeSet<(Instant, Digest)>,
}

impl<V> Kept<V> {
    fn forget(&mut self, key: &Digest) {
        if let Some((end, _)) = self.values.remove(key) {
            self.ends.remove(&(end, *key));
        }
    }
}

impl<V: Clone> Recent<V> {
    /// Remembers up to `most` results.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::new(Kept {
                values: BTreeMap::new(),
                ends: BTreeSet::new(),
            }),
        }
    }

    /// What is known by now.
    pub(super) fn get(&self, key: &Digest) -> Option<V> {
        let mut kept = self.lock();
        let (end, value) = kept.values.get(key)?;
        if *end > Instant::now() {
            return Some(value.clone());
        }
        kept.forget(key);
        None
    }

    /// Remembers this until then. Where there is no more room, what ends first goes.
    pub(super) fn put(&self, key: Digest, value: V, end: Instant) {
        let mut kept = self.lock();
        kept.forget(&key);
        while kept.values.len() >= self.most {
            let Some((_, first)) = kept.ends.first().copied() else {
                // There is to be no room at all.
                return;
            };
            kept.forget(&first);
        }
        kept.values.insert(key, (end, value));
        kept.ends.insert((end, key));
    }

    fn lock(&self) -> MutexGuard<'_, Kept<V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};

    use super::Recent;

    #[tokio::test(start_paused = true)]
    async fn each_is_known_until_its_end_and_the_first_to_end_makes_room() {
        let recent = Recent::new(2);
        let after = |seconds| Instant::now() + Duration::from_secs(seconds);
        recent.put([1; 32], 'a', after(10));
        recent.put([2; 32], 'b', after(5));
        recent.put([3; 32], 'c', after(20));
        assert_eq!(recent.get(&[2; 32]), None, "it would have ended first");
        assert_eq!(recent.get(&[1; 32]), Some('a'));
        recent.put([1; 32], 'd', after(15));
        assert_eq!(recent.get(&[1; 32]), Some('d'), "told anew");
        assert_eq!(recent.get(&[3; 32]), Some('c'), "room was there");
        advance(Duration::from_secs(15)).await;
        assert_eq!(recent.get(&[1; 32]), None);
        assert_eq!(recent.get(&[3; 32]), Some('c'));
        let none = Recent::new(0);
        none.put([1; 32], 'a', after(10));
        assert_eq!(none.get(&[1; 32]), None);
    }
}
