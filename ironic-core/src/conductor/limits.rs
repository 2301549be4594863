//! How much goes on at a time: workers of this conductor, and flows of the whole fleet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::Inner;
use crate::Error;
use crate::config::Config;
use crate::states::{ProvisionState, Verb};
use crate::store::{Filter, Kind, Scalar};

/// The slots for work on nodes: those that anything may take, and those kept for requests.
#[derive(Debug)]
pub(super) struct Workers {
    normal: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
}

impl Workers {
    pub(super) fn new(config: &Config) -> Self {
        let reserved = config.workers * usize::from(config.reserved_workers_percentage) / 100;
        Self {
            normal: Arc::new(Semaphore::new(config.workers - reserved)),
            reserved: Arc::new(Semaphore::new(reserved)),
        }
    }

    /// A slot for what comes again by itself: heartbeats.
    fn for_background(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.normal).try_acquire_owned().ok()
    }

    /// A slot for a request: a reserved one when the others are taken.
    fn for_request(&self) -> Option<OwnedSemaphorePermit> {
        let reserved = || Arc::clone(&self.reserved).try_acquire_owned().ok();
        self.for_background().or_else(reserved)
    }
}

/// Who is between counting the nodes that do something and becoming one of them.
#[derive(Debug, Default)]
pub(super) struct Turnstile {
    passing: Mutex<Passing>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Passing {
    next: u64,
    /// By setting, in the order in which they came.
    tickets: BTreeSet<(&'static str, u64)>,
}

/// A place in the turnstile; it is left when this is dropped.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    turnstile: &'a Turnstile,
    place: (&'static str, u64),
}

impl Turnstile {
    fn enter(&self, setting: &'static str) -> Ticket<'_> {
        let mut passing = Inner::lock(&self.passing);
        let place = (setting, passing.next);
        passing.next += 1;
        passing.tickets.insert(place);
        Ticket {
            turnstile: self,
            place,
        }
    }
}

impl Ticket<'_> {
    /// How many that came earlier are not through yet.
    fn before(&self) -> u64 {
        let passing = Inner::lock(&self.turnstile.passing);
        let (setting, _) = self.place;
        passing.tickets.range((setting, 0)..self.place).count() as u64
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        Inner::lock(&self.turnstile.passing)
            .tickets
            .remove(&self.place);
        self.turnstile.left.notify_waiters();
    }
}

/// A flow of which only so many may go on at a time.
struct Limit {
    action: &'static str,
    setting: &'static str,
    most: u64,
    states: &'static [ProvisionState],
}

const DEPLOYING: &[ProvisionState] = &[ProvisionState::Deploying, ProvisionState::DeployWait];
const CLEANING: &[ProvisionState] = &[
    ProvisionState::Deleting,
    ProvisionState::Cleaning,
    ProvisionState::CleanWait,
];

fn limit(config: &Config, verb: Verb) -> Option<Limit> {
    let deploy = |action| Limit {
        action,
        setting: "max_concurrent_deploy",
        most: config.max_concurrent_deploy,
        states: DEPLOYING,
    };
    let clean = |action| Limit {
        action,
        setting: "max_concurrent_clean",
        most: config.max_concurrent_clean,
        states: CLEANING,
    };
    match verb {
        Verb::Deploy | Verb::Rebuild => Some(deploy("provisioning")),
        Verb::Undeploy => Some(clean("unprovisioning")),
        Verb::Clean => Some(clean("cleaning")),
        _ => None,
    }
}

impl Inner {
    /// A slot for a request's work on a node in the background.
    pub(super) fn worker(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.slot(Workers::for_request)
    }

    /// A slot for going on with a node whose agent has called: heartbeats must not take what
    /// requests need.
    pub(super) fn background_worker(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.slot(Workers::for_background)
    }

    fn slot(
        &self,
        take: impl FnOnce(&Workers) -> Option<OwnedSemaphorePermit>,
    ) -> Result<OwnedSemaphorePermit, Error> {
        let free = (!self.stopping.is_cancelled()).then(|| take(&self.workers));
        free.flatten().ok_or_else(|| Error::NoFreeWorker {
            host: self.config.host.clone(),
        })
    }

    /// Refuses the verb when as many nodes do it as may. What is returned is held until the node
    /// is one of them, so that requests to this conductor cannot pass the limit side by side;
    /// those to different conductors can, as each counts for itself.
    ///
    /// Whoever comes later counts those before as if they had passed, and waits for them only
    /// where that makes the difference: they may be counted twice, or be refused by the store.
    pub(super) async fn within_limits(&self, verb: Verb) -> Result<Option<Ticket<'_>>, Error> {
        let Some(limit) = limit(&self.config, verb) else {
            return Ok(None);
        };
        let states = limit.states.iter();
        let states = states.map(|state| Scalar::String(state.to_string()));
        let mut counted = Filter::In("provision_state".to_owned(), states.collect());
        if self.config.max_concurrent_per_conductor_group {
            counted = counted.and(self.of_own_group());
        }
        let store = self.manager.context().repository.store();
        let ticket = self.turnstile.enter(limit.setting);
        loop {
            let left = self.turnstile.left.notified();
            let before = ticket.before();
            let count = store.count(Kind::Node, &counted).await?;
            if count + before < limit.most {
                return Ok(Some(ticket));
            }
            if before == 0 {
                return Err(Error::ConcurrentLimit {
                    action: limit.action,
                    limit: limit.most,
                    setting: limit.setting,
                });
            }
            left.await;
        }
    }

    /// The nodes of this conductor's group; records leave the default group out.
    fn of_own_group(&self) -> Filter {
        let group = &self.config.conductor_group;
        if group.is_empty() {
            Filter::Null("conductor_group".to_owned())
        } else {
            Filter::text("conductor_group", group)
        }
    }
}
