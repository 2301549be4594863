//! JSON patches (RFC 6902), and the changes that they come down to.

use ironic_core::transport::Change;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::version::{Version, since};

/// How many operations a patch may have: more than any document of the API has members to change.
const MOST_OPERATIONS: usize = 1000;

/// An operation of a patch.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    op: Op,
    path: String,
    value: Option<Value>,
    from: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// A list of operations, applied in order, all or none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patch(Vec<Operation>);

impl Patch {
    /// The patch that a request may send: of `add`, `replace` and `remove` only, on paths of
    /// plain member names.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn from_request(body: &Value) -> Result<Self, Fault> {
        let patch = Self::parse(body)?;
        for operation in &patch.0 {
            let plain = |name: &str| {
                !name.is_empty()
                    && name
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
            };
            let names = operation.path.strip_prefix('/');
            if !names.is_some_and(|names| names.split('/').all(plain)) {
                return Err(Fault::bad(format!(
                    "the path {:?} must read like /field or /field/member",
                    operation.path
                )));
            }
            if !matches!(operation.op, Op::Add | Op::Replace | Op::Remove)
                || operation.from.is_some()
            {
                return Err(Fault::bad(
                    "the operations of a patch must be add, replace or remove",
                ));
            }
        }
        Ok(patch)
    }

    /// Any patch of RFC 6902.
    ///
    /// # Errors
    /// 400 when it is none.
    pub fn parse(body: &Value) -> Result<Self, Fault> {
        let items = body
            .as_array()
            .ok_or_else(|| Fault::bad("a patch must be a JSON list of operations"))?;
        if items.len() > MOST_OPERATIONS {
            return Err(Fault::bad(format!(
                "a patch has {MOST_OPERATIONS} operations at most"
            )));
        }
        items
            .iter()
            .map(operation)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it does nothing but remove this one path.
    pub fn only_removes(&self, path: &str) -> bool {
        matches!(self.0.as_slice(), [only] if only.op == Op::Remove && only.path == path)
    }

    /// The values that operations other than `remove` give for exactly this path.
    pub fn values(&self, path: &str) -> Vec<&Value> {
        let given = |o: &&Operation| o.path == path && o.op != Op::Remove;
        self.0
            .iter()
            .filter(given)
            .map(|o| o.value.as_ref().unwrap_or(&Value::Null))
            .collect()
    }

    /// Whether it removes this path, or something below it.
    pub fn removes(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.0
            .iter()
            .any(|o| o.op == Op::Remove && is_within(&o.path, path))
    }

    /// Whether its first operation is about this path, or something below it. (The original
    /// looks no further.)
    pub fn updates(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.0.first().is_some_and(|o| is_within(&o.path, path))
    }

    /// The path of each operation, with the value that it brings along.
    pub fn paths(&self) -> impl Iterator<Item = (&str, Option<&Value>)> {
        self.0.iter().map(|o| (o.path.as_str(), o.value.as_ref()))
    }

    /// Refuses operations on other fields than these.
    ///
    /// # Errors
    /// 400 that names the path at fault.
    pub fn check_fields(&self, version: Version, allowed: &[&str]) -> Result<(), Fault> {
        for operation in &self.0 {
            let first = operation.path.split('/').nth(1).unwrap_or_default();
            let field = if version.has(since::ESCAPED_PATCH_PATHS) {
                unescape(first)
            } else {
                first.to_owned()
            };
            if !allowed.contains(&field.as_str()) {
                return Err(Fault::bad(format!(
                    "{} cannot be patched; what can be is {}",
                    operation.path,
                    allowed.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// The document with the patch applied. A member at the root can be changed and removed, but
    /// no new one added.
    ///
    /// # Errors
    /// 400 that names the operation at fault.
    pub fn apply(&self, document: &Value) -> Result<Value, Fault> {
        for operation in self.0.iter().filter(|o| o.op == Op::Add) {
            let name = operation.path.trim_start_matches('/');
            if operation.path.matches('/').count() == 1 && document.get(name).is_none() {
                return Err(Fault::bad(format!(
                    "{} would be a new field: there is no such field",
                    operation.path
                )));
            }
        }
        let mut patched = document.clone();
        for operation in &self.0 {
            run(operation, &mut patched).map_err(|why| {
                let shown: String = operation.path.chars().take(200).collect();
                Fault::bad(format!("the patch cannot be applied at {shown}: {why}"))
            })?;
        }
        Ok(patched)
    }
}

fn is_within(candidate: &str, path: &str) -> bool {
    candidate
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn operation(item: &Value) -> Result<Operation, Fault> {
    let item = item
        .as_object()
        .ok_or_else(|| Fault::bad("each operation of a patch must be a JSON object"))?;
    let text = |name: &str| match item.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Fault::bad(format!(
            "{name} of an operation must be a string"
        ))),
    };
    let known = ["op", "path", "value", "from"];
    if let Some(unknown) = item.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Fault::bad(format!(
            "an operation has no member {unknown:?}: it has op, path and value"
        )));
    }
    let missing = |name: &str| Fault::bad(format!("an operation of the patch has no {name:?}"));
    let op = match text("op")?.ok_or_else(|| missing("op"))?.as_str() {
        "add" => Op::Add,
        "remove" => Op::Remove,
        "replace" => Op::Replace,
        "move" => Op::Move,
        "copy" => Op::Copy,
        "test" => Op::Test,
        other => return Err(Fault::bad(format!("{other:?} is no operation of a patch"))),
    };
    Ok(Operation {
        op,
        path: text("path")?.ok_or_else(|| missing("path"))?,
        value: item.get("value").cloned(),
        from: text("from")?,
    })
}

type Why = &'static str;

fn run(operation: &Operation, document: &mut Value) -> Result<(), Why> {
    let path = pointer(&operation.path)?;
    let value = || operation.value.clone().ok_or("it has no value");
    let from = || pointer(operation.from.as_deref().ok_or("it has no from")?);
    match operation.op {
        Op::Add => add(document, &path, value()?),
        Op::Remove => take(document, &path).map(drop),
        Op::Replace => {
            let value = value()?;
            *find_mut(document, &path)? = value;
            Ok(())
        }
        Op::Move => {
            let from = from()?;
            if path.len() > from.len() && path.starts_with(&from) {
                return Err("nothing can be moved into itself");
            }
            let value = take(document, &from)?;
            add(document, &path, value)
        }
        Op::Copy => {
            let value = find_mut(document, &from()?)?.clone();
            add(document, &path, value)
        }
        Op::Test => {
            let same = *find_mut(document, &path)? == value()?;
            same.then_some(()).ok_or("the value there is another")
        }
    }
}

/// The member names of a JSON pointer (RFC 6901 §4).
fn pointer(path: &str) -> Result<Vec<String>, Why> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let names = path.strip_prefix('/').ok_or("a path starts with /")?;
    names
        .split('/')
        .map(|name| {
            let mut rest = name;
            while let Some((_, after)) = rest.split_once('~') {
                if !after.starts_with(['0', '1']) {
                    return Err("a ~ in a path is followed by 0 or 1");
                }
                rest = after;
            }
            Ok(unescape(name))
        })
        .collect()
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

fn find_mut<'a>(document: &'a mut Value, path: &[String]) -> Result<&'a mut Value, Why> {
    let mut here = document;
    for name in path {
        here = match here {
            Value::Object(map) => map.get_mut(name).ok_or("there is no such member")?,
            Value::Array(items) => {
                let at = index(name)?;
                items.get_mut(at).ok_or("the list has no such item")?
            }
            _ => return Err("what is there has no members"),
        };
    }
    Ok(here)
}

fn index(name: &str) -> Result<usize, Why> {
    let digits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    if !digits || (name.len() > 1 && name.starts_with('0')) {
        return Err("an item of a list is named by its number");
    }
    name.parse().map_err(|_| "the list has no such item")
}

fn add(document: &mut Value, path: &[String], value: Value) -> Result<(), Why> {
    let Some((last, parents)) = path.split_last() else {
        *document = value;
        return Ok(());
    };
    match find_mut(document, parents)? {
        Value::Object(map) => {
            map.insert(last.clone(), value);
            Ok(())
        }
        Value::Array(items) => {
            let at = if last == "-" {
                items.len()
            } else {
                index(last)?
            };
            if at > items.len() {
                return Err("that is beyond the end of the list");
            }
            items.insert(at, value);
            Ok(())
        }
        _ => Err("what is there has no members"),
    }
}

fn take(document: &mut Value, path: &[String]) -> Result<Value, Why> {
    let (last, parents) = path.split_last().ok_or("the whole document stays")?;
    match find_mut(document, parents)? {
        Value::Object(map) => map.remove(last).ok_or("there is no such member"),
        Value::Array(items) => {
            let at = index(last)?;
            if at >= items.len() {
                return Err("the list has no such item");
            }
            Ok(items.remove(at))
        }
        _ => Err("what is there has no members"),
    }
}

/// What leads from one document to the other: objects are compared member by member, all else
/// as a whole. A member that becomes null is removed.
pub fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Change> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), before, after, &mut found);
    found
}

