//! Reading the machines' sensors at intervals, and telling of what they read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Inner;
use crate::config::SensorData;
use crate::model::{JsonMap, Node};
use crate::notify::{SensorReadings, SensorSource};
use crate::states::ProvisionState;
use crate::store::{Filter, Kind, Query};
use crate::{Error, ErrorKind};

/// The machines of a round that nobody has read yet.
type Queue = Arc<Mutex<VecDeque<Uuid>>>;

impl Inner {
    pub(super) async fn read_sensors(self: Arc<Self>) {
        let settings = &self.config.sensors;
        if !settings.enabled {
            return;
        }
        let mut ticks = tokio::time::interval(settings.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        while self.unless_stopping(ticks.tick()).await.is_some() {
            let round = tokio::time::timeout(settings.wait_timeout, self.sensor_round());
            match self.unless_stopping(round).await {
                None => return,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    tracing::warn!(%error, "the machines to read cannot be listed");
                }
                Some(Err(_)) => tracing::warn!(
                    after = ?settings.wait_timeout,
                    "not all sensors were read in time (sensor_data.wait_timeout)"
                ),
            }
        }
    }

    /// One round over all machines; what still runs when it is dropped is dropped with it.
    async fn sensor_round(self: &Arc<Self>) -> Result<(), Error> {
        let settings = &self.config.sensors;
        if settings.for_conductor {
            self.tell_readings(SensorSource::Conductor, self.own_readings());
        }
        if !settings.for_nodes {
            return Ok(());
        }
        let nodes = self.nodes_to_read(settings).await?;
        let readers = settings.workers.min(nodes.len());
        let queue: Queue = Arc::new(Mutex::new(nodes));
        let mut reading = JoinSet::new();
        for running in 0..readers {
            let Ok(slot) = self.background_worker() else {
                tracing::warn!(
                    running,
                    "no worker is free for reading more sensors at a time"
                );
                break;
            };
            let (inner, queue) = (Arc::clone(self), Arc::clone(&queue));
            reading.spawn(async move {
                loop {
                    let next = Self::lock(&queue).pop_front();
                    let Some(node) = next else { break };
                    inner.read_sensors_of(node).await;
                }
                drop(slot);
            });
        }
        while let Some(ended) = reading.join_next().await {
            if let Err(error) = ended {
                tracing::warn!(%error, "reading sensors ended early");
            }
        }
        Ok(())
    }

    async fn nodes_to_read(&self, settings: &SensorData) -> Result<VecDeque<Uuid>, Error> {
        let mut query = Query::all(Kind::Node);
        if !settings.for_undeployed_nodes {
            let active = ProvisionState::Active.as_str();
            query = query.filter(Filter::text("provision_state", active));
        }
        let repository = &self.manager.context().repository;
        let mut nodes = VecDeque::new();
        for node in repository.list::<Node>(&query).await? {
            let owner = self.membership.owner(&node.value).await;
            if owner.is_ok_and(|owner| owner == self.config.host) {
                nodes.push_back(node.uuid);
            }
        }
        Ok(nodes)
    }

    async fn read_sensors_of(&self, id: Uuid) {
        match self.sensors_of(id).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                tracing::debug!(node = %id, %error, "its sensors cannot be read");
            }
            Err(error) => tracing::warn!(node = %id, %error, "its sensors could not be read"),
        }
    }

    async fn sensors_of(&self, id: Uuid) -> Result<(), Error> {
        let task = self.manager.shared(id, "read sensors").await?;
        let node = task.node();
        if node.maintenance {
            return Ok(());
        }
        let management = &task.driver().management;
        management.validate(&task).await?;
        let readings = management.sensors(&task).await?;
        let source = SensorSource::Node {
            node: id,
            name: node.name.clone(),
            instance: node.instance_uuid,
            driver: node.driver.clone(),
        };
        self.tell_readings(source, readings);
        Ok(())
    }

    /// Tells of the readings that are of interest, if any are.
    fn tell_readings(&self, source: SensorSource, mut readings: JsonMap) {
        let types = &self.config.sensors.data_types;
        let wanted = |name: &str| types.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        if !wanted("ALL") {
            readings.retain(|sensor_type, _| wanted(sensor_type));
        }
        if readings.is_empty() {
            return;
        }
        self.manager.notifier().sensors(&SensorReadings {
            source,
            at: self.manager.context().clock.now(),
            conductor: self.config.host.clone(),
            readings,
        });
    }

    /// What the conductor says of itself.
    fn own_readings(&self) -> JsonMap {
        let readings = json!({
            "nodes_held": self.manager.busy(),
            "work_running": self.work.len(),
            "bmcs_silent": Self::lock(&self.unread).len(),
            "consoles": Self::lock(&self.watch.consoles).len(),
        });
        JsonMap::from_iter([("conductor".to_owned(), readings)])
    }
}
