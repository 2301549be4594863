//! The runbook that cleans a node once its instance is given up, or before it is on offer.

use super::Inner;
use crate::flow::CleaningSteps;
use crate::model::Node;
use crate::states::{FlowKind, Verb};
use crate::steps::Runbook;
use crate::{Error, ErrorKind};

impl Inner {
    /// Where the steps of the automated cleaning that a verb leads to come from. What the
    /// operator has disallowed is left out; where that leaves nothing, steps go by priority.
    pub(super) async fn cleaning_steps(
        &self,
        node: &Node,
        verb: Verb,
    ) -> Result<CleaningSteps, Error> {
        let policy = &self.config.policy;
        let cleans = node.automated_clean.unwrap_or(policy.automated_clean);
        if !cleans || !matches!(verb, Verb::Provide | Verb::Undeploy) {
            return Ok(CleaningSteps::Priorities);
        }
        let runbook = match self.cleaning_runbook(node).await {
            Ok(None) => return Ok(CleaningSteps::Priorities),
            Ok(Some(runbook)) => runbook,
            Err(error) => return unusable(error),
        };
        let steps = self.allowed(FlowKind::Clean, runbook.ordered());
        if steps.is_empty() {
            return Ok(CleaningSteps::Priorities);
        }
        Ok(CleaningSteps::Runbook {
            steps,
            disable_ramdisk: runbook.disable_ramdisk,
        })
    }

    async fn cleaning_runbook(&self, node: &Node) -> Result<Option<Runbook>, Error> {
        let settings = &self.config.automated_cleaning;
        let Some(ident) = settings.runbook_for(node)? else {
            return Ok(None);
        };
        let repository = &self.manager.context().repository;
        let runbook = repository.load_by_ident::<Runbook>(ident).await?.value;
        if settings.runbook_validate_traits {
            self.check_meant_for(&runbook, node).await?;
        }
        Ok(Some(runbook))
    }
}

/// What is wrong with the settings or the runbook stays wrong until somebody sees to it, and is
/// told of where the cleaning would be; a store that does not answer is not.
fn unusable(error: Error) -> Result<CleaningSteps, Error> {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::InvalidParameter | ErrorKind::MissingParameter => {
            Ok(CleaningSteps::Unusable {
                message: format!("no runbook for automated cleaning: {error}"),
            })
        }
        _ => Err(error),
    }
}
