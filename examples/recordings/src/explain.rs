use std::time::Duration;

use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::{Error, ProvisionState, Verb};
use tokio::time::sleep;

use crate::house::House;
use crate::paint::{asked, with_emphasis, wrapped};

/// Why a node does not move: its ramdisk never calls, then the deployment has been given up, then
/// its BMC does not answer.
pub(crate) async fn shown() -> Result<String, Error> {
    let house = House::new().await?;
    house.available().await?;
    let (client, node) = (&house.client, house.node);
    client
        .provision(node, Verb::Deploy, Default::default())
        .await?;
    sleep(Duration::from_secs(90)).await;
    let mut shown = explained(&house, "its ramdisk has been booted, and does not call").await?;
    sleep(Duration::from_secs(31 * 60)).await;
    shown += &explained(&house, "half an hour later").await?;
    house.go(Verb::Undeploy, ProvisionState::Available).await?;
    let silent = Error::Unreachable {
        what: "BMC 192.0.2.17:623".to_owned(),
        message: "no answer".to_owned(),
    };
    let silence = FakeRule::fails(FakeOperation::GetPowerState, silent);
    house.machines.add(silence);
    sleep(Duration::from_secs(10 * 60)).await;
    shown += &explained(&house, "somebody has pulled the BMC's cable").await?;
    house.machines.clear(FakeOperation::GetPowerState);
    sleep(Duration::from_secs(10 * 60)).await;
    shown += &explained(&house, "and has put it back").await?;
    house.conductor.stop().await?;
    Ok(shown)
}

async fn explained(house: &House, situation: &str) -> Result<String, Error> {
    let state = house.client.node(house.node).await?.provision_state;
    let why = house.client.explain(house.node).await?;
    let why = why.map_or_else(
        || format!("nothing: it rests in state \"{state}\"\n"),
        |why| with_emphasis(&wrapped(&why.to_string()), &why.reason.to_string()),
    );
    let call = asked("client.explain(node)");
    Ok(format!("\x1b[90m// {situation}\x1b[0m\n{call}{why}"))
}
