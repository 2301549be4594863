use std::collections::BTreeMap;

use serde_json::Value;

use crate::Error;
use crate::steps::Step;

/// The `settings` argument of a step: a list of objects, each with a `name` and a value under
/// `value`.
///
/// # Errors
/// [`Error::InvalidParameter`] that names the first entry at fault.
pub(super) fn settings(step: &Step, value: &str) -> Result<BTreeMap<String, String>, Error> {
    let wrong = |what: String| Error::invalid(format!("step {step}: {what}"));
    let list = step.args.get("settings").and_then(Value::as_array);
    let list = list.ok_or_else(|| wrong("settings must be a list".to_owned()))?;
    let mut settings = BTreeMap::new();
    for (at, entry) in list.iter().enumerate() {
        let name = entry.get("name").and_then(Value::as_str);
        let (Some(name), Some(value)) = (name, entry.get(value)) else {
            return Err(wrong(format!(
                "entry {at} of settings must be an object with a name and a {value}"
            )));
        };
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        settings.insert(name.to_owned(), text);
    }
    Ok(settings)
}
