//! The connections that there are, and which of them has to go when there is no room for another.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// How long until another connection is looked for that can go.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Of so many connections one goes when there is no room.
const SHARE: usize = 256;
/// In place of a time: the service has the request and owes the answer.
const ANSWERING: u64 = u64::MAX;

/// All connections of a service.
#[derive(Debug)]
pub(crate) struct Connections {
    started: Instant,
    room: Arc<Semaphore>,
    /// Of one address; 0 is any number.
    most_of_one: usize,
    all: Mutex<All>,
    accepted: AtomicU64,
    evicted: AtomicU64,
}

#[derive(Debug, Default)]
struct All {
    next: u64,
    by_number: BTreeMap<u64, Arc<Connection>>,
    by_address: BTreeMap<IpAddr, usize>,
}

/// A connection, as others see it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) remote: SocketAddr,
    started: Instant,
    /// Since when the client is waited for, in microseconds since the start, or [`ANSWERING`].
    waiting_since: AtomicU64,
    /// Whether it has been of use.
    served: AtomicBool,
    doubtful: AtomicBool,
    evicted: CancellationToken,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    pub(super) connection: Arc<Connection>,
    connections: Arc<Connections>,
    _room: OwnedSemaphorePermit,
}

impl Connections {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            room: Arc::new(Semaphore::new(most)),
            most_of_one,
            all: Mutex::default(),
            accepted: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all().by_number.len()
    }

    /// How many there have been.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many have been ended to make room for others.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for a connection from there. Where there is none, the one that its client has
    /// kept waiting longest goes, rather one that never was of use; while all are being answered,
    /// the new one waits. `None`: the address has as many as it may have, all being answered.
    pub(super) async fn admit(self: &Arc<Self>, remote: SocketAddr) -> Option<Place> {
        let address = remote.ip().to_canonical();
        let full = self.most_of_one > 0
            && self.all().by_address.get(&address).copied().unwrap_or(0) >= self.most_of_one;
        if full && !self.evict(Some(address)) {
            return None;
        }
        let room = loop {
            if let Ok(room) = Arc::clone(&self.room).try_acquire_owned() {
                break room;
            }
            self.evict(None);
            let room = timeout(LOOK_AGAIN, Arc::clone(&self.room).acquire_owned()).await;
            if let Ok(Ok(room)) = room {
                break room;
            }
        };
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection {
            remote,
            started: self.started,
            waiting_since: AtomicU64::new(micros_since(self.started)),
            served: AtomicBool::new(false),
            doubtful: AtomicBool::new(false),
            evicted: CancellationToken::new(),
        });
        let mut all = self.all();
        let number = all.next;
        all.next += 1;
        all.by_number.insert(number, Arc::clone(&connection));
        *all.by_address.entry(address).or_default() += 1;
        drop(all);
        Some(Place {
            number,
            connection,
            connections: Arc::clone(self),
            _room: room,
        })
    }

    /// Ends the connection that can best be done without, of one address or of all: of very many
    /// [a few](SHARE), as looking through them takes longer than ending one. False where every one
    /// is being answered.
    pub(super) fn evict(&self, of: Option<IpAddr>) -> bool {
        let all = self.all();
        let waiting = all.by_number.values().filter_map(|connection| {
            let since = connection.waiting_since.load(Ordering::Relaxed);
            let idle = since != ANSWERING
                && of.is_none_or(|address| connection.remote.ip().to_canonical() == address)
                && !connection.evicted.is_cancelled();
            let served = connection.served.load(Ordering::Relaxed);
            idle.then_some(((served, since), connection))
        });
        let mut waiting: Vec<_> = waiting.collect();
        let few = match of {
            None => (all.by_number.len() / SHARE).max(1),
            Some(_) => 1,
        };
        if few < waiting.len() {
            waiting.select_nth_unstable_by_key(few, |(worth, _)| *worth);
        }
        let evicted = waiting.iter().take(few);
        for (_, connection) in evicted.clone() {
            connection.evicted.cancel();
        }
        let evicted = evicted.len();
        self.evicted.fetch_add(evicted as u64, Ordering::Relaxed);
        evicted > 0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.connections.all();
        all.by_number.remove(&self.number);
        let address = self.connection.remote.ip().to_canonical();
        if let Some(count) = all.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                all.by_address.remove(&address);
            }
        }
    }
}

