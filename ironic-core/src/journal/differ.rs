use serde_json::Value;

/// Where two values differ: the path, what stands there in the one, and in the other; null
/// stands for nothing.
pub(super) fn differences(one: &Value, other: &Value) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    walk("", one, other, &mut found);
    found
}

fn walk(path: &str, one: &Value, other: &Value, found: &mut Vec<(String, Value, Value)>) {
    let none = &Value::Null;
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let added = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(added) {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                let member = |of: &serde_json::Map<String, Value>| of.get(key).cloned();
                let (one, other) = (member(one), member(other));
                let (one, other) = (one.as_ref(), other.as_ref());
                walk(&path, one.unwrap_or(none), other.unwrap_or(none), found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for at in 0..one.len().max(other.len()) {
                let path = format!("{path}[{at}]");
                let (one, other) = (one.get(at), other.get(at));
                walk(&path, one.unwrap_or(none), other.unwrap_or(none), found);
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push((path.to_owned(), one.clone(), other.clone())),
    }
}
