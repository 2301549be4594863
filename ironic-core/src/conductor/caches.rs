//! What the records have of a machine's firmware, read again where a flow may have changed it.
//! What cannot be read stays as it was: no flow fails for that.

use crate::Error;
use crate::driver::Task;

/// Reads how the machine boots, the settings of its firmware, and the versions of that.
pub(super) async fn refresh(task: &mut Task) {
    let told = read_boot_mode(task).await;
    note(task, "how the machine boots", told);
    let bios = task.driver().bios.clone();
    let told = bios.cache_settings(task).await;
    note(task, "its firmware settings", told);
    refresh_firmware(task).await;
}

/// Reads the versions of the machine's firmware.
pub(super) async fn refresh_firmware(task: &mut Task) {
    let firmware = task.driver().firmware.clone();
    let told = match firmware.validate(task).await {
        Ok(()) => firmware.cache_components(task).await,
        Err(error) => Err(error),
    };
    note(task, "its firmware versions", told);
}

async fn read_boot_mode(task: &mut Task) -> Result<(), Error> {
    let management = task.driver().management.clone();
    let mode = if_supported(management.get_boot_mode(task).await)?;
    let secure = if_supported(management.get_secure_boot(task).await)?;
    let node = task.node_mut();
    (node.boot_mode, node.secure_boot) = (mode, secure);
    Ok(())
}

fn if_supported<T>(told: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match told {
        Err(Error::Unsupported { .. }) => Ok(None),
        told => told,
    }
}

fn note(task: &Task, what: &str, told: Result<(), Error>) {
    let node = task.node_id();
    match told {
        Ok(()) => {}
        Err(Error::Unsupported { .. }) => tracing::debug!(%node, what, "not supported"),
        Err(error) => tracing::warn!(%node, %error, what, "could not be read again"),
    }
}
