use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::managed::{check_length, header};
use super::{JsonMap, Managed, is_default};
use crate::Error;
use crate::runtime::Timestamp;

/// The phase of an inspection in which rules run: there is one.
const MAIN: &str = "main";

/// The greatest priority of a rule that comes from outside.
const MOST_PRIORITY: u32 = 9999;

/// How a condition of several items may come to one truth.
const MULTIPLE: &[&str] = &["any", "all", "first", "last"];

/// What an operator or action is called with: what it has to be given, and what it may be.
type Signature = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// The operators of conditions. Each may be preceded by `!`, for the opposite.
const OPERATORS: &[Signature] = &[
    ("eq", &["values"], &["force_strings"]),
    ("lt", &["values"], &["force_strings"]),
    ("gt", &["values"], &["force_strings"]),
    ("is-empty", &["value"], &[]),
    ("in-net", &["address", "subnet"], &[]),
    ("matches", &["value", "regex"], &[]),
    ("contains", &["value", "regex"], &[]),
    ("one-of", &["value"], &["values"]),
    ("is-none", &["value"], &[]),
    ("is-true", &["value"], &[]),
    ("is-false", &["value"], &[]),
];

/// The actions.
const ACTIONS: &[Signature] = &[
    ("fail", &["msg"], &[]),
    ("log", &["msg"], &["level"]),
    ("set-attribute", &["path", "value"], &[]),
    ("extend-attribute", &["path", "value"], &["unique"]),
    ("del-attribute", &["path"], &[]),
    ("set-capability", &["name", "value"], &[]),
    ("unset-capability", &["name"], &[]),
    ("add-trait", &["name"], &[]),
    ("remove-trait", &["name"], &[]),
    ("set-plugin-data", &["path", "value"], &[]),
    ("extend-plugin-data", &["path", "value"], &["unique"]),
    ("unset-plugin-data", &["path"], &[]),
    ("set-port-attribute", &["port_id", "path", "value"], &[]),
    (
        "extend-port-attribute",
        &["port_id", "path", "value"],
        &["unique"],
    ),
    ("del-port-attribute", &["port_id", "path"], &[]),
    (
        "api-call",
        &["url"],
        &["headers", "proxies", "timeout", "retries", "backoff_factor"],
    ),
];

/// What to do with what an inspection has found: actions, where all of the conditions hold.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InspectionRule {
    /// Its identity.
    #[serde(default)]
    pub uuid: Uuid,
    /// Free text, 255 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Rules of a higher one come first. Default 0, at most 9999.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: u32,
    /// In which phase of an inspection it is looked at: `main`.
    #[serde(default = "main_phase")]
    pub phase: String,
    /// Whether nobody is shown its conditions and actions any more.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sensitive: bool,
    /// What has to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<RuleOperation>,
    /// What is done then.
    pub actions: Vec<RuleOperation>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// A condition or an action of an [`InspectionRule`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RuleOperation {
    /// Which.
    pub op: String,
    /// What with: by name, or in the order of the names.
    pub args: Value,
    /// For each of which items, if for several.
    #[serde(default, rename = "loop", skip_serializing_if = "Value::is_null")]
    pub items: Value,
    /// Of a condition: for how many of the items it has to hold. `None` stands for `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<String>,
}

fn main_phase() -> String {
    MAIN.to_owned()
}

impl std::fmt::Debug for InspectionRule {
    /// Prints how much there is of it: what it sets may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InspectionRule")
            .field("uuid", &self.uuid)
            .field("description", &self.description)
            .field("priority", &self.priority)
            .field("conditions", &self.conditions)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RuleOperation {
    /// Prints its name alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.op)
    }
}

impl InspectionRule {
    /// A rule that does this always.
    pub fn new(actions: Vec<RuleOperation>) -> Self {
        Self {
            uuid: Uuid::nil(),
            description: None,
            priority: 0,
            phase: main_phase(),
            sensitive: false,
            conditions: Vec::new(),
            actions,
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }

    /// The rule that a JSON object describes. `built_in` rules, which no caller sends, may have
    /// any priority.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] names the member at fault.
    pub fn from_json(rule: &JsonMap, built_in: bool) -> Result<Self, Error> {
        let list = |name: &str| match rule.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                let items = items
                    .iter()
                    .map(|item| RuleOperation::from_json(name, item));
                items.collect()
            }
            Some(_) => Err(Error::invalid(format!("{name} of a rule must be a list"))),
        };
        let mut parsed = Self::new(list("actions")?);
        parsed.conditions = list("conditions")?;
        match rule.get("priority") {
            None => {}
            Some(priority) => {
                let number = priority.as_u64().and_then(|number| number.try_into().ok());
                let wrong =
                    || Error::invalid("priority of a rule must be a whole number, 0 or above");
                parsed.priority = number.ok_or_else(wrong)?;
            }
        }
        match rule.get("phase") {
            None => {}
            Some(Value::String(phase)) => parsed.phase.clone_from(phase),
            Some(_) => return Err(Error::invalid("phase of a rule must be \"main\"")),
        }
        parsed.sensitive = match rule.get("sensitive") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(sensitive)) => *sensitive,
            Some(_) => return Err(Error::invalid("sensitive of a rule must be true or false")),
        };
        parsed.description = match rule.get("description") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => return Err(Error::invalid("description of a rule must be a string")),
        };
        parsed.check_as(built_in)?;
        Ok(parsed)
    }

    fn check_as(&self, built_in: bool) -> Result<(), Error> {
        let what = "inspection rule";
        check_length(what, "description", self.description.as_deref(), 255)?;
        if self.phase != MAIN {
            return Err(Error::invalid(format!(
                "{:?} is no phase of an inspection: there is \"{MAIN}\"",
                self.phase
            )));
        }
        if self.priority > MOST_PRIORITY && !built_in {
            return Err(Error::invalid(format!(
                "priority of a rule is at most {MOST_PRIORITY}, not {}",
                self.priority
            )));
        }
        if self.actions.is_empty() {
            return Err(Error::invalid("a rule needs at least one action"));
        }
        for condition in &self.conditions {
            let (op, _) = condition.operator();
            condition.check("condition", op, OPERATORS)?;
        }
        for action in &self.actions {
            action.check("action", &action.op, ACTIONS)?;
        }
        Ok(())
    }
}

