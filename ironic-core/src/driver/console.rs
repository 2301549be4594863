use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Interface, SharedTask, Task};
use crate::Error;

/// How to reach a console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsoleInfo {
    /// What sort, such as `socat`.
    pub kind: String,
    /// Where.
    pub url: String,
}

impl ConsoleInfo {
    /// A console of this sort at this address.
    pub fn new(kind: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            url: url.into(),
        }
    }
}

/// Opens a machine's console.
///
/// # Contract
/// Starting a console that runs, or stopping one that does not, is no error.
#[async_trait]
pub trait Console: Interface {
    /// Starts it.
    ///
    /// # Errors
    /// Why it cannot.
    async fn start(&self, task: &mut Task) -> Result<(), Error>;

    /// Stops it.
    ///
    /// # Errors
    /// Why it cannot.
    async fn stop(&self, task: &mut Task) -> Result<(), Error>;

    /// How to reach it.
    ///
    /// # Errors
    /// Why it cannot tell.
    async fn get(&self, task: &SharedTask) -> Result<ConsoleInfo, Error>;
}
