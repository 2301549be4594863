use std::time::Duration;

use ironic_core::transport::HeartbeatArgs;
use ironic_core::{Client, ProvisionState as State, Uuid};
use tokio::sync::watch;
use tokio::time::sleep;

use super::board::Place;
use super::fate::{Chance, Fate};

const URL: &str = "http://192.0.2.9:9999";
/// How long until an agent that was turned away calls again.
const AGAIN: Duration = Duration::from_secs(5);

/// The agent of one machine's ramdisk, whenever that runs.
pub(super) struct Agent {
    pub(super) client: Client,
    pub(super) node: Uuid,
    pub(super) place: watch::Receiver<Place>,
    pub(super) fate: Fate,
    pub(super) chance: Chance,
}

impl Agent {
    /// Starts when somebody waits for it, and calls until nobody does any more.
    pub(super) async fn live(mut self) {
        let (mut boots, mut token) = ([0_u64; 2], None);
        loop {
            let waits = |place: &Place| matches!(place.0, State::CleanWait | State::DeployWait);
            let Ok(state) = self.place.wait_for(waits).await.map(|place| place.0) else {
                return;
            };
            let (kind, lost) = match state {
                State::CleanWait => (0, Fate::LostInCleaning),
                _ => (1, Fate::LostInDeployment),
            };
            let first = boots.get_mut(kind).is_none_or(|boots| {
                *boots += 1;
                *boots == 1
            });
            let (client, node, hangs) =
                (self.client.clone(), self.node, first && self.fate == lost);
            let (boot, every) = (self.chance.seconds(90, 240), self.chance.seconds(90, 180));
            let runs = async {
                if hangs {
                    return std::future::pending().await;
                }
                sleep(boot).await;
                call(&client, node, every, &mut token).await;
            };
            let busy = if kind == 0 {
                State::Cleaning
            } else {
                State::Deploying
            };
            let over = self
                .place
                .wait_for(|(now, error)| error.is_some() || (*now != state && *now != busy));
            tokio::select! {
                biased;
                _ = over => {}
                () = runs => {}
            }
        }
    }
}

/// Asks where it is, and calls again and again. The token is given once, and is good until another
/// one is.
async fn call(client: &Client, node: Uuid, every: Duration, token: &mut Option<String>) {
    loop {
        match client.lookup(Some(node), &[]).await {
            Ok(found) => break *token = found.agent_token.or(token.take()),
            Err(_) => sleep(AGAIN).await,
        }
    }
    loop {
        let args = HeartbeatArgs::new(URL, token.clone());
        let pause = match client.heartbeat(node, args).await {
            Ok(()) => every,
            Err(_) => AGAIN,
        };
        sleep(pause).await;
    }
}
