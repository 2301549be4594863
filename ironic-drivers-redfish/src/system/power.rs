//! Power.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::System;
use crate::client::Until;
use crate::error::{ExtendedError, RedfishError};
use crate::model::{Action, ActionInfo, PowerState, ResetType};

const ACTION: &str = "Actions/#ComputerSystem.Reset";

/// The defaults of the original's `[redfish]power_on_conflict_retry_attempts` and `_interval`.
const POWER_ON_CONFLICT_RETRIES: u32 = 6;
const POWER_ON_CONFLICT_PAUSE: Duration = Duration::from_secs(10);

impl System {
    /// The power state, read now.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get), and [`RedfishError::MissingAttribute`] when the BMC
    /// does not say.
    pub async fn power_state(&mut self) -> Result<PowerState, RedfishError> {
        self.refresh().await?;
        self.resource()
            .power_state
            .clone()
            .ok_or_else(|| self.missing("PowerState"))
    }

    /// Powers the machine on. The BMC is asked once it takes the request; the machine follows in
    /// its own time.
    ///
    /// Some BMCs (iDRAC10) refuse this for up to a minute after power off, with 409
    /// `ActionParameterValueConflict`; it is then asked again, six times, ten seconds apart.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    pub async fn power_on(&mut self) -> Result<(), RedfishError> {
        let mut retries = POWER_ON_CONFLICT_RETRIES;
        loop {
            match self.reset(ResetType::On).await {
                Err(error) if retries > 0 && is_settling(&error) => {
                    retries -= 1;
                    tracing::debug!(%error, retries, "the BMC does not take power on yet");
                    tokio::time::sleep(POWER_ON_CONFLICT_PAUSE).await;
                }
                outcome => return self.unless_already(outcome, true).await,
            }
        }
    }

    /// Powers the machine off, at once.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    pub async fn force_off(&mut self) -> Result<(), RedfishError> {
        let outcome = self.reset(ResetType::ForceOff).await;
        self.unless_already(outcome, false).await
    }

    /// Asks the operating system to shut down.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    pub async fn shut_down(&mut self) -> Result<(), RedfishError> {
        let outcome = self.reset(ResetType::GracefulShutdown).await;
        self.unless_already(outcome, false).await
    }

    /// Restarts the machine, at once.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    pub async fn force_restart(&mut self) -> Result<(), RedfishError> {
        self.reset(ResetType::ForceRestart).await
    }

    /// Asks the operating system to restart.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    pub async fn graceful_restart(&mut self) -> Result<(), RedfishError> {
        self.reset(ResetType::GracefulRestart).await
    }

    /// Raises a diagnostic interrupt.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    pub async fn inject_nmi(&mut self) -> Result<(), RedfishError> {
        self.reset(ResetType::Nmi).await
    }

    /// The reset types that the BMC takes: the action's own list, else that of its ActionInfo,
    /// else all there are.
    ///
    /// # Errors
    ///
    /// [`RedfishError::MissingAttribute`] when the machine has no reset action.
    pub async fn allowed_resets(&self) -> Result<Vec<ResetType>, RedfishError> {
        let listed = self.listed_resets(self.reset_action()?).await;
        Ok(listed.unwrap_or_else(|| ResetType::KNOWN.to_vec()))
    }

    /// Asks for one reset type, or its substitute where the BMC has only that, and follows the
    /// task that the BMC may make of it. No state is waited for.
    ///
    /// # Errors
    ///
    /// [`RedfishError::NotAllowed`] when the BMC names the types it takes, and neither is among
    /// them; [`RedfishError::MissingAttribute`] when it has no reset action; else as
    /// [`Client::post`](crate::Client::post) and [`Client::finish`](crate::Client::finish).
    pub async fn reset(&self, wanted: ResetType) -> Result<(), RedfishError> {
        let action = self.reset_action()?;
        let target = action
            .target
            .as_deref()
            .ok_or_else(|| self.missing(ACTION))?;
        let kind = pick(&wanted, self.listed_resets(action).await.as_deref())?;
        let reply = self
            .client
            .post(
                target,
                &json!({"ResetType": kind.as_str()}),
                kind.is_repeatable(),
            )
            .await?;
        self.client.finish(reply, Until::Done).await?;
        Ok(())
    }

    fn reset_action(&self) -> Result<&Action, RedfishError> {
        let actions = self.resource().actions.as_ref();
        actions
            .and_then(|actions| actions.reset.as_ref())
            .ok_or_else(|| self.missing(ACTION))
    }

    async fn listed_resets(&self, action: &Action) -> Option<Vec<ResetType>> {
        let mut names = action.allowable_values("ResetType");
        if let (None, Some(link)) = (&names, &action.action_info) {
            names = match self.client.get::<ActionInfo>(link).await {
                Ok(info) => info.value.allowable_values("ResetType"),
                Err(error) => {
                    tracing::debug!(%error, "the reset action's description cannot be read");
                    None
                }
            };
        }
        Some(
            names?
                .iter()
                .map(|name| ResetType::from(name.as_str()))
                .collect(),
        )
    }

    /// A refusal with 400 or 409 is no failure when the machine is already as wanted: some BMCs
    /// answer so to what would change nothing.
    async fn unless_already(
        &mut self,
        outcome: Result<(), RedfishError>,
        on: bool,
    ) -> Result<(), RedfishError> {
        let Err(error) = outcome else {
            return Ok(());
        };
        let Some(refusal) = error
            .refusal()
            .filter(|error| matches!(error.status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT))
        else {
            return Err(error);
        };
        let state = match self.power_state().await {
            Ok(state) => state.is_on(),
            Err(unreadable) => {
                tracing::debug!(error = %unreadable, "the power state cannot be read");
                None
            }
        };
        if state.or_else(|| told_state(&refusal.extended)) == Some(on) {
            Ok(())
        } else {
            Err(error)
        }
    }
}

