//! Extended error responses (DSP0266, "Error responses").

use serde_json::Value;

/// No BMC says more than this that anybody would read.
const MAX_MESSAGES: usize = 32;
const MAX_TEXT: usize = 1024;

/// One message of an error response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ErrorMessage {
    /// `MessageId`: registry, version and key (`Base.1.8.PropertyValueNotInList`).
    pub id: String,
    /// `Message`, with the arguments filled in where the BMC left `%1` standing.
    pub text: String,
    /// `MessageSeverity`, or the older `Severity`.
    pub severity: String,
    /// `RelatedProperties`.
    pub related: Vec<String>,
}

impl ErrorMessage {
    /// The key of the message, without registry and version (`PropertyValueNotInList`).
    pub fn key(&self) -> &str {
        self.id.rsplit('.').next().unwrap_or(&self.id)
    }

    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let member = |name: &str| value.get(name).and_then(Value::as_str).map(clip);
        let message = Self {
            id: member("MessageId").unwrap_or_default(),
            text: fill(
                &member("Message").unwrap_or_default(),
                value.get("MessageArgs"),
            ),
            severity: member("MessageSeverity")
                .or_else(|| member("Severity"))
                .unwrap_or_default(),
            related: value
                .get("RelatedProperties")
                .and_then(Value::as_array)
                .map(|related| {
                    related
                        .iter()
                        .take(MAX_MESSAGES)
                        .filter_map(Value::as_str)
                        .map(clip)
                        .collect()
                })
                .unwrap_or_default(),
        };
        (message != Self::default()).then_some(message)
    }
}

/// What an error response says, as far as it says anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExtendedError {
    /// `error.code`.
    pub code: String,
    /// `error.message`.
    pub message: String,
    /// `error.@Message.ExtendedInfo`, at most 32.
    pub messages: Vec<ErrorMessage>,
}

impl ExtendedError {
    /// Reads a response body; anything that is not an error object gives an empty one.
    pub fn parse(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        // Some services put the messages at the top, without the `error` object around them.
        let error = body.get("error").unwrap_or(&body);
        let text = |name: &str| {
            error
                .get(name)
                .and_then(Value::as_str)
                .map(clip)
                .unwrap_or_default()
        };
        let messages = match error.get("@Message.ExtendedInfo") {
            Some(Value::Array(list)) => list
                .iter()
                .take(MAX_MESSAGES)
                .filter_map(ErrorMessage::from_value)
                .collect(),
            Some(single @ Value::Object(_)) => {
                ErrorMessage::from_value(single).into_iter().collect()
            }
            _ => Vec::new(),
        };
        Self {
            code: text("code"),
            message: text("message"),
            messages,
        }
    }

    /// Whether any message, or the code itself, has this key (`ActionParameterValueConflict`), or
    /// a text has it as a word, as with BMCs that pass another's message on.
    pub fn has_key(&self, key: &str) -> bool {
        self.messages.iter().any(|message| message.key() == key)
            || self.code.rsplit('.').next() == Some(key)
            || self.text().any(|text| {
                text.split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|word| word == key)
            })
    }

    /// Whether any text contains `needle`, regardless of ASCII case.
    pub fn mentions(&self, needle: &str) -> bool {
        let needle = needle.to_ascii_lowercase();
        self.text()
            .any(|text| text.to_ascii_lowercase().contains(&needle))
    }

    /// Whether the BMC says that it is still busy with what was asked before, and has done
    /// nothing: iDRAC's `SYS518`, iLO's `InvalidOperationForSystemState`.
    pub fn is_not_ready(&self) -> bool {
        self.messages.iter().any(|message| {
            message.id.contains("SYS518")
                || message.text.contains("SYS518")
                || (message.id.starts_with("iLO")
                    && message.key() == "InvalidOperationForSystemState")
        })
    }

    /// One line for people: the most severe message, else the general one.
    pub fn summary(&self) -> String {
        let told = || {
            self.messages
                .iter()
                .filter(|message| !message.text.is_empty())
        };
        let worst = ["Critical", "Warning"]
            .iter()
            .find_map(|severity| told().find(|message| message.severity == *severity))
            .or_else(|| told().next());
        let first_id = self
            .messages
            .first()
            .map_or("", |message| message.id.as_str());
        let (id, text) = match worst {
            Some(message) => (message.id.as_str(), message.text.as_str()),
            None if self.code.is_empty() => (first_id, self.message.as_str()),
            None => (self.code.as_str(), self.message.as_str()),
        };
        match (id.is_empty(), text.is_empty()) {
            (true, true) => "no reason given".to_owned(),
            (true, false) => text.to_owned(),
            (false, true) => id.to_owned(),
            (false, false) => format!("{id}: {text}"),
        }
    }

    fn text(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.message.as_str())
            .chain(self.messages.iter().map(|message| message.text.as_str()))
    }
}

