use uuid::Uuid;

use super::Client;
use crate::Error;
use crate::states::FlowKind;
use crate::transport::Call;

impl Client {
    /// Says that what a cleaning, a deployment or a servicing waits for is done, so that it goes on
    /// with its next step: for whoever carries a step out beside the conductor and its agent.
    ///
    /// # Errors
    /// [`Error::InvalidState`] when the node has no flow of this kind that waits;
    /// [`Error::StateConflict`] when its steps run already; [`Error::NodeLocked`].
    pub async fn continue_flow(&self, node: Uuid, flow: FlowKind) -> Result<(), Error> {
        self.done(node, Call::ContinueFlow { node, flow }).await
    }
}
