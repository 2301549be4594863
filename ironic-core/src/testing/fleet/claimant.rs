use std::sync::Arc;

use tokio::time::sleep;
use uuid::Uuid;

use super::chance::Chance;
use super::world::World;
use crate::client::Client;
use crate::model::Allocation;

/// The resource class of every machine.
pub(super) const CLASS: &str = "simulated";

/// Who claims machines, whichever there are, and gives them up again; several of them race for
/// the same.
pub(super) struct Claimant {
    pub(super) world: Arc<World>,
    pub(super) client: Client,
    pub(super) chance: Chance,
    pub(super) nodes: Vec<Uuid>,
}

impl Claimant {
    /// Any machine, one of three, or one that is in use.
    fn allocation(&self) -> Allocation {
        let (id, picked) = (self.chance.uuid(), self.chance.pick(&self.nodes));
        match (self.chance.below(4), picked) {
            (0, Some(node)) => Allocation::backfill(id, node),
            (1, Some(node)) => {
                let more = (0..2).filter_map(|_| self.chance.pick(&self.nodes));
                let mut allocation = Allocation::new(id, CLASS);
                allocation.candidate_nodes = more.chain([node]).collect();
                allocation
            }
            _ => Allocation::new(id, CLASS),
        }
    }

    /// Claims one machine after another as long as the storm lasts.
    pub(super) async fn storm(&self) {
        loop {
            sleep(self.chance.seconds(1, 40)).await;
            if self.world.weather_is_over() {
                return;
            }
            let allocation = self.allocation();
            let id = allocation.uuid;
            if self.client.create_record(allocation).await.is_err() {
                // It may have been made for all that, and is left to itself.
                continue;
            }
            sleep(self.chance.seconds(1, 200)).await;
            // A machine that is in use is kept, and whoever undeploys it frees it.
            let _ = self.client.delete_record::<Allocation>(id).await;
        }
    }
}
