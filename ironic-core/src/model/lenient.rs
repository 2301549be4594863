//! How numbers, truth values and texts are read out of JSON that people wrote by hand.
//!
//! Inventories that were made for the original hold a port as `"623"`, a flag as `"yes"`, a
//! password as `1234`; they mean here what they meant there.

use serde_json::Value;

/// The integer that a value stands for: a number without its fraction, a truth value, or a text of digits.
pub fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(truth) => Some(i128::from(*truth)),
        Value::Number(number) => number
            .as_i128()
            .or_else(|| number.as_f64().and_then(truncate)),
        Value::String(text) => digits(text.trim()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "dropping the fraction is what is asked for"
)]
fn truncate(number: f64) -> Option<i128> {
    (number.abs() < 1e30).then_some(number as i128)
}

/// A sign, and digits that may be grouped by single underscores.
fn digits(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let grouped = unsigned
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if !grouped {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Whether a value is more than nothing, zero or empty.
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// The truth value that a boolean, a word or a number means, in the words that oslo.utils'
/// `bool_from_string` takes; none of anything else.
pub fn truth(value: &Value) -> Option<bool> {
    let word = match value {
        Value::Bool(known) => return Some(*known),
        Value::String(text) => stripped(text).to_lowercase(),
        // A float is written with a point, so 1.0 is no word for true.
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match word.as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Some(false),
        _ => None,
    }
}

/// A text without the blanks around it: what Unicode calls white space, and the four separators
/// of ASCII (U+001C to U+001F), which Python counts among them.
pub fn stripped(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// A value as text: what a password of digits alone becomes that was written without quotes.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => literal(other),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float_literal(float),
            _ => number.to_string(),
        },
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(literal))),
        Value::Object(members) => {
            let pairs = members
                .iter()
                .map(|(name, value)| format!("{}: {}", quoted(name), literal(value)));
            format!("{{{}}}", joined(pairs))
        }
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
    if escaped.contains('\'') && !escaped.contains('"') {
        return format!("\"{escaped}\"");
    }
    format!("'{}'", escaped.replace('\'', "\\'"))
}

/// The shortest digits that give the number back; with an exponent below 1e-4 and from 1e16 on.
fn float_literal(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let scientific = format!("{number:e}");
        return match scientific.split_once('e') {
            Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
                Some(digits) => format!("{mantissa}e-{digits:0>2}"),
                None => format!("{mantissa}e+{exponent:0>2}"),
            },
            None => scientific,
        };
    }
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_are_read_as_people_write_them() {
        for (value, expected) in [
            (json!(623), Some(623)),
            (json!(6230.5), Some(6230)),
            (json!(-0.5), Some(0)),
            (json!(" 623\n"), Some(623)),
            (json!("\u{1f}623"), None),
            (json!("+6_23"), Some(623)),
            (json!("-1"), Some(-1)),
            (json!(true), Some(1)),
            (json!("6__23"), None),
            (json!("_6"), None),
            (json!("6."), None),
            (json!(""), None),
            (json!("0x10"), None),
            (json!([3]), None),
            (json!(null), None),
        ] {
            assert_eq!(integer(&value), expected, "{value}");
        }
    }

    #[test]
    fn truth_has_many_words() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!(" Yes\u{1f}"), Some(true)),
            (json!("OFF"), Some(false)),
            (json!(1), Some(true)),
            (json!(0), Some(false)),
            (json!(1.0), None),
            (json!(5), None),
            (json!("5"), None),
            (json!(""), None),
            (json!(null), None),
            (json!([true]), None),
        ] {
            assert_eq!(truth(&value), expected, "{value}");
        }
    }

    #[test]
    fn texts_are_written_as_the_original_writes_them() {
        for (value, expected) in [
            (json!("as is"), "as is"),
            (json!(12345), "12345"),
            (json!(2.0), "2.0"),
            (json!(1e16), "1e+16"),
            (json!(0.00001), "1e-05"),
            (json!(null), "None"),
            (json!(true), "True"),
            (json!(["a", 1, {"k": "it's"}]), "['a', 1, {'k': \"it's\"}]"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }
}