impl RuleOperation {
    /// An operation with these arguments, by name.
    pub fn new(op: impl Into<String>, args: JsonMap) -> Self {
        Self {
            op: op.into(),
            args: Value::Object(args),
            items: Value::Null,
            multiple: None,
        }
    }

    /// The operator of a condition, and whether it is the opposite that has to hold.
    pub fn operator(&self) -> (&str, bool) {
        match self.op.strip_prefix('!') {
            Some(op) => (op, true),
            None => (&self.op, false),
        }
    }

    fn from_json(list: &str, value: &Value) -> Result<Self, Error> {
        let wrong = |what: &str| Error::invalid(format!("each item of {list} must have {what}"));
        let members = value.as_object().ok_or_else(|| wrong("op and args"))?;
        let op = members.get("op").and_then(Value::as_str);
        let args = members.get("args");
        let args = args.filter(|args| args.is_array() || args.is_object());
        let mut parsed = Self::new(op.ok_or_else(|| wrong("a string op"))?, Map::new());
        parsed.args = args
            .ok_or_else(|| wrong("args, an object or a list"))?
            .clone();
        match members.get("loop") {
            None => {}
            Some(items) if items.is_array() || items.is_object() => parsed.items = items.clone(),
            Some(_) => return Err(wrong("an object or a list for a loop, if it has one")),
        }
        match members.get("multiple") {
            None => {}
            Some(Value::String(text)) if MULTIPLE.contains(&text.as_str()) => {
                parsed.multiple = Some(text.clone());
            }
            Some(_) if list == "conditions" => {
                let known = MULTIPLE.join(", ");
                return Err(wrong(&format!("one of {known} for multiple, if it has it")));
            }
            Some(_) => {}
        }
        Ok(parsed)
    }

    fn check(&self, what: &str, op: &str, known: &[Signature]) -> Result<(), Error> {
        let Some((_, required, optional)) = known.iter().find(|(name, ..)| *name == op) else {
            let names: Vec<_> = known.iter().map(|(name, ..)| *name).collect();
            return Err(Error::invalid(format!(
                "there is no {what} {op:?}: there are {}",
                names.join(", ")
            )));
        };
        let missing = match &self.args {
            Value::Array(values) => required.get(values.len()),
            Value::Object(values) => required.iter().find(|name| !values.contains_key(**name)),
            _ => {
                return Err(Error::invalid(format!(
                    "args of the {what} {op:?} must be an object or a list"
                )));
            }
        };
        if let Some(missing) = missing {
            return Err(Error::invalid(format!(
                "the {what} {op:?} needs the argument {missing:?}"
            )));
        }
        let named = self.args.as_object();
        let mut names = named.into_iter().flat_map(Map::keys);
        let takes = |name: &String| {
            let mut taken = required.iter().chain(*optional);
            taken.any(|taken| taken == name)
                // What actions on them work with; the engine puts it there.
                || (name == "plugin_data" && op.ends_with("-plugin-data"))
        };
        match names.find(|name| !takes(name)) {
            Some(unknown) => {
                let shown: String = unknown.chars().take(80).collect();
                Err(Error::invalid(format!(
                    "the {what} {op:?} takes no argument {shown:?}"
                )))
            }
            None => Ok(()),
        }
    }
}

impl Managed for InspectionRule {
    const SETTABLE: &'static [&'static str] = &[
        "description",
        "priority",
        "phase",
        "sensitive",
        "conditions",
        "actions",
    ];

    header!();

    fn check(&mut self) -> Result<(), Error> {
        self.check_as(false)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::InspectionRule;

    #[test]
    fn what_it_sets_is_not_printed() {
        let rule = json!({"actions": [
            {"op": "set-attribute", "args": {"path": "driver_info/ipmi_password", "value": "hush"}},
        ]});
        let rule = InspectionRule::from_json(rule.as_object().unwrap(), false).unwrap();
        let printed = format!("{rule:?}");
        assert!(printed.contains("set-attribute"), "{printed}");
        assert!(!printed.contains("hush"), "{printed}");
    }

    #[test]
    fn a_refusal_names_what_is_wrong() {
        let action = json!({"op": "fail", "args": {"msg": "no"}});
        for (rule, part) in [
            (json!({}), "action"),
            (
                json!({"actions": [{"op": "explode", "args": {}}]}),
                "explode",
            ),
            (json!({"actions": [{"op": "fail", "args": {}}]}), "msg"),
            (json!({"actions": [{"op": "log", "args": []}]}), "msg"),
            (
                json!({"actions": [{"op": "fail", "args": {"msg": "a", "x": 1}}]}),
                "\"x\"",
            ),
            (json!({"actions": [action], "phase": "late"}), "late"),
            (
                json!({"actions": [action], "conditions": [{"op": "!!eq", "args": {"values": []}}]}),
                "!eq",
            ),
        ] {
            let error = InspectionRule::from_json(rule.as_object().unwrap(), false).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
