use serde_json::Value;

/// Where two values differ: the path, what stands there in the one, and in the other, if anything
/// does. A null is something.
pub(super) type Differing = (String, Option<Value>, Option<Value>);

pub(super) fn differences(one: &Value, other: &Value) -> Vec<Differing> {
    let mut found = Vec::new();
    walk("", Some(one), Some(other), &mut found);
    found
}

fn walk(path: &str, one: Option<&Value>, other: Option<&Value>, found: &mut Vec<Differing>) {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let added = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(added) {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(&path, one.get(key), other.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for at in 0..one.len().max(other.len()) {
                let path = format!("{path}[{at}]");
                walk(&path, one.get(at), other.get(at), found);
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push((path.to_owned(), one.cloned(), other.cloned())),
    }
}
