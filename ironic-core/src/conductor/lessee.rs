//! A machine's lessee, which comes and goes with its instance.

use serde_json::Value;

use super::Inner;
use crate::config::LesseeSource;
use crate::engine::AUTOMATIC_LESSEE;
use crate::model::Node;
use crate::transport::RequestContext;

impl Inner {
    /// Gives a node that is about to be deployed the instance's project as its lessee, unless it
    /// has one.
    pub(super) fn note_lessee(&self, node: &mut Node, context: &RequestContext) {
        if !self.config.automatic_lessee {
            return;
        }
        let project = match self.config.automatic_lessee_source {
            LesseeSource::None => None,
            LesseeSource::Instance => {
                let project = node.instance_info.get("project_id");
                project.and_then(Value::as_str).map(str::to_owned)
            }
            LesseeSource::Request => context.project.clone(),
        };
        let Some(project) = project.filter(|project| !project.is_empty()) else {
            return;
        };
        match &node.lessee {
            None => {
                node.lessee = Some(project);
                node.set_internal(AUTOMATIC_LESSEE, Value::Bool(true));
            }
            Some(lessee) if *lessee != project => {
                tracing::warn!(node = %node.uuid, lessee, project, "the node keeps its lessee");
            }
            Some(_) => {}
        }
    }
}
