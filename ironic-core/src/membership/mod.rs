//! Which conductors live, and which of them looks after a node.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ironic_hashring::{
    Grouping, HashFunction, HashRing, HashRingBuilder, Member, RingError, Rings,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::Error;
use crate::model::{ConductorRecord, Node};
use crate::store::{Kind, Query, Repository};

/// What this process has seen of the conductors, judged by its own monotonic clock alone.
#[derive(Debug)]
pub struct Membership {
    repository: Repository,
    dead_after: Duration,
    refresh_after: Duration,
    ring: HashRingBuilder,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// By conductor: its record, and when its beat was last seen to rise.
    conductors: BTreeMap<Uuid, (ConductorRecord, Instant)>,
    rings: Option<Arc<Rings>>,
    /// How often other conductors than before were on the rings.
    changes: u64,
    refreshed: Option<Instant>,
}

impl Membership {
    /// A view on the conductors of this store. One whose beat has not risen for `dead_after` is
    /// dead; the records are read again after `refresh_after`.
    pub fn new(repository: Repository, dead_after: Duration, refresh_after: Duration) -> Self {
        Self {
            repository,
            dead_after,
            refresh_after,
            ring: HashRing::builder(),
            seen: Mutex::default(),
        }
    }

    /// The same view, with rings of these settings; every process of a fleet needs the same.
    #[must_use]
    pub fn with_ring(self, partition_exponent: u8, hash: HashFunction) -> Self {
        let ring = HashRing::builder();
        let ring = ring.partition_exponent(partition_exponent).hash(hash);
        Self { ring, ..self }
    }

    /// Reads the conductors' records. Rings whose conductors are the same stay as they are.
    ///
    /// # Errors
    /// When the store cannot be read, or holds conductors of which no ring can be made.
    pub async fn refresh(&self) -> Result<(), Error> {
        let records = self
            .repository
            .list::<ConductorRecord>(&Query::all(Kind::Conductor))
            .await?;
        let now = Instant::now();
        let mut seen = self.lock();
        let before = std::mem::take(&mut seen.conductors);
        seen.conductors = records
            .into_iter()
            .map(|stored| {
                let record = stored.value;
                let since = before
                    .get(&record.uuid)
                    .filter(|(old, _)| {
                        old.beat == record.beat && old.incarnation == record.incarnation
                    })
                    .map_or(now, |(_, since)| *since);
                (record.uuid, (record, since))
            })
            .collect();
        let rings = self
            .rings(&seen, now)
            .map_err(|error| Error::internal(format!("no ring of these conductors: {error}")))?;
        let same = seen.rings.as_ref();
        if !same.is_some_and(|before| Arc::ptr_eq(before, &rings)) {
            seen.changes += 1;
        }
        seen.rings = Some(rings);
        seen.refreshed = Some(now);
        Ok(())
    }

    fn rings(&self, seen: &Seen, now: Instant) -> Result<Arc<Rings>, RingError> {
        let alive = seen
            .conductors
            .values()
            .filter(|(record, since)| self.lives(record, *since, now));
        let members: Vec<_> = alive
            .map(|(record, _)| {
                Member::new(&record.hostname, &record.conductor_group, &record.drivers)
            })
            .collect();
        let Some(before) = &seen.rings else {
            return Rings::new(Grouping::ByGroup, &self.ring, members).map(Arc::new);
        };
        let mut rings = Rings::clone(before);
        Ok(if rings.update(members)? {
            Arc::new(rings)
        } else {
            Arc::clone(before)
        })
    }

    fn lives(&self, record: &ConductorRecord, since: Instant, now: Instant) -> bool {
        record.online && now.duration_since(since) < self.dead_after
    }

    /// The conductors as they were last seen, each with whether it lives.
    pub fn conductors(&self) -> Vec<(ConductorRecord, bool)> {
        let now = Instant::now();
        let seen = self.lock();
        seen.conductors
            .values()
            .map(|(record, since)| (record.clone(), self.lives(record, *since, now)))
            .collect()
    }

    /// Whether the conductor of this name is known not to live: it has stopped, or its beat has
    /// not risen for long enough, as seen from here.
    pub fn is_dead(&self, hostname: &str) -> bool {
        let now = Instant::now();
        match self.lock().conductors.get(&ConductorRecord::id(hostname)) {
            Some((record, since)) => {
                record.stopped || now.duration_since(*since) >= self.dead_after
            }
            None => true,
        }
    }

    /// How often the rings were seen to have changed: other conductors may look after a node than
    /// at an earlier count.
    pub fn ring_changes(&self) -> u64 {
        self.lock().changes
    }

    /// The conductor that looks after this node.
    ///
    /// # Errors
    /// [`Error::NoValidHost`] when no living conductor serves the node's group and hardware type.
    pub async fn owner(&self, node: &Node) -> Result<String, Error> {
        self.owner_of(&node.conductor_group, &node.driver, node.uuid)
            .await
    }