impl Connection {
    /// Bytes have come in; `complete` says that they end a request. Who sends a little at a time
    /// keeps us waiting all the same.
    pub(super) fn hears(&self, complete: bool) {
        if complete {
            self.waiting_since.store(ANSWERING, Ordering::Relaxed);
        } else if self.waiting_since.load(Ordering::Relaxed) == ANSWERING {
            self.wait();
        }
    }

    /// A request has been answered.
    pub(super) fn answered(&self) {
        self.served.store(true, Ordering::Relaxed);
        self.wait();
    }

    fn wait(&self) {
        let since = micros_since(self.started);
        self.waiting_since.store(since, Ordering::Relaxed);
    }

    /// Where a request of this connection ends is in doubt.
    pub(super) fn doubt(&self) {
        self.doubtful.store(true, Ordering::Relaxed);
    }

    /// Whether where a request of this connection ends is in doubt.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Relaxed)
    }

    /// Until the connection has to go.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

fn micros_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(ANSWERING - 1)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::{Connections, Place};

    fn from(address: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, address], 1000))
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_goes_first_and_who_never_asked_before_that() {
        let connections = Connections::new(3, 0);
        let of_use = connections.admit(from(1)).await.unwrap();
        of_use.connection.hears(true);
        of_use.connection.answered();
        advance(Duration::from_secs(1)).await;
        let silent = connections.admit(from(2)).await.unwrap();
        advance(Duration::from_secs(1)).await;
        let busy = connections.admit(from(3)).await.unwrap();
        busy.connection.hears(true);
        assert!(connections.evict(None));
        timeout(Duration::ZERO, silent.connection.evicted())
            .await
            .unwrap();
        drop(silent);
        assert!(connections.evict(None));
        timeout(Duration::ZERO, of_use.connection.evicted())
            .await
            .unwrap();
        // What is being answered stays.
        assert!(!connections.evict(None));
        drop(of_use);
        assert_eq!((connections.count(), connections.evicted()), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn of_very_many_the_longest_idle_few_go_at_once() {
        let connections = Connections::new(1000, 0);
        let mut places = Vec::new();
        for _ in 0..600 {
            places.push(connections.admit(from(1)).await.unwrap());
            advance(Duration::from_millis(1)).await;
        }
        // All that came first have asked since.
        for place in &places[..100] {
            place.connection.hears(true);
            place.connection.answered();
        }
        assert!(connections.evict(None));
        let gone = |place: &Place| place.connection.evicted.is_cancelled();
        let gone: Vec<_> = (0..600).filter(|at| gone(&places[*at])).collect();
        assert_eq!(gone, [100, 101]);
        assert!(connections.evict(Some(from(1).ip())));
        assert_eq!(connections.evicted(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_one_takes_the_place_of_an_idle_one() {
        let connections = Connections::new(1, 0);
        let old = connections.admit(from(1)).await.unwrap();
        let goes = tokio::spawn(async move {
            old.connection.evicted().await;
            drop(old);
        });
        let new = connections.admit(from(2)).await.unwrap();
        goes.await.unwrap();
        assert_eq!(connections.count(), 1);
        // One that is being answered is waited for.
        new.connection.hears(true);
        let wait = timeout(Duration::from_secs(60), connections.admit(from(3))).await;
        assert!(wait.is_err());
        drop(new);
        assert!(connections.admit(from(3)).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_no_more_than_it_may() {
        let connections = Connections::new(10, 1);
        let first = connections.admit(from(1)).await.unwrap();
        first.connection.hears(true);
        assert!(connections.admit(from(1)).await.is_none());
        assert!(connections.admit(from(2)).await.is_some());
        first.connection.answered();
        assert!(connections.admit(from(1)).await.is_some());
        timeout(Duration::ZERO, first.connection.evicted())
            .await
            .unwrap();
    }
}
