use serde_json::{Value, json};
use uuid::Uuid;

use crate::model::JsonMap;
use crate::runtime::Timestamp;

/// What the sensors of a machine, or of a conductor, have read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SensorReadings {
    /// Whose sensors.
    pub source: SensorSource,
    /// When they were read.
    pub at: Timestamp,
    /// The conductor that tells.
    pub conductor: String,
    /// By type and name.
    pub readings: JsonMap,
}

/// Whose sensors were read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SensorSource {
    /// A machine's.
    #[non_exhaustive]
    Node {
        /// The node.
        node: Uuid,
        /// Its name, if it has one.
        name: Option<String>,
        /// The instance on it.
        instance: Option<Uuid>,
        /// Its hardware type.
        driver: String,
    },
    /// The conductor's own.
    Conductor,
}

impl SensorReadings {
    /// What sort of event it is: `hardware.ipmi.metrics`, or `ironic.metrics` of a conductor.
    pub fn event_type(&self) -> String {
        match &self.source {
            SensorSource::Node { driver, .. } => format!("hardware.{driver}.metrics"),
            SensorSource::Conductor => "ironic.metrics".to_owned(),
        }
    }

    /// The message as the original's bus carries it; `message_id` tells it from all others.
    pub fn to_wire(&self, message_id: Uuid) -> Value {
        let mut message = json!({
            "message_id": message_id,
            "timestamp": self.at,
            "event_type": format!("{}.update", self.event_type()),
            "payload": self.readings,
        });
        let more = match &self.source {
            SensorSource::Node {
                node,
                name,
                instance,
                ..
            } => {
                json!({"node_uuid": node, "node_name": name, "instance_uuid": instance})
            }
            SensorSource::Conductor => json!({"hostname": self.conductor}),
        };
        if let (Value::Object(message), Value::Object(more)) = (&mut message, more) {
            message.extend(more);
        }
        message
    }
}
