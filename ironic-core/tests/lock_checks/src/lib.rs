//! What is meant to compile: reading by either task, writing by the one that holds the node, and
//! moving that one into the background.

use ironic_core::driver::{SharedTask, Task};
use ironic_core::states::{PowerState, PowerTarget};
use ironic_core::task::TaskManager;
use ironic_core::{Error, Uuid};

async fn reads(task: &SharedTask) -> Result<Option<PowerState>, Error> {
    task.driver().power.get_power_state(task).await
}

async fn writes(task: &mut Task) -> Result<(), Error> {
    let driver = task.driver();
    reads(task).await?;
    driver
        .power
        .set_power_state(task, PowerTarget::On, None)
        .await?;
    task.node_mut().description = Some("on".to_owned());
    task.save().await
}

/// A task is somebody's own, so it can go wherever its owner goes.
///
/// # Errors
/// What the store and the machine answer.
#[allow(
    clippy::manual_async_fn,
    reason = "an async fn would not say that it is Send"
)]
pub fn works(
    tasks: TaskManager,
    node: Uuid,
) -> impl Future<Output = Result<(), Error>> + Send + 'static {
    async move {
        let reader = tasks.shared(node, "looks").await?;
        reads(&reader).await?;
        let mut task = tasks.upgrade(reader, None).await?;
        writes(&mut task).await?;
        let reader = tasks.downgrade(task).await?;
        reads(&reader).await?;
        let reservation = tasks.reserve(node, "notes", Default::default()).await?;
        tasks.unreserve(reservation).await
    }
}
