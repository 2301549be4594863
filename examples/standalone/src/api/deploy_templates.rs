//! `/v1/deploy_templates`: deploy steps that come with a trait of an instance.

use ironic_core::steps::DeployTemplate;
use serde_json::{Map, Value};

use super::args;
use super::fault::Fault;
use super::fields::{Empty, Field, Fields};
use super::nodes::steps::{self, Steps};
use super::records::Resource;
use super::schema::{self, Schema};
use super::version::{Version, since};

impl Resource for DeployTemplate {
    const COLLECTION: &'static str = "deploy_templates";
    const FIELDS: Fields = Fields(&[
        Field::new("created_at", since::DEPLOY_TEMPLATES, Empty::Null),
        Field::new("description", since::DEPLOY_TEMPLATES, Empty::Null),
        Field::new("extra", since::DEPLOY_TEMPLATES, Empty::Object),
        Field::new("name", since::DEPLOY_TEMPLATES, Empty::Null),
        Field::new("steps", since::DEPLOY_TEMPLATES, Empty::List),
        Field::new("updated_at", since::DEPLOY_TEMPLATES, Empty::Null),
        Field::new("uuid", since::DEPLOY_TEMPLATES, Empty::Null),
    ]);
    const FEW: &'static [&'static str] = &["uuid", "name"];
    const NOT_SORTABLE: &'static [&'static str] = &["extra", "steps"];

    fn schema(_: Version, _: bool) -> &'static Schema {
        &schema::DEPLOY_TEMPLATE
    }

    fn patchable(_: Version) -> &'static [&'static str] {
        &["extra", "name", "steps", "description"]
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
