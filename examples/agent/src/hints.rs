//! Root device hints: which disks an operator means.
//!
//! A hint is a value or a small expression (`>= 60`, `<or> a <or> b`, `<in> nvme`). The grammar
//! is that of oslo.utils' `specs_matcher`; hints and device values meet in lower case with
//! everything but `A-Za-z0-9_.-~/` percent-encoded, so that a value with blanks is one word.

use serde_json::{Map, Value};

/// Bytes in the unit of the `size` hint.
const GIB: f64 = 1_073_741_824.0;

/// A hint that makes no sense, or that cannot be compared with a device's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HintError {
    /// No hint has this name.
    #[error("{0:?} is not a root device hint")]
    Unknown(String),
    /// The hint's value is not of its type.
    #[error("root device hint {name}: {reason}")]
    Invalid {
        /// The hint.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The operator does not apply to what the device has.
    #[error("operator {operator} does not apply to {value:?}")]
    NotComparable {
        /// The operator.
        operator: String,
        /// The device's value.
        value: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HintType {
    Integer,
    Text,
    Boolean,
}

fn hint_type(name: &str) -> Option<HintType> {
    Some(match name {
        "size" => HintType::Integer,
        "rotational" => HintType::Boolean,
        "model"
        | "wwn"
        | "serial"
        | "vendor"
        | "wwn_with_extension"
        | "wwn_vendor_extension"
        | "name"
        | "hctl"
        | "by_path"
        | "tran" => HintType::Text,
        _ => return None,
    })
}

/// Checks `hints` and brings them into the form that devices are compared with: an operator in
/// front of every value but Boolean ones.
///
/// # Errors
/// [`HintError`] for an unknown hint or a value not of its type.
pub fn parse(hints: &Map<String, Value>) -> Result<Map<String, Value>, HintError> {
    if let Some(unknown) = hints.keys().find(|name| hint_type(name).is_none()) {
        return Err(HintError::Unknown(unknown.chars().take(64).collect()));
    }
    hints
        .iter()
        .map(|(name, value)| Ok((name.clone(), parse_one(name, value)?)))
        .collect()
}

fn parse_one(name: &str, value: &Value) -> Result<Value, HintError> {
    let invalid = |reason| HintError::Invalid {
        name: name.to_owned(),
        reason,
    };
    match hint_type(name) {
        Some(HintType::Boolean) => bool_from_value(value)
            .map(Value::Bool)
            .ok_or_else(|| invalid("not a Boolean value")),
        Some(HintType::Integer) => {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err(invalid("not an integer")),
            };
            if !split(name, &text)?
                .values
                .iter()
                .all(|v| is_positive_integer(v))
            {
                return Err(invalid("not a positive integer"));
            }
            with_operator(name, text, "==")
        }
        _ => {
            let text = value.as_str().ok_or_else(|| invalid("not a text"))?;
            with_operator(name, normalize(name, text)?, "s==")
        }
    }
}

fn with_operator(name: &str, text: String, default: &str) -> Result<Value, HintError> {
    let tree = tokens(&text).ok_or_else(|| unreadable(name))?;
    Ok(Value::String(if tree.len() > 1 {
        text
    } else {
        format!("{default} {text}")
    }))
}

/// The devices that satisfy every hint, in their order; each device is a JSON object with the
/// members that the inventory's disks have.
///
/// # Errors
/// [`HintError`] for hints that make no sense or do not apply to what a device has.
pub fn find<'a>(
    devices: &'a [Map<String, Value>],
    hints: &Map<String, Value>,
) -> Result<Vec<&'a Map<String, Value>>, HintError> {
    let parsed = parse(hints)?;
    let mut found = Vec::new();
    for device in devices {
        if matches_all(device, &parsed)? {
            found.push(device);
        }
    }
    Ok(found)
}

/// The first device that satisfies every hint; what comes after it is not looked at.
///
/// # Errors
/// As [`find`].
pub fn first<'a>(
    devices: &'a [Map<String, Value>],
    hints: &Map<String, Value>,
) -> Result<Option<&'a Map<String, Value>>, HintError> {
    let parsed = parse(hints)?;
    for device in devices {
        if matches_all(device, &parsed)? {
            return Ok(Some(device));
        }
    }
    Ok(None)
}

