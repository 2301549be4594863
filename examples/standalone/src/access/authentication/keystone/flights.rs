//! Questions of which several ask the same at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::super::recent::Digest;

/// The questions that wait for their answers. Whoever asks what is being asked waits for that
/// answer; when the one who asked goes away, the next asks anew.
pub(super) struct Flights<A> {
    open: Mutex<BTreeMap<Digest, Arc<OnceCell<A>>>>,
}

impl<A: Clone> Flights<A> {
    pub(super) fn new() -> Self {
        Self {
            open: Mutex::new(BTreeMap::new()),
        }
    }

    /// The answer to the question of this key: of the one that is under way, else by asking.
    pub(super) async fn join(&self, key: Digest, ask: impl Future<Output = A>) -> A {
        let seat = Seat {
            flights: self,
            key,
            cell: Arc::clone(self.lock().entry(key).or_default()),
        };
        seat.cell.get_or_init(|| ask).await.clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Arc<OnceCell<A>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits for an answer.
struct Seat<'a, A: Clone> {
    flights: &'a Flights<A>,
    key: Digest,
    cell: Arc<OnceCell<A>>,
}

impl<A: Clone> Drop for Seat<'_, A> {
    /// Whoever asks after this asks anew: an answer is for those who waited for it. When nobody
    /// waits any more, an open question goes as well.
    fn drop(&mut self) {
        let mut open = self.flights.lock();
        let mine = open
            .get(&self.key)
            .is_some_and(|cell| Arc::ptr_eq(cell, &self.cell));
        // Two: this one's and the one in the map. New ones come by the map, which is locked.
        if mine && (self.cell.initialized() || Arc::strong_count(&self.cell) == 2) {
            open.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;
    use tokio::task::yield_now;

    use super::Flights;

    #[tokio::test]
    async fn one_asks_for_all_and_the_next_after_one_who_left() {
        let flights = Arc::new(Flights::new());
        let (asked, answer) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let join = || {
            let (flights, asked, answer) = (flights.clone(), asked.clone(), answer.clone());
            tokio::spawn(async move {
                let ask = async {
                    let number = asked.fetch_add(1, Ordering::SeqCst);
                    answer.notified().await;
                    number
                };
                flights.join([7; 32], ask).await
            })
        };
        let first = join();
        yield_now().await;
        let others: Vec<_> = (0..5).map(|_| join()).collect();
        yield_now().await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        while asked.load(Ordering::SeqCst) < 2 {
            yield_now().await;
        }
        answer.notify_one();
        for other in others {
            assert_eq!(other.await.unwrap(), 1);
        }
        assert!(flights.lock().is_empty());
        let later = join();
        yield_now().await;
        later.abort();
        let _ = later.await;
        assert_eq!(asked.load(Ordering::SeqCst), 3, "asked anew");
        assert!(flights.lock().is_empty(), "nothing is left of one who left");
    }
}
