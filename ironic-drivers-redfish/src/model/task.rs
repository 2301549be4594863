//! `Task`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::tolerant;
use crate::error::ErrorMessage;

/// An operation that goes on in the BMC (DSP0268 Task).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "members are named as in the schema")]
pub struct Task {
    #[serde(rename = "@odata.id", default, deserialize_with = "tolerant::text")]
    pub odata_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub task_state: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub task_status: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub task_monitor: Option<String>,
    #[serde(default, deserialize_with = "tolerant::number")]
    pub percent_complete: Option<f64>,
    #[serde(default, deserialize_with = "tolerant::list")]
    pub messages: Option<Vec<Value>>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Task {
    /// What the messages say, for people.
    pub fn detail(&self) -> String {
        let texts: Vec<_> = self
            .messages
            .iter()
            .flatten()
            .take(8)
            .filter_map(ErrorMessage::from_value)
            .map(|message| {
                if message.text.is_empty() {
                    message.id
                } else {
                    message.text
                }
            })
            .collect();
        if texts.is_empty() {
            "no reason given".to_owned()
        } else {
            texts.join("; ")
        }
    }
}