fn matches_all(
    device: &Map<String, Value>,
    parsed: &Map<String, Value>,
) -> Result<bool, HintError> {
    for (name, hint) in parsed {
        let value = device.get(name).unwrap_or(&Value::Null);
        let matched = match (hint_type(name), hint) {
            (Some(HintType::Boolean), hint) => {
                bool_from_value(value).is_some_and(|value| Some(value) == hint.as_bool())
            }
            (Some(HintType::Integer), Value::String(spec)) => {
                size_matches(value.as_f64().map(|bytes| bytes / GIB), spec)?
            }
            (_, Value::String(spec)) => text_matches(name, value, spec)?,
            _ => false,
        };
        if !matched {
            return Ok(false);
        }
    }
    Ok(true)
}

fn text_matches(name: &str, value: &Value, spec: &str) -> Result<bool, HintError> {
    let Value::Array(values) = value else {
        let text = python_text(value);
        return if text.trim().is_empty() {
            Ok(false)
        } else {
            compare_text(&normalize(name, &text)?, spec)
        };
    };
    for value in values.iter().filter(|value| !value.is_null()) {
        let text = python_text(value);
        if !text.trim().is_empty() && compare_text(&normalize(name, &text)?, spec)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How the original writes a value that is not a text; a device without a value reads `none`.
fn python_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

fn compare_text(value: &str, spec: &str) -> Result<bool, HintError> {
    let tree = tokens(spec).unwrap_or_else(|| vec![spec.to_owned()]);
    let (Some(operator), Some(operand)) = (tree.first(), tree.get(1)) else {
        return Ok(tree.first().is_some_and(|only| only == value));
    };
    Ok(match operator.as_str() {
        "s==" => value == operand,
        "s!=" => value != operand,
        "s<" => value < operand.as_str(),
        "s<=" => value <= operand.as_str(),
        "s>" => value > operand.as_str(),
        "s>=" => value >= operand.as_str(),
        "<in>" => value.contains(operand.as_str()),
        "<or>" => tree.iter().skip(1).any(|one| one == value),
        _ => match value.parse() {
            Ok(number) => compare_number(number, operator, operand)?,
            Err(_) => return Err(not_comparable(operator, value)),
        },
    })
}

fn size_matches(gib: Option<f64>, spec: &str) -> Result<bool, HintError> {
    let tree = tokens(spec).unwrap_or_else(|| vec![spec.to_owned()]);
    let (Some(operator), Some(operand)) = (tree.first(), tree.get(1)) else {
        return Ok(false);
    };
    let Some(gib) = gib else {
        return Err(not_comparable(operator, "no size"));
    };
    match operator.as_str() {
        // Texts are compared with a number here: never equal, and in no order.
        "s==" | "<or>" => Ok(false),
        "s!=" => Ok(true),
        _ => compare_number(gib, operator, operand),
    }
}

#[allow(clippy::float_cmp, reason = "sizes are whole numbers of GiB or not")]
fn compare_number(value: f64, operator: &str, operand: &str) -> Result<bool, HintError> {
    let refuse = || not_comparable(operator, operand);
    let operand: f64 = operand.parse().map_err(|_| refuse())?;
    Ok(match operator {
        "==" => value == operand,
        "!=" => value != operand,
        "<" => value < operand,
        "<=" => value <= operand,
        ">" => value > operand,
        // A single equals sign means "at least", as everywhere in specs_matcher.
        ">=" | "=" => value >= operand,
        _ => return Err(refuse()),
    })
}

fn not_comparable(operator: &str, value: &str) -> HintError {
    HintError::NotComparable {
        operator: operator.to_owned(),
        value: value.chars().take(64).collect(),
    }
}

fn unreadable(name: &str) -> HintError {
    HintError::Invalid {
        name: name.to_owned(),
        reason: "an operator without a value",
    }
}

struct Split {
    operator: String,
    values: Vec<String>,
}

fn split(name: &str, text: &str) -> Result<Split, HintError> {
    let expression = text.trim().to_lowercase();
    if expression.is_empty() {
        return Err(HintError::Invalid {
            name: name.to_owned(),
            reason: "empty",
        });
    }
    let tree = tokens(&expression).ok_or_else(|| unreadable(name))?;
    Ok(match tree.first() {
        Some(operator) if tree.len() > 1 => Split {
            values: expression
                .split(operator.as_str())
                .filter(|part| !part.is_empty())
                .map(|part| part.trim().to_owned())
                .collect(),
            operator: operator.clone(),
        },
        _ => Split {
            operator: String::new(),
            values: vec![expression],
        },
    })
}

fn normalize(name: &str, text: &str) -> Result<String, HintError> {
    let Split { operator, values } = split(name, text)?;
    let quoted: Vec<_> = values.iter().map(|v| format!(" {} ", quote(v))).collect();
    Ok(format!("{operator}{}", quoted.join(&operator))
        .trim()
        .to_owned())
}

fn quote(text: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            other => {
                let _infallible = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

fn is_positive_integer(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.bytes().all(|b| b.is_ascii_digit()) && digits.bytes().any(|b| b != b'0')
}

/// Order matters: the first that fits counts, so `==` stands before `=`.
const UNARY: [&str; 14] = [
    "==", "=", "!=", "<in>", ">=", "<=", ">", "<", "s==", "s!=", "s<=", "s<", "s>=", "s>",
];
const ALL_IN: &str = "<all-in>";
const OR: &str = "<or>";
const RANGE_IN: &str = "<range-in>";

/// Operator and operands at the start of `text`, or its first word; `None` where neither stands.
fn tokens(text: &str) -> Option<Vec<String>> {
    let any_of = |operator: &str, most: usize| -> Option<Vec<String>> {
        let mut rest = text.trim_start().strip_prefix(operator)?;
        let mut out = vec![operator.to_owned()];
        while let Some((word, after)) = atom(rest) {
            out.push(word.to_owned());
            rest = after;
            if out.len() > most {
                break;
            }
        }
        Some(out)
    };
    if let Some(tree) = disjunction(text) {
        return Some(tree);
    }
    if let Some(tree) = any_of(ALL_IN, usize::MAX).filter(|tree| tree.len() > 1) {
        return Some(tree);
    }
    if let Some(tree) = any_of(RANGE_IN, 4).filter(|tree| tree.len() == 5) {
        return Some(tree);
    }
    if let Some(operator) = UNARY
        .iter()
        .find(|operator| text.trim_start().starts_with(**operator))
        && let Some(tree) = any_of(operator, 1).filter(|tree| tree.len() > 1)
    {
        return Some(tree);
    }
    atom(text).map(|(word, _)| vec![word.to_owned()])
}

fn disjunction(text: &str) -> Option<Vec<String>> {
    let mut out = vec![OR.to_owned()];
    let mut rest = text;
    while let Some((word, after)) = rest.trim_start().strip_prefix(OR).and_then(atom) {
        out.push(word.to_owned());
        rest = after;
    }
    (out.len() > 1).then_some(out)
}

/// A word that does not begin with an operator, and what follows it.
fn atom(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let reserved = UNARY.iter().chain(&[ALL_IN, OR, RANGE_IN]);
    if text.is_empty() || reserved.into_iter().any(|op| text.starts_with(op)) {
        return None;
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Some(text.split_at(end))
}

fn bool_from_value(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => bool_from_text(text),
        Value::Number(number) => bool_from_text(&number.to_string()),
        _ => None,
    }
}

/// What oslo.utils takes for a Boolean value.
pub(crate) fn bool_from_text(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::{Map, Value, json};

    use super::{find, parse, tokens};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_expression_is_an_operator_and_words() {
        for (text, tree) in [
            (">= 60", Some(vec![">=", "60"])),
            ("<or> a <or> b c", Some(vec!["<or>", "a", "b"])),
            ("<all-in> a b", Some(vec!["<all-in>", "a", "b"])),
            (
                "<range-in> [ 1 2 ]",
                Some(vec!["<range-in>", "[", "1", "2", "]"]),
            ),
            ("plain words", Some(vec!["plain"])),
            ("<or>", Some(vec!["<", "or>"])),
            ("s==", None),
            ("", None),
        ] {
            let tree = tree.map(|t| t.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(tokens(text), tree, "{text:?}");
        }
    }

    #[test]
    fn every_hint_has_to_hold() {
        let devices = [map(
            json!({"name": "/dev/sda", "size": 64_u64 << 30, "rotational": false}),
        )];
        let hits = |hints: Value| find(&devices, &map(hints)).map(|found| found.len());
        assert_eq!(hits(json!({"size": ">= 60", "rotational": "no"})), Ok(1));
        assert_eq!(hits(json!({"size": ">= 60", "rotational": true})), Ok(0));
        assert!(hits(json!({"speed": 1})).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in any::<String>(), value in any::<String>()) {
            let hints = map(json!({"model": text, "size": value}));
            let devices = [map(json!({"model": value, "size": 1, "serial": [text, null]}))];
            let _ = parse(&hints);
            let _ = find(&devices, &hints);
        }
    }
}
