//! An operator's file: a YAML mapping of rules' names to checks.
//!
//! What tools write and operators keep is a small part of YAML, and that is what is read: one
//! rule to a line, each a name and a check (plain, or in quotation marks of either sort) or a list
//! of them in brackets, with comments; or the same as a JSON object.

use std::fs::File;
use std::io::Read;
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

use super::PolicyError;
use super::check::Check;
use super::parse::{parse, parse_lists};

/// How large a file may be, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a plain check cannot begin with: YAML means something else by it.
const INDICATORS: &str = "!@%&*|>?`{},[]-\"'";

/// A rule of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// From 1.
    pub(super) line: u32,
    pub(super) name: String,
    pub(super) value: Value,
}

/// A check as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Lists(Vec<Vec<String>>),
}

impl Value {
    pub(super) fn parse(&self) -> Result<Check, String> {
        match self {
            Self::Text(text) => parse(text),
            Self::Lists(lists) => parse_lists(lists),
        }
    }

    /// The check as one text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Lists(_) => self
                .parse()
                .map(|check| check.to_string())
                .unwrap_or_default(),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<String, PolicyError> {
    let unreadable = |source| PolicyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    let mut limited = file.take(LARGEST + 1);
    let length = limited.read_to_string(&mut text).map_err(unreadable)?;
    if length as u64 > LARGEST {
        let why = format!("it is larger than {LARGEST} bytes");
        return Err(unreadable(std::io::Error::other(why)));
    }
    Ok(text)
}

/// The rules of a file's text.
///
/// # Errors
/// The line, and what is wrong there.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, (u32, String)> {
    let mut cursor = Cursor {
        chars: text
            .strip_prefix('\u{feff}')
            .unwrap_or(text)
            .chars()
            .peekable(),
        line: 1,
    };
    let read = cursor.document();
    read.map_err(|message| (cursor.line, message))
}