fn compare(
    path: &mut Vec<String>,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<Change>,
) {
    // Nulls within free-form data are kept; at the top they stand for what is not set.
    let top = path.is_empty();
    let set = |map: &Map<String, Value>, name: &str| {
        let value = map.get(name)?;
        (!top || !value.is_null()).then(|| value.clone())
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (old, new) = (set(before, name), set(after, name));
        if old == new {
            continue;
        }
        path.push(name.clone());
        match (&old, &new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => compare(path, old, new, found),
            _ => found.push(Change {
                path: path.clone(),
                value: new,
            }),
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Patch, changes};

    #[test]
    fn all_operations_or_none() {
        let patch = Patch::parse(&json!([
            {"op": "add", "path": "/extra/a~1b", "value": 1},
            {"op": "remove", "path": "/extra/nosuch"},
        ]));
        let document = json!({"extra": {}});
        let fault = patch.unwrap().apply(&document).unwrap_err();
        assert!(fault.message().contains("/extra/nosuch"), "{fault}");
        assert_eq!(document, json!({"extra": {}}));
    }

    #[test]
    fn changes_name_the_members_that_differ() {
        let before = json!({"name": "a", "extra": {"x": 1, "y": {"z": 2}}, "owner": null});
        let after =
            json!({"name": null, "extra": {"x": 1, "y": {"z": 3}, "n": null}, "owner": null});
        let found = changes(before.as_object().unwrap(), after.as_object().unwrap());
        let shown: Vec<_> = found
            .iter()
            .map(|change| (change.path.join("/"), change.value.clone()))
            .collect();
        let expected = [
            ("extra/n".to_owned(), Some(Value::Null)),
            ("extra/y/z".to_owned(), Some(json!(3))),
            ("name".to_owned(), None),
        ];
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in "(/([a-c0-9~-]|~0|~1){0,3}){0,4}", op in 0_usize..6) {
            let op = ["add", "remove", "replace", "move", "copy", "test"][op];
            let body = json!([{"op": op, "path": path, "value": 1, "from": "/a/0"}]);
            let document = json!({"a": [1, {"b": 2}], "b": {"a": []}});
            if let Ok(patch) = Patch::parse(&body) {
                let _ = patch.apply(&document);
            }
        }
    }
}
