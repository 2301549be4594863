use std::fmt;

use super::BootError;

/// A kernel command line that was understood: parameters, then what `init` is given.
///
/// Accepted are printable ASCII characters; a value may stand in double quotes and then hold
/// spaces. What follows the last ` -- ` is handed to `init`. A quote anywhere else, a control
/// character or a letter outside ASCII makes the whole line unacceptable, since it may mean one
/// thing to a boot loader and another to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelCommandLine {
    // In order of first appearance; a key's repetitions stand together.
    parameters: Vec<(String, Vec<KernelParameter>)>,
    init_args: String,
}

/// One parameter of a kernel command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelParameter {
    key: String,
    value: String,
}

impl KernelParameter {
    /// Returns what stands before the equals sign.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns what stands behind the equals sign, without quotes; empty for a bare word.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for KernelParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.as_str() {
            "" => write!(f, "{}", self.key),
            value if value.contains(' ') => write!(f, "{}=\"{value}\"", self.key),
            value => write!(f, "{}={value}", self.key),
        }
    }
}

impl KernelCommandLine {
    /// Reads a command line.
    ///
    /// # Errors
    ///
    /// When a character or a quote stands where none may. The message does not repeat the text,
    /// which may hold a token.
    pub fn parse(text: &str) -> Result<Self, BootError> {
        let text = text.trim_matches(is_blank);
        let mut end = text.len();
        // The last separator that leaves something for init, and sense before it, is the one.
        while let Some(at) = text.get(..end).and_then(|head| head.rfind(" -- ")) {
            let (head, rest) = text.split_at(at);
            let init = rest.get(4..).unwrap_or_default();
            let printable = init.bytes().all(|byte| is_printable(byte) || byte == b' ');
            if printable
                && !init.trim().is_empty()
                && let Some(parameters) = parameters(head)
            {
                return Ok(Self::new(
                    parameters,
                    init.trim_start_matches(' ').to_owned(),
                ));
            }
            end = at + 3;
        }
        match parameters(text) {
            Some(parameters) => Ok(Self::new(parameters, String::new())),
            None => Err(BootError::invalid("kernel command line", "malformed")),
        }
    }

    fn new(list: Vec<KernelParameter>, init_args: String) -> Self {
        let mut parameters: Vec<(String, Vec<KernelParameter>)> = Vec::new();
        for parameter in list {
            match parameters.iter_mut().find(|(key, _)| *key == parameter.key) {
                Some((_, same)) => same.push(parameter),
                None => parameters.push((parameter.key.clone(), vec![parameter])),
            }
        }
        Self {
            parameters,
            init_args,
        }
    }

    /// Returns the parameters by key, keys in order of first appearance.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[KernelParameter])> {
        self.parameters
            .iter()
            .map(|(key, list)| (key.as_str(), list.as_slice()))
    }

    /// Returns what `init` is given.
    pub fn init_args(&self) -> &str {
        &self.init_args
    }
}

impl fmt::Display for KernelCommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for parameter in self.parameters.iter().flat_map(|(_, list)| list) {
            write!(f, "{separator}{parameter}")?;
            separator = " ";
        }
        if !self.init_args.is_empty() {
            write!(f, " -- {}", self.init_args)?;
        }
        Ok(())
    }
}

/// Drops what would end a line or a C string from a command line: LF, CR and NUL.
pub fn sanitize_kernel_command_line(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '\0'))
        .collect()
}

fn is_blank(c: char) -> bool {
    // The separators U+001C to U+001F count as white space to the tools that wrote these lines.
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'~')
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn parameters(text: &str) -> Option<Vec<KernelParameter>> {
    let mut list = Vec::new();
    let mut rest = text;
    // Before the first space, a quoted value may be followed by the next parameter at once.
    let mut spaced = false;
    let mut separated = true;
    while !rest.is_empty() {
        let trimmed = rest.trim_start_matches(' ');
        if trimmed.len() < rest.len() {
            (rest, spaced, separated) = (trimmed, true, true);
            continue;
        }
        if spaced && !separated {
            return None;
        }
        separated = false;
        let (parameter, behind) = parameter(rest)?;
        list.push(parameter);
        rest = behind;
    }
    Some(list)
}

fn parameter(text: &str) -> Option<(KernelParameter, &str)> {
    let (key, rest) = split_while(text, is_key)?;
    let Some(value) = rest.strip_prefix('=') else {
        return Some((
            KernelParameter {
                key: key.into(),
                value: String::new(),
            },
            rest,
        ));
    };
    let quoted = value
        .strip_prefix('"')
        .and_then(|inner| split_while(inner, |byte| is_printable(byte) || byte == b' '))
        .and_then(|(inner, behind)| Some((inner, behind.strip_prefix('"')?)));
    let (value, rest) = quoted.or_else(|| split_while(value, is_printable))?;
    Some((
        KernelParameter {
            key: key.into(),
            value: value.into(),
        },
        rest,
    ))
}

// Splits off the longest, not empty, start of which each byte fits.
fn split_while(text: &str, fits: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    let length = text.bytes().take_while(|byte| fits(*byte)).count();
    if length == 0 {
        None
    } else {
        text.split_at_checked(length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_that_are_refused() {
        for text in [
            "=b",
            "a=",
            "a=\"\"",
            "a=b\"c",
            "a='b c'",
            "é",
            "a b=\"x\"c",
            "x=a\tb",
        ] {
            assert!(KernelCommandLine::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_last_separator_counts() {
        for (text, keys, init) in [
            ("a -- b -- c", vec!["a", "--", "b"], "c"),
            ("a --", vec!["a", "--"], ""),
            ("-- single", vec!["--", "single"], ""),
            ("a --  b ", vec!["a"], "b"),
            ("a -- b=\"c d\"", vec!["a", "--", "b"], ""),
            ("a=\"b\"c d", vec!["a", "c", "d"], ""),
        ] {
            let line = KernelCommandLine::parse(text).unwrap();
            let found: Vec<_> = line.parameters().map(|(key, _)| key).collect();
            assert_eq!((found, line.init_args()), (keys, init), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(text in "[ a-c=\"!-]{0,24}") {
            if let Ok(line) = KernelCommandLine::parse(&text) {
                let again = KernelCommandLine::parse(&line.to_string()).unwrap();
                // A key's repetitions move together once, and stay.
                prop_assert_eq!(again.to_string(), line.to_string());
            }
        }

        #[test]
        fn anything_is_answered(text in any::<String>()) {
            let _ = KernelCommandLine::parse(&text);
        }
    }
}