struct Cursor<'a> {
    chars: Peekable<Chars<'a>>,
    line: u32,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.next();
        if next == Some('\n') {
            self.line += 1;
        }
        next
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().copied()
    }

    fn took(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.next();
        }
        there
    }

    /// Passes over blanks within the line.
    fn blanks(&mut self) -> bool {
        let mut any = false;
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\r')) {
            self.next();
            any = true;
        }
        any
    }

    fn comment(&mut self) {
        if self.peek() == Some('#') {
            while self.peek().is_some_and(|c| c != '\n') {
                self.next();
            }
        }
    }

    /// Passes over blanks, comments and ends of lines.
    fn space(&mut self) {
        loop {
            self.blanks();
            self.comment();
            if !self.took('\n') {
                return;
            }
        }
    }

    /// What follows is the end of the line, but for a comment.
    fn end_of_line(&mut self) -> Result<(), String> {
        let apart = self.blanks();
        if apart {
            self.comment();
        }
        match self.peek() {
            None | Some('\n') => Ok(()),
            Some(_) => Err("there is something behind the check".to_owned()),
        }
    }

    fn document(&mut self) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        let mut first = true;
        loop {
            let indented = self.blanks();
            self.comment();
            match self.peek() {
                None => return Ok(entries),
                Some('\n') => {
                    self.next();
                }
                Some('{') if first => {
                    self.object(&mut entries)?;
                    self.space();
                    return match self.peek() {
                        None => Ok(entries),
                        Some(_) => Err("there is something behind the last brace".to_owned()),
                    };
                }
                Some(_) if indented => {
                    return Err("a rule stands in one line, and that begins with its name".into());
                }
                Some(_) => {
                    let line = self.line;
                    if let Some(name) = self.name()? {
                        let value = self.value()?;
                        entries.push(Entry { line, name, value });
                    } else if !first {
                        return Err("a file holds one document".to_owned());
                    }
                    self.end_of_line()?;
                    first = false;
                }
            }
        }
    }

    /// The name of a rule and the colon behind it, unless the line begins the document (`---`).
    fn name(&mut self) -> Result<Option<String>, String> {
        let missing = || "a rule's name must be followed by a colon and a check".to_owned();
        if let Some('"' | '\'') = self.peek() {
            let name = self.quoted()?;
            self.blanks();
            return if self.took(':') {
                Ok(Some(name))
            } else {
                Err(missing())
            };
        }
        let mut name = String::new();
        loop {
            match self.peek() {
                None | Some('\n') if name.trim_end() == "---" => return Ok(None),
                None | Some('\n') => return Err(missing()),
                Some(':') => {
                    self.next();
                    // A colon within a name is followed by more of it.
                    match self.peek() {
                        None | Some(' ' | '\t' | '\r' | '\n') => break,
                        Some(_) => name.push(':'),
                    }
                }
                Some(c) => {
                    self.next();
                    name.push(c);
                }
            }
        }
        let name = name.trim_end();
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.contains(odd) {
            return Err(missing());
        }
        Ok(Some(name.to_owned()))
    }

    /// A check behind the colon, in the same line.
    fn value(&mut self) -> Result<Value, String> {
        self.blanks();
        match self.peek() {
            Some('"' | '\'') => self.quoted().map(Value::Text),
            Some('[') => self.lists(),
            None | Some('\n' | '#') => {
                Err("the check is missing: write \"\" to let everybody through".to_owned())
            }
            Some(c) if INDICATORS.contains(c) => Err(format!(
                "a check that begins with {c} must stand in quotation marks"
            )),
            Some(_) => Ok(Value::Text(self.plain()?)),
        }
    }

    /// The rest of the line, up to a comment.
    fn plain(&mut self) -> Result<String, String> {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| *c != '\n') {
            if c == '#' && text.ends_with([' ', '\t']) {
                break;
            }
            if matches!(c, ' ' | '\t') && text.ends_with(':') {
                return Err("a check with \": \" in it must stand in quotation marks".to_owned());
            }
            self.next();
            text.push(c);
        }
        self.comment();
        Ok(text.trim_end().to_owned())
    }

    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.next().unwrap_or_default();
        let mut text = String::new();
        loop {
            match self.peek() {
                None | Some('\n') => {
                    return Err("a quotation mark is not closed in its line".to_owned());
                }
                Some(c) => {
                    self.next();
                    if c == quote {
                        // A single one is written twice to mean itself.
                        if quote == '\'' && self.took('\'') {
                            text.push(quote);
                            continue;
                        }
                        return Ok(text);
                    }
                    text.push(match c {
                        '\\' if quote == '"' => self.escaped()?,
                        c => c,
                    });
                }
            }
        }
    }

    /// The character that stands behind a backslash (JSON, RFC 8259 §7).
    fn escaped(&mut self) -> Result<char, String> {
        let wrong = || "a backslash must be followed by one of \\ \" / n t r uXXXX".to_owned();
        match self.next().ok_or_else(wrong)? {
            c @ ('\\' | '"' | '/') => Ok(c),
            'n' => Ok('\n'),
            't' => Ok('\t'),
            'r' => Ok('\r'),
            'u' => {
                let mut code = 0;
                for _ in 0..4 {
                    let digit = self.next().and_then(|c| c.to_digit(16));
                    code = code * 16 + digit.ok_or_else(wrong)?;
                }
                char::from_u32(code).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }

    /// `{"name": "check", …}`.
    fn object(&mut self, entries: &mut Vec<Entry>) -> Result<(), String> {
        self.next();
        self.space();
        if self.took('}') {
            return Ok(());
        }
        loop {
            self.space();
            let line = self.line;
            if self.peek() != Some('"') {
                return Err("a rule's name must stand in quotation marks here".to_owned());
            }
            let name = self.quoted()?;
            self.space();
            if !self.took(':') {
                return Err("a rule's name must be followed by a colon".to_owned());
            }
            self.space();
            let value = match self.peek() {
                Some('"') => Value::Text(self.quoted()?),
                Some('[') => self.lists()?,
                _ => return Err("a check must stand in quotation marks here".to_owned()),
            };
            entries.push(Entry { line, name, value });
            self.space();
            match self.next() {
                Some(',') => {}
                Some('}') => return Ok(()),
                _ => return Err("a rule must be followed by a comma or the last brace".to_owned()),
            }
        }
    }

    /// `["check", ["check", "check"], …]`.
    fn lists(&mut self) -> Result<Value, String> {
        let mut lists = Vec::new();
        self.items(|cursor| {
            match cursor.peek() {
                Some('[') => {
                    let mut all = Vec::new();
                    cursor.items(|cursor| {
                        all.push(cursor.item()?);
                        Ok(())
                    })?;
                    lists.push(all);
                }
                _ => lists.push(vec![cursor.item()?]),
            }
            Ok(())
        })?;
        Ok(Value::Lists(lists))
    }

    fn item(&mut self) -> Result<String, String> {
        match self.peek() {
            Some('"' | '\'') => self.quoted(),
            _ => Err("a list holds checks in quotation marks".to_owned()),
        }
    }

    fn items(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.next();
        self.space();
        if self.took(']') {
            return Ok(());
        }
        loop {
            self.space();
            item(self)?;
            self.space();
            match self.next() {
                Some(',') => {}
                Some(']') => return Ok(()),
                _ => return Err("a list must be closed by a bracket".to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Value, entries};

    fn read(text: &str) -> Vec<(u32, String, String)> {
        let entries = entries(text).unwrap();
        let shown = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            Value::Lists(lists) => format!("{lists:?}"),
        };
        let entry = |entry: &super::Entry| (entry.line, entry.name.clone(), shown(&entry.value));
        entries.iter().map(entry).collect()
    }

    #[test]
    fn rules_stand_one_to_a_line() {
        let text = "---\n# ours\n\"baremetal:node:get\": \"role:a\\\"\" # why\n\n\
                    baremetal:node:list: role:b and x:%(y)s  # that\r\n'it''s': 'a''b'\n\
                    old: [[\"role:a\", 'role:b'], \"@\"]\nnone: \"\"";
        let wanted = [
            (3, "baremetal:node:get", "role:a\""),
            (5, "baremetal:node:list", "role:b and x:%(y)s"),
            (6, "it's", "a'b"),
            (7, "old", "[[\"role:a\", \"role:b\"], [\"@\"]]"),
            (8, "none", ""),
        ];
        let wanted = wanted.map(|(line, name, check)| (line, name.to_owned(), check.to_owned()));
        assert_eq!(read(text), wanted);
        assert_eq!(read(""), []);
        assert_eq!(read("# nothing\n---\n"), []);
    }

    #[test]
    fn json_is_read_too() {
        let text = " {\n \"a\" : \"role:\\u0061\",\n\"b\": []\n}\n";
        let wanted = [(2, "a", "role:a"), (3, "b", "[]")];
        let wanted = wanted.map(|(line, name, check)| (line, name.to_owned(), check.to_owned()));
        assert_eq!(read(text), wanted);
        assert_eq!(read("{}"), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, told) in [
            ("a: \"b\n", 1, "not closed in its line"),
            ("\na: \"b\" c\n", 2, "behind the check"),
            ("a: role:b\n  and role:c\n", 2, "in one line"),
            ("a:\n", 1, "check is missing"),
            ("a: # b\n", 1, "check is missing"),
            ("a: !\n", 1, "must stand in quotation marks"),
            ("a: |\n", 1, "must stand in quotation marks"),
            ("a: b: c\n", 1, "must stand in quotation marks"),
            ("- a\n", 1, "followed by a colon"),
            ("a b: c\n", 1, "followed by a colon"),
            ("a: b\n---\nc: d\n", 2, "one document"),
            ("a: \"\\x\"\n", 1, "backslash"),
            ("{\"a\": 5}", 1, "quotation marks"),
            ("{\"a\": \"b\"\n", 2, "last brace"),
            ("{\"a\": \"b\"} c", 1, "behind the last brace"),
            ("a: [\"b\"\n", 2, "closed by a bracket"),
            ("a: [b]\n", 1, "quotation marks"),
        ] {
            let (at, wrong) = entries(text).unwrap_err();
            assert!(wrong.contains(told), "{text:?}: {wrong}");
            assert_eq!(at, line, "{text:?}: {wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,200}") {
            let _ = entries(&text);
        }

        #[test]
        fn odd_marks_are_read_or_refused(text in "[a:\"'\\[\\]{},#\\n \\\\u0]{0,60}") {
            let _ = entries(&text);
        }
    }
}
