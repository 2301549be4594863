//! `/v1/inspection_rules`: what to do with what inspections find.

use ironic_core::model::{InspectionRule, RuleOperation};
use ironic_core::store::Filter;
use serde_json::{Map, Value, json};

use super::args;
use super::arguments::Arguments;
use super::caller::Caller;
use super::document::{Member, Shape};
use super::fault::Fault;
use super::fields::{Fields, fields};
use super::records::{Governed, Resource};
use super::schema::{Is, Schema, TEXT};
use super::version::Version;
use super::version::since::INSPECTION_RULES;

impl Resource for InspectionRule {
    const PATH: &'static str = "inspection_rules";
    const LIST: &'static str = Self::PATH;
    const POLICY: &'static str = "inspection_rule";
    const GOVERNED: Governed = Governed::Alone;
    const LINKED_AS: &'static str = "inspection";
    const NEXT_LEAD: &'static str = "filters={}&";
    const FIELDS: Fields = fields! {
        "uuid" since INSPECTION_RULES, Null, takes(Is::Uuid), brief;
        "priority" since INSPECTION_RULES, Zero, takes(Is::Anything), patchable, brief;
        "phase" since INSPECTION_RULES, Null, takes(Is::Anything), patchable, brief;
        "description" since INSPECTION_RULES, Null, takes(TEXT), patchable, brief;

        "actions" since INSPECTION_RULES, List, takes(Is::Anything), required, patchable, unordered;
        "conditions" since INSPECTION_RULES, List, takes(Is::Anything), patchable, unordered;
        "created_at" since INSPECTION_RULES, Null;
        "sensitive" since INSPECTION_RULES, False, takes(Is::Anything), patchable;
        "updated_at" since INSPECTION_RULES, Null;
    };
    const BODY: Schema = Schema::new("inspection rule", Self::FIELDS);
    const TAG: &'static str = "Inspection rules";
    const NAMED: bool = false;
    const FILTERS: &'static [Member] = &[Member::new("phase", Shape::Text, "Those of this phase.")];

    /// What has been hidden stays so.
    async fn refer(
        _: &Caller,
        body: &mut Map<String, Value>,
        before: Option<&Self>,
    ) -> Result<(), Fault> {
        let was = before.is_some_and(|rule| rule.sensitive);
        if was && body.get("sensitive") != Some(&Value::Bool(true)) {
            return Err(Fault::bad("a rule that is sensitive stays sensitive"));
        }
        Ok(())
    }

    fn from_body(_: Version, body: Map<String, Value>) -> Result<Self, Fault> {
        let mut rule = Self::from_json(&body, false)?;
        let uuid = body.get("uuid").and_then(Value::as_str);
        rule.uuid = uuid.and_then(args::parse_uuid).unwrap_or_default();
        Ok(rule)
    }

    async fn filter(_: &Caller, query: &mut Arguments) -> Result<Filter, Fault> {
        let phase = query.text("phase")?;
        // Links to next pages bring it.
        let _ = query.any("filters");
        Ok(phase.map_or(Filter::All, |phase| Filter::text("phase", phase)))
    }

    fn dress(&self, _: &Caller, shown: &mut Map<String, Value>) {
        let mut put = |name: &str, operations: &[RuleOperation], of_a_condition| {
            let operations = operations
                .iter()
                .map(|operation| operation_shown(operation, of_a_condition));
            let shown_as = match self.sensitive {
                true => Value::Null,
                false => operations.collect(),
            };
            shown.insert(name.to_owned(), shown_as);
        };
        put("actions", &self.actions, false);
        put("conditions", &self.conditions, true);
    }
}

fn operation_shown(operation: &RuleOperation, of_a_condition: bool) -> Value {
    let mut shown = json!({"op": operation.op, "args": operation.args});
    let loops = match &operation.items {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    };
    if let (true, Some(shown)) = (loops, shown.as_object_mut()) {
        shown.insert("loop".to_owned(), operation.items.clone());
        if of_a_condition {
            let multiple = operation.multiple.as_deref().unwrap_or("any");
            shown.insert("multiple".to_owned(), multiple.into());
        }
    }
    shown
}
