//! What stands between drivers and BMCs: one gate per BMC, and the conductor's lease.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::Error;
use crate::metrics;

/// Which BMC: whatever tells one from another, such as `192.0.2.7:623`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BmcEndpoint(String);

impl BmcEndpoint {
    /// The BMC of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl std::fmt::Display for BmcEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Leave to send one command to a BMC; given back when dropped.
#[derive(Debug)]
#[must_use]
pub struct BmcPermit {
    _slot: OwnedSemaphorePermit,
    begun: Instant,
    deadline: Instant,
}

impl Drop for BmcPermit {
    fn drop(&mut self) {
        metrics::bmc_commanded(self.begun.elapsed());
    }
}

impl BmcPermit {
    /// When the command has to be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// The conductor's leave to act on machines.
#[derive(Debug, Default)]
struct Lease {
    end: Option<Instant>,
    /// How often it has begun anew.
    term: u64,
}

/// Hands out [`BmcPermit`]s.
#[derive(Debug)]
pub struct Governor {
    concurrency: usize,
    command_timeout: Duration,
    lease: Mutex<Lease>,
    gates: Mutex<BTreeMap<BmcEndpoint, Arc<Semaphore>>>,
}

impl Governor {
    /// A governor that lets `concurrency` commands at a time through to each BMC, each for at
    /// most `command_timeout`. It has no lease yet, so it lets nothing through.
    pub fn new(concurrency: usize, command_timeout: Duration) -> Self {
        Self {
            concurrency,
            command_timeout,
            lease: Mutex::default(),
            gates: Mutex::default(),
        }
    }

    /// The conductor has been seen alive at `since`, which lets it act until `since + lease`. A
    /// lease that had ended by now begins anew, with another [term](Governor::term).
    pub fn extend_lease(&self, since: Instant, lease: Duration) {
        let mut held = self.lease();
        if held.end.is_none_or(|end| end < Instant::now()) {
            held.term += 1;
        }
        let new = since + lease;
        held.end = Some(held.end.map_or(new, |old| old.max(new)));
    }

    /// The conductor has lost its nodes: nothing passes any more until the lease is extended.
    pub fn revoke_lease(&self) {
        self.lease().end = None;
    }

    /// Which lease this is, from 1; 0 before the first. Between two of them others may have taken
    /// this conductor's nodes: what it was known to hold in one it may not hold in the next.
    pub fn term(&self) -> u64 {
        self.lease().term
    }

    /// Whether the conductor may act on machines now.
    pub fn has_lease(&self) -> bool {
        let end = self.lease().end;
        end.is_some_and(|end| Instant::now() < end)
    }

    fn lease(&self) -> std::sync::MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a free slot at this BMC.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the command could outlast the conductor's lease: somebody
    /// else may be about to take the node over. Nothing has been sent then.
    pub async fn permit(&self, endpoint: &BmcEndpoint) -> Result<BmcPermit, Error> {
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            // A gate that nobody waits at or holds can be made anew.
            if gates.len() > 64 && !gates.contains_key(endpoint) {
                gates.retain(|_, gate| {
                    Arc::strong_count(gate) > 1 || gate.available_permits() < self.concurrency
                });
            }
            Arc::clone(
                gates
                    .entry(endpoint.clone())
                    .or_insert_with(|| Arc::new(Semaphore::new(self.concurrency))),
            )
        };
        let asked = Instant::now();
        let slot = gate
            .acquire_owned()
            .await
            .map_err(|_| Error::internal("the gate of a BMC was closed"))?;
        let begun = Instant::now();
        metrics::bmc_waited(begun.duration_since(asked));
        let deadline = begun + self.command_timeout;
        let end = self.lease().end;
        if end.is_none_or(|end| deadline > end) {
            return Err(Error::Unreachable {
                what: format!("BMC {endpoint}"),
                message: "this conductor's lease is about to end, so it sends no command"
                    .to_owned(),
            });
        }
        Ok(BmcPermit {
            _slot: slot,
            begun,
            deadline,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance, timeout};

    use super::{BmcEndpoint, Governor};

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_that_could_outlast_the_lease() {
        let governor = Governor::new(1, Duration::from_secs(10));
        let bmc = BmcEndpoint::new("a");
        assert!(governor.permit(&bmc).await.is_err());
        governor.extend_lease(Instant::now(), Duration::from_secs(60));
        assert!(governor.permit(&bmc).await.is_ok());
        advance(Duration::from_secs(49)).await;
        assert!(governor.permit(&bmc).await.is_ok());
        advance(Duration::from_secs(2)).await;
        assert!(governor.permit(&bmc).await.is_err());
        governor.extend_lease(Instant::now(), Duration::from_secs(60));
        assert!(governor.permit(&bmc).await.is_ok());
        governor.revoke_lease();
        assert!(governor.permit(&bmc).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_has_ended_begins_anew() {
        let governor = Governor::new(1, Duration::from_secs(10));
        let lease = Duration::from_secs(60);
        assert!(!governor.has_lease());
        governor.extend_lease(Instant::now(), lease);
        let first = governor.term();
        advance(Duration::from_secs(59)).await;
        governor.extend_lease(Instant::now(), lease);
        assert_eq!(governor.term(), first, "it went on");
        assert!(governor.has_lease());
        advance(Duration::from_secs(61)).await;
        assert!(!governor.has_lease());
        governor.extend_lease(Instant::now(), lease);
        assert_eq!(governor.term(), first + 1);
        governor.revoke_lease();
        governor.extend_lease(Instant::now(), lease);
        assert_eq!(governor.term(), first + 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_bmc_takes_one_command_at_a_time_and_others_do_not_wait_for_it() {
        let governor = Governor::new(1, Duration::from_secs(10));
        governor.extend_lease(Instant::now(), Duration::from_secs(6000));
        let (a, b) = (BmcEndpoint::new("a"), BmcEndpoint::new("b"));
        let held = governor.permit(&a).await.unwrap();
        assert!(governor.permit(&b).await.is_ok());
        assert!(
            timeout(Duration::from_secs(1), governor.permit(&a))
                .await
                .is_err()
        );
        drop(held);
        assert!(governor.permit(&a).await.is_ok());
    }
}