fn clip(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_TEXT)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Puts `MessageArgs` in the places that the BMC left open (DSP0266, "Message object").
fn fill(text: &str, args: Option<&Value>) -> String {
    let Some(args) = args.and_then(Value::as_array) else {
        return text.to_owned();
    };
    let mut filled = text.to_owned();
    for (index, arg) in args.iter().take(9).enumerate() {
        let arg = match arg {
            Value::String(text) => clip(text),
            other => clip(&other.to_string()),
        };
        filled = filled.replacen(&format!("%{}", index + 1), &arg, 1);
    }
    clip(&filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::ExtendedError;

    fn parse(body: serde_json::Value) -> ExtendedError {
        ExtendedError::parse(&serde_json::to_vec(&body).unwrap())
    }

    #[test]
    fn the_most_severe_message_is_the_summary() {
        let error = parse(json!({"error": {
            "code": "Base.1.8.GeneralError", "message": "see ExtendedInfo",
            "@Message.ExtendedInfo": [
                {"MessageId": "Base.1.8.PropertyNotWritable", "Message": "%1 is read only", "MessageArgs": ["SKU"], "Severity": "Warning"},
                {"MessageId": "Base.1.8.MalformedJSON", "Message": "not JSON", "MessageSeverity": "Critical"},
            ],
        }}));
        assert_eq!(error.summary(), "Base.1.8.MalformedJSON: not JSON");
        assert_eq!(error.messages[0].text, "SKU is read only");
        assert!(error.has_key("PropertyNotWritable") && !error.has_key("Property"));
    }

    #[test]
    fn shapes_met_in_the_field() {
        let single = parse(
            json!({"error": {"@Message.ExtendedInfo": {"MessageId": "IDRAC.2.8.SYS518", "Message": "busy"}}}),
        );
        assert!(single.is_not_ready());
        let bare = parse(
            json!({"@Message.ExtendedInfo": [{"MessageId": "iLO.2.14.InvalidOperationForSystemState"}]}),
        );
        assert!(bare.is_not_ready());
        assert_eq!(bare.summary(), "iLO.2.14.InvalidOperationForSystemState");
        let no_text = parse(
            json!({"error": {"code": "Base.1.0.GeneralError", "message": "404 Not Found",
            "@Message.ExtendedInfo": [{"MessageId": "Base.1.0.GeneralError"}]}}),
        );
        assert_eq!(no_text.summary(), "Base.1.0.GeneralError: 404 Not Found");
        assert_eq!(ExtendedError::parse(b"<html>").summary(), "no reason given");
        assert!(
            !parse(json!({"error": {"message": "InvalidOperationForSystemState"}})).is_not_ready()
        );
        assert!(
            parse(json!({"error": {"message": "The Host is powered OFF"}}))
                .mentions("host is powered off")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_some_error(body in proptest::collection::vec(any::<u8>(), 0..256)) {
            prop_assert!(!ExtendedError::parse(&body).summary().is_empty());
        }

        #[test]
        fn any_message_stays_bounded(id in ".*", text in "(%1)?(%2)?.{0,1200}", args in proptest::collection::vec(".{0,1500}", 0..3)) {
            let error = parse(json!({"error": {"@Message.ExtendedInfo": [{"MessageId": id, "Message": text, "MessageArgs": args}]}}));
            prop_assert!(error.summary().chars().count() <= 2 * super::MAX_TEXT + 2);
        }
    }
}
