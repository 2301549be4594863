//! Letting the rescue user in.

use std::sync::Arc;

use ironic_core::{Secret, sha_crypt};
use serde::Deserialize;
use serde_json::Value;

use super::{Params, Work, read};
use crate::fault::{Fault, FaultKind};
use crate::shared::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinalizeRescue {
    #[serde(default)]
    rescue_password: String,
    #[serde(default)]
    hashed: bool,
}

pub(super) fn prepare(
    shared: &Arc<Shared>,
    method: &str,
    params: Params,
) -> Result<Option<Work>, Fault> {
    if method != "finalize_rescue" {
        return Ok(None);
    }
    let given: FinalizeRescue = read(params)?;
    let password = hashed(given, shared)?;
    let shared = Arc::clone(shared);
    Ok(Some(Work::now("finalize_rescue", async move {
        let kept = shared.hardware.set_rescue_password(&password).await;
        kept.map_err(|error| Fault::new(FaultKind::CommandExecutionError, error.to_string()))?;
        // From here on the machine is its user's, on a network where anybody may be: the command
        // API ends with the answer to this.
        shared.rescued.cancel();
        Ok(Value::Null)
    })))
}

/// The password as crypt(5) keeps it. An empty one would let anybody in.
fn hashed(given: FinalizeRescue, shared: &Shared) -> Result<Secret<String>, Fault> {
    let password = given.rescue_password;
    let wrong = |details: &str| Fault::new(FaultKind::InvalidCommandParamsError, details);
    if password.is_empty() {
        return Err(wrong("rescue_password must not be empty"));
    }
    if !given.hashed {
        return Ok(Secret::new(sha_crypt::hash(&password, &*shared.entropy)));
    }
    // crypt(5): a hash is printable ASCII without these; it becomes a field of a line.
    if !password.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
        return Err(wrong("rescue_password is no hash of a password"));
    }
    Ok(Secret::new(password))
}
