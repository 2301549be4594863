//! `/v1/deploy_templates`: deploy steps that come with a trait of an instance.

use ironic_core::steps::DeployTemplate;
use serde_json::{Map, Value};

use super::args;
use super::caller::Caller;
use super::fault::Fault;
use super::fields::{Fields, fields};
use super::nodes::steps::{self, Steps};
use super::records::{Governed, Resource, arrange_steps, mask_steps};
use super::schema::{self, Is, Schema};
use super::version::Version;
use super::version::since::DEPLOY_TEMPLATES;

impl Resource for DeployTemplate {
    const PATH: &'static str = "deploy_templates";
    const LIST: &'static str = Self::PATH;
    const POLICY: &'static str = "deploy_template";
    const GOVERNED: Governed = Governed::Alone;
    const FIELDS: Fields = fields! {
        "uuid" since DEPLOY_TEMPLATES, Null, takes(Is::Uuid), brief;
        "name" since DEPLOY_TEMPLATES, Null, takes(Is::Trait), required, patchable, brief;

        "created_at" since DEPLOY_TEMPLATES, Null;
        "description" since DEPLOY_TEMPLATES, Null, takes(Is::Text(0, 255)), patchable, write_only;
        "extra" since DEPLOY_TEMPLATES, Object, takes(Is::Object), patchable, unordered;
        "steps" since DEPLOY_TEMPLATES, List, takes(Is::DeploySteps), required, patchable, unordered;
        "updated_at" since DEPLOY_TEMPLATES, Null;
    };
    const BODY: Schema = schema::DEPLOY_TEMPLATE;
    const TAG: &'static str = "Deploy templates";

    fn dress(&self, _: &Caller, shown: &mut Map<String, Value>) {
        mask_steps(shown);
    }

    fn arrange(before: &Map<String, Value>, after: &mut Map<String, Value>) {
        arrange_steps(before, after);
    }

    fn from_body(_: Version, mut body: Map<String, Value>) -> Result<Self, Fault> {
        let steps = steps::parse(Steps::Deploy, &body.remove("steps").unwrap_or_default())?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let mut template = Self::new(text("name").unwrap_or_default(), steps);
        template.uuid = text("uuid").and_then(args::parse_uuid).unwrap_or_default();
        template.description = text("description").map(str::to_owned);
        if let Some(Value::Object(extra)) = body.remove("extra") {
            template.extra = extra;
        }
        Ok(template)
    }
}
