use std::collections::BTreeMap;

use crate::script::ScriptError;

const MOST: usize = 1024;
const LONGEST: usize = 4096;
const MOST_EXPANSIONS: usize = 64;

/// A setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(i32),
    /// Shown as pairs of hexadecimal digits with colons, as hardware addresses are.
    Bytes(Vec<u8>),
}

/// What a script can ask and set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(BTreeMap<String, Value>);

impl Settings {
    /// Sets a setting; beyond all bounds it is an error.
    pub(crate) fn set(&mut self, name: &str, value: Value) -> Result<(), ScriptError> {
        if self.0.len() >= MOST && !self.0.contains_key(name) {
            return Err(ScriptError::TooLong("the list of settings"));
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    pub(super) fn clear(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Sets a setting from a script's text, `name` or `name:type`. False: the text is not of the type.
    pub(super) fn set_text(&mut self, name: &str, text: &str) -> Result<bool, ScriptError> {
        let (name, kind) = name.split_once(':').unwrap_or((name, "string"));
        let value = match kind {
            "int8" | "int16" | "int32" | "uint8" | "uint16" | "uint32" => {
                text.parse().ok().map(Value::Number)
            }
            "hex" | "hexhyp" => bytes(text).map(Value::Bytes),
            _ => Some(Value::Text(text.to_owned())),
        };
        match value {
            Some(value) => self.set(name, value).map(|()| true),
            None => Ok(false),
        }
    }

    /// Adds to a number. False: it is none.
    pub(super) fn increment(&mut self, name: &str, by: i32) -> Result<bool, ScriptError> {
        let (name, _) = name.split_once(':').unwrap_or((name, ""));
        let old = match self.0.get(name) {
            Some(Value::Number(number)) => *number,
            Some(Value::Text(text)) => match text.parse() {
                Ok(number) => number,
                Err(_) => return Ok(false),
            },
            Some(Value::Bytes(_)) => return Ok(false),
            None => 0,
        };
        self.set(name, Value::Number(old.wrapping_add(by)))?;
        Ok(true)
    }

    /// Fills in `${name}` and `${name:type}`, from the inside out; what is not set is nothing.
    pub(super) fn expand(&self, word: &str) -> Result<String, ScriptError> {
        let mut text = word.to_owned();
        for _ in 0..MOST_EXPANSIONS {
            let Some((before, name, after)) = innermost(&text) else {
                return Ok(text);
            };
            text = format!("{before}{}{after}", self.show(name));
            if text.len() > LONGEST {
                return Err(ScriptError::TooLong("a word"));
            }
        }
        Err(ScriptError::TooLong("a word"))
    }

    fn show(&self, name: &str) -> String {
        let (name, kind) = name.split_once(':').unwrap_or((name, ""));
        let Some(value) = self.0.get(name) else {
            return String::new();
        };
        let separator = match (kind, value) {
            ("hexhyp", _) => "-",
            ("hexraw", _) => "",
            ("hex", _) | (_, Value::Bytes(_)) => ":",
            (_, Value::Text(text)) => return text.clone(),
            (_, Value::Number(number)) => return number.to_string(),
        };
        let bytes = match value {
            Value::Bytes(bytes) => bytes.clone(),
            Value::Text(text) => text.clone().into_bytes(),
            Value::Number(number) => number.to_be_bytes().to_vec(),
        };
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(separator)
    }
}

fn innermost(text: &str) -> Option<(&str, &str, &str)> {
    let first = text.find("${")?;
    let close = first + text.get(first..)?.find('}')?;
    let open = text.get(..close)?.rfind("${")?;
    Some((
        text.get(..open)?,
        text.get(open + 2..close)?,
        text.get(close + 1..)?,
    ))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    text.split([':', '-'])
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings
            .set("net0/mac", Value::Bytes(vec![0x52, 0x54, 0, 0xab]))
            .unwrap();
        settings.set("card", Value::Number(-1)).unwrap();
        settings
    }

    #[test]
    fn settings_are_filled_in_from_the_inside() {
        let mut settings = settings();
        assert_eq!(settings.increment("card", 1), Ok(true));
        for (word, expected) in [
            ("${net${card}/mac}", "52:54:00:ab"),
            ("x${net${card}/mac:hexhyp}y", "x52-54-00-aby"),
            ("${net0/mac:hexraw}", "525400ab"),
            ("${net1/mac}", ""),
            ("${card}${card}", "00"),
            ("$card} ${open", "$card} ${open"),
        ] {
            assert_eq!(settings.expand(word).unwrap(), expected, "{word}");
        }
    }

    #[test]
    fn types_are_checked_and_numbers_counted() {
        let mut settings = settings();
        assert_eq!(settings.set_text("n:int32", "10"), Ok(true));
        assert_eq!(settings.set_text("n:int32", "ten"), Ok(false));
        assert_eq!(settings.increment("n", 2), Ok(true));
        assert_eq!(settings.increment("fresh", 1), Ok(true));
        assert_eq!(settings.increment("net0/mac", 1), Ok(false));
        assert_eq!(settings.expand("${n}-${fresh}").unwrap(), "12-1");
        settings.clear("n");
        assert_eq!(settings.expand("${n}").unwrap(), "");
    }

    #[test]
    fn settings_that_name_themselves_end() {
        let mut settings = settings();
        settings.set_text("a", "${a}${a}").unwrap();
        assert_eq!(settings.expand("${a}"), Err(ScriptError::TooLong("a word")));
        let full = (0..=MOST).try_for_each(|n| settings.set(&n.to_string(), Value::Number(1)));
        assert!(full.is_err());
    }

    proptest! {
        #[test]
        fn any_word_expands_or_is_an_error(word in "([${}:a/]|card|net0/mac|hexhyp){0,40}") {
            let _ = settings().expand(&word);
        }
    }
}