    /// The conductor that looks after a node of this group and hardware type.
    ///
    /// # Errors
    /// As [`Membership::owner`].
    pub async fn owner_of(&self, group: &str, driver: &str, node: Uuid) -> Result<String, Error> {
        let fresh = {
            let seen = self.lock();
            seen.refreshed
                .is_some_and(|at| at.elapsed() < self.refresh_after)
        };
        if fresh && let Some(owner) = self.on_ring(group, driver, node) {
            return Ok(owner);
        }
        self.refresh().await?;
        self.on_ring(group, driver, node)
            .ok_or_else(|| self.no_owner(group, driver))
    }

    /// Why nobody looks after a node, and what to do about it.
    fn no_owner(&self, group: &str, driver: &str) -> Error {
        let mut served: Vec<_> = self
            .conductors()
            .into_iter()
            .filter(|(record, lives)| *lives && record.conductor_group == group)
            .flat_map(|(record, _)| record.drivers)
            .collect();
        served.sort_unstable();
        served.dedup();
        let served = if served.is_empty() {
            "no conductor of this group lives".to_owned()
        } else {
            format!(
                "this group serves {}; add it to enabled_hardware_types of a conductor, or set the node's driver to one of these",
                served.join(", ")
            )
        };
        Error::NoValidHost {
            reason: format!(
                "no living conductor serves the hardware type \"{driver}\" in the conductor group \"{group}\": {served}"
            ),
        }
    }

    /// The conductor that looks after this node's record: its owner, or where no conductor serves
    /// its hardware type one that lives, of the node's group if there is one.
    ///
    /// # Errors
    /// [`Error::NoValidHost`] when no conductor lives.
    pub async fn keeper(&self, node: &Node) -> Result<String, Error> {
        let refused = match self.owner(node).await {
            Err(refused @ Error::NoValidHost { .. }) => refused,
            owner => return owner,
        };
        let mut living: Vec<_> = self.conductors();
        living.retain(|(_, lives)| *lives);
        let of_group = living
            .iter()
            .find(|(record, _)| record.conductor_group == node.conductor_group);
        let keeper = of_group.or(living.first());
        keeper.map_or(Err(refused), |(record, _)| Ok(record.hostname.clone()))
    }

    fn on_ring(&self, group: &str, driver: &str, node: Uuid) -> Option<String> {
        let rings = self.lock().rings.clone()?;
        rings
            .owner(group, driver, &node.to_string())
            .ok()
            .map(str::to_owned)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    const BEAT: Duration = Duration::from_secs(10);

    fn conductor(hostname: &str) -> ConductorRecord {
        let mut record = ConductorRecord::new(hostname, Uuid::nil());
        record.drivers = vec!["ipmi".to_owned()];
        record
    }

    async fn owner(membership: &Membership) -> Result<String, Error> {
        membership.owner_of("", "ipmi", Uuid::nil()).await
    }

    fn rings(membership: &Membership) -> Arc<Rings> {
        membership.lock().rings.clone().expect("rings")
    }

    #[tokio::test(start_paused = true)]
    async fn rings_follow_the_conductors_and_are_kept_while_these_are_the_same() {
        let repository = Repository::new(Arc::new(MemoryStore::new()));
        let membership = Membership::new(repository.clone(), 3 * BEAT, BEAT);
        assert!(owner(&membership).await.is_err());

        repository.create(&conductor("c1")).await.expect("c1");
        assert_eq!(owner(&membership).await, Ok("c1".to_owned()));
        let of_one = rings(&membership);
        membership.refresh().await.expect("records");
        assert!(Arc::ptr_eq(&of_one, &rings(&membership)));

        repository.create(&conductor("c2")).await.expect("c2");
        membership.refresh().await.expect("records");
        let of_two = rings(&membership);
        let ring = of_two.ring("", "ipmi").expect("ring");
        assert_eq!(ring.hosts().collect::<Vec<_>>(), ["c1", "c2"]);

        // Only c2 goes on.
        tokio::time::advance(2 * BEAT).await;
        let beats = |record: &mut ConductorRecord| {
            record.beat += 1;
            Ok(())
        };
        let c2 = ConductorRecord::id("c2");
        repository.update(c2, None, beats).await.expect("beat");
        membership.refresh().await.expect("records");
        assert!(
            Arc::ptr_eq(&of_two, &rings(&membership)),
            "a beat is no change"
        );
        tokio::time::advance(2 * BEAT).await;
        assert_eq!(owner(&membership).await, Ok("c2".to_owned()));
        assert!(membership.is_dead("c1") && !membership.is_dead("c2"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_conductor_that_fits_no_ring_is_told_and_no_reason_to_forget_the_others() {
        let repository = Repository::new(Arc::new(MemoryStore::new()));
        let membership = Membership::new(repository.clone(), 3 * BEAT, BEAT);
        repository.create(&conductor("c1")).await.expect("c1");
        membership.refresh().await.expect("records");

        let long = conductor(&"c".repeat(HashRing::MAX_NAME_BYTES + 1));
        repository.create(&long).await.expect("long");
        let error = membership.refresh().await.expect_err("no ring");
        assert!(error.to_string().contains("1021 bytes"), "{error}");
        assert_eq!(owner(&membership).await, Ok("c1".to_owned()));
    }
}