fn is_settling(error: &RedfishError) -> bool {
    error.refusal().is_some_and(|refusal| {
        refusal.status == StatusCode::CONFLICT
            && refusal.extended.has_key("ActionParameterValueConflict")
    })
}

/// On or off, where only the text of a refusal says so.
fn told_state(error: &ExtendedError) -> Option<bool> {
    let mentions = |state: &str| {
        error.mentions(&format!("host is powered {state}"))
            || error.mentions(&format!("already powered {state}"))
    };
    if mentions("off") {
        Some(false)
    } else if mentions("on") {
        Some(true)
    } else {
        None
    }
}

fn pick(wanted: &ResetType, listed: Option<&[ResetType]>) -> Result<ResetType, RedfishError> {
    let Some(listed) = listed else {
        return Ok(wanted.clone());
    };
    [Some(wanted.clone()), wanted.substitute()]
        .into_iter()
        .flatten()
        .find(|kind| listed.contains(kind))
        .ok_or_else(|| RedfishError::NotAllowed {
            parameter: "ResetType",
            value: wanted.to_string(),
            allowed: listed.iter().map(ToString::to_string).collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::{pick, told_state};
    use crate::error::ExtendedError;
    use crate::model::ResetType;

    #[test]
    fn the_reset_type_that_is_sent() {
        use ResetType::{ForceOn, ForceRestart, GracefulShutdown, Nmi, On, PowerCycle};
        for (wanted, listed, sent) in [
            (On, None, Some(On)),
            (On, Some(vec![ForceOn, On]), Some(On)),
            (On, Some(vec![ForceOn]), Some(ForceOn)),
            (ForceRestart, Some(vec![PowerCycle]), Some(PowerCycle)),
            (GracefulShutdown, Some(vec![On]), None),
            (Nmi, Some(vec![]), None),
        ] {
            assert_eq!(
                pick(&wanted, listed.as_deref()).ok(),
                sent,
                "{wanted} of {listed:?}"
            );
        }
    }

    #[test]
    fn states_told_in_passing() {
        for (text, state) in [
            (
                "Unable to complete the operation because the Host is powered OFF.",
                Some(false),
            ),
            ("Server is already powered ON.", Some(true)),
            ("no", None),
        ] {
            let body = serde_json::json!({"error": {"@Message.ExtendedInfo": [{"Message": text}]}})
                .to_string();
            assert_eq!(told_state(&ExtendedError::parse(body.as_bytes())), state);
        }
    }
}
