use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use super::Bug;
use super::chance::Chance;
use super::life::Life;
use super::weather::Fate;
use super::world::World;
use crate::Error;
use crate::transport::{Call, Handler, Request, Response, Transport};

/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// How requests travel: some get lost, some are late, the answers of some get lost, and the wire
/// repeats some, of which it delivers one.
pub(super) struct Wire {
    world: Arc<World>,
    chance: Chance,
    ends: Mutex<Ends>,
}

#[derive(Default)]
struct Ends {
    conductors: BTreeMap<String, Ended>,
    sent: u64,
    delivered: BTreeSet<u64>,
}

/// Where a wire ends.
#[derive(Clone)]
struct Ended {
    life: Arc<Life>,
    handler: Arc<dyn Handler>,
}

fn unreachable(conductor: &str, message: &str) -> Error {
    Error::Unreachable {
        what: format!("conductor {conductor}"),
        message: message.to_owned(),
    }
}

impl Wire {
    pub(super) fn new(world: &Arc<World>) -> Self {
        Self {
            chance: world.chance("wire", 0),
            world: Arc::clone(world),
            ends: Mutex::default(),
        }
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers to this life of a conductor from here on.
    pub(super) fn connect(&self, life: &Arc<Life>, handler: &Arc<dyn Handler>) {
        let end = Ended {
            life: Arc::clone(life),
            handler: Arc::clone(handler),
        };
        self.ends().conductors.insert(life.host.clone(), end);
    }

    /// Delivers nothing to it any more.
    pub(super) fn cut(&self, life: &Life) {
        let mut ends = self.ends();
        let known = ends.conductors.get(&life.host);
        if known.is_some_and(|end| end.life.number == life.number) {
            ends.conductors.remove(&life.host);
        }
    }

    fn end(&self, conductor: &str) -> Option<Ended> {
        self.ends().conductors.get(conductor).cloned()
    }

    /// Hands a request over, unless it has been before.
    async fn deliver(&self, number: u64, to: &str, request: Request) -> Result<Response, Error> {
        let end = self
            .end(to)
            .ok_or_else(|| unreachable(to, "it is not there"))?;
        end.life.pass().await;
        let first = self.ends().delivered.insert(number);
        if !first && !self.world.has(Bug::DuplicateDelivered) {
            return Err(unreachable(to, "it has this already"));
        }
        end.handler.handle(request).await
    }

    /// Delivers a request as one that waits for the answer does.
    async fn answered(&self, number: u64, to: &str, request: Request) -> Result<Response, Error> {
        let end = self
            .end(to)
            .ok_or_else(|| unreachable(to, "it is not there"))?;
        tokio::select! {
            biased;
            answer = self.deliver(number, to, request) => answer,
            () = end.life.died() => Err(unreachable(to, "it was gone before it answered")),
            () = sleep(PATIENCE) => Err(Error::Timeout {
                what: format!("an answer of {to}"),
                after: PATIENCE,
            }),
        }
    }

    /// Whether the defect of forgotten heartbeats swallows this request.
    fn swallows(&self, request: &Request) -> bool {
        let Call::Heartbeat { node, .. } = &request.call else {
            return false;
        };
        self.world.has(Bug::HeartbeatLost) && self.world.is_held(*node)
    }
}

/// A caller's end of the wire.
pub(super) struct Caller(pub(super) Arc<Wire>);

#[async_trait]
impl Transport for Caller {
    async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let wire = &self.0;
        wire.world.requested();
        if wire.swallows(&request) {
            return Ok(Response::Done);
        }
        let number = {
            let mut ends = wire.ends();
            ends.sent += 1;
            ends.sent
        };
        let fate = wire.world.weather.wire(&wire.chance);
        if let Some(later) = wire.world.weather.repeats(&wire.chance) {
            let (again, wire, to) = (request.clone(), Arc::clone(wire), conductor.to_owned());
            tokio::spawn(async move {
                sleep(later).await;
                // Nobody waits for this answer.
                let _ = wire.deliver(number, &to, again).await;
            });
        }
        match fate {
            Fate::Fails => return Err(unreachable(conductor, "the request got lost")),
            Fate::Waits(time) => sleep(time).await,
            _ => {}
        }
        let answer = wire.answered(number, conductor, request).await;
        if fate == Fate::Loses {
            return Err(unreachable(conductor, "the answer got lost"));
        }
        answer
    }
}
