use ironic_core::{Error, ProvisionState, Verb};

use crate::house::House;
use crate::paint::{asked, painted};

/// The plan of a deployment.
pub(crate) async fn deploy() -> Result<String, Error> {
    let house = House::new().await?;
    house.available().await?;
    planned(&house, Verb::Deploy).await
}

/// The plan of the removal of what was deployed.
pub(crate) async fn undeploy() -> Result<String, Error> {
    let house = House::new().await?;
    house.available().await?;
    house.go(Verb::Deploy, ProvisionState::Active).await?;
    planned(&house, Verb::Undeploy).await
}

async fn planned(house: &House, verb: Verb) -> Result<String, Error> {
    let (client, node) = (&house.client, house.node);
    let plan = client.plan(node, verb, Default::default()).await?;
    house.conductor.stop().await?;
    let call = asked(&format!(
        "client.plan(node, Verb::{verb:?}, Default::default())"
    ));
    Ok(call + &painted(&plan.to_string()))
}
