//! Checks as they are written: `role:admin and not (project_id:%(node.owner)s or @)`.
//!
//! Words are parted by white space alone; `and` binds more tightly than `or`, `not` more tightly
//! than both. What `oslo.policy` would log and take for "nobody" is an error here.

use super::check::{Check, Left, Piece, Template};

/// How many characters a check may have.
const LONGEST: usize = 8192;

/// How deep parentheses and `not` may be nested.
const DEEPEST: usize = 32;

/// Reads a check; an empty one lets everybody through.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Check, String> {
    if text.len() > LONGEST {
        return Err(format!("a check has at most {LONGEST} characters"));
    }
    if text.is_empty() {
        return Ok(Check::Always);
    }
    let mut reader = Reader {
        tokens: tokens(text)?,
        at: 0,
        deep: 0,
    };
    let check = reader.any()?;
    match reader.next() {
        None => Ok(check),
        Some(Token::Close) => Err("a `)` closes nothing".to_owned()),
        Some(token) => Err(format!("`and` or `or` is missing before `{token}`")),
    }
}

/// Reads the older form of a check: a list of which one has to be so, each a check or a list of
/// checks that have to be so together.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_lists(any: &[Vec<String>]) -> Result<Check, String> {
    if any.is_empty() {
        return Ok(Check::Always);
    }
    let length: usize = any.iter().flatten().map(String::len).sum();
    if length > LONGEST {
        return Err(format!("a check has at most {LONGEST} characters"));
    }
    let mut parts = Vec::new();
    for all in any.iter().filter(|all| !all.is_empty()) {
        let all = all.iter().map(|text| single(text));
        parts.push(joined(all.collect::<Result<_, _>>()?, Check::All));
    }
    Ok(match parts.is_empty() {
        true => Check::Never,
        false => joined(parts, Check::Any),
    })
}

/// A part of a check's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Check(Check),
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::And => f.write_str("and"),
            Self::Or => f.write_str("or"),
            Self::Not => f.write_str("not"),
            Self::Check(check) => check.fmt(f),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_start_matches('(');
        tokens.extend(vec![Token::Open; word.len() - bare.len()]);
        let inner = bare.trim_end_matches(')');
        match inner.to_ascii_lowercase().as_str() {
            "" => {}
            "and" => tokens.push(Token::And),
            "or" => tokens.push(Token::Or),
            "not" => tokens.push(Token::Not),
            _ => tokens.push(Token::Check(single(inner)?)),
        }
        tokens.extend(vec![Token::Close; bare.len() - inner.len()]);
    }
    Ok(tokens)
}

/// A single check.
fn single(text: &str) -> Result<Check, String> {
    match text {
        "!" => return Ok(Check::Never),
        "@" => return Ok(Check::Always),
        _ => {}
    }
    let shown: String = text.chars().take(80).collect();
    let Some((kind, value)) = text.split_once(':') else {
        return Err(format!("`{shown}` is no check: it has no colon"));
    };
    match kind {
        "" => Err(format!("`{shown}` has nothing before its colon")),
        "http" | "https" => Err(format!(
            "`{shown}` asks a server, which is not done here: have the host decide instead"
        )),
        "rule" if value.is_empty() => Err("`rule:` names no rule".to_owned()),
        "rule" => Ok(Check::Rule(value.to_owned())),
        "role" => Ok(Check::Role(template(value)?)),
        _ => Ok(Check::Same(left(kind)?, template(value)?)),
    }
}

/// What stands before the colon: something literal, as Python writes it, or a name.
fn left(text: &str) -> Result<Left, String> {
    let literal = |value: &str| Ok(Left::Literal(text.to_owned(), value.to_owned()));
    for quote in ['\'', '"'] {
        if let Some(rest) = text.strip_prefix(quote) {
            let inner = rest.strip_suffix(quote);
            let inner = inner.filter(|inner| !inner.contains([quote, '\\']));
            return match inner {
                Some(inner) => literal(inner),
                None => Err(format!("`{text}` is no text in quotation marks")),
            };
        }
    }
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.parse::<i64>() {
            Ok(number) => literal(&number.to_string()),
            Err(_) => Err(format!("`{text}` is too large a number")),
        };
    }
    match text {
        "True" | "False" | "None" => literal(text),
        _ => Ok(Left::Credential(text.to_owned())),
    }
}

/// What stands behind the colon, where `%(NAME)s` is something of the target and `%%` a `%`.
fn template(text: &str) -> Result<Template, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        plain.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            plain.push('%');
            rest = behind;
            continue;
        }
        let named = behind.strip_prefix('(');
        let named = named.and_then(|named| named.split_once(")s"));
        let Some((name, behind)) = named else {
            return Err(format!("`{text}` has a % that begins no %(NAME)s"));
        };
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Target(name.to_owned()));
        rest = behind;
    }
    plain.push_str(rest);
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Template(pieces))
}

/// One part as it is, several as one.
fn joined(mut parts: Vec<Check>, join: fn(Vec<Check>) -> Check) -> Check {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            join(parts)
        }
        (None, _) => Check::Never,
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    deep: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn took(&mut self, token: &Token) -> bool {
        let there = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(there);
        there
    }

    fn any(&mut self) -> Result<Check, String> {
        let mut parts = vec![self.all()?];
        while self.took(&Token::Or) {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Check::Any))
    }

    fn all(&mut self) -> Result<Check, String> {
        let mut parts = vec![self.one()?];
        while self.took(&Token::And) {
            parts.push(self.one()?);
        }
        Ok(joined(parts, Check::All))
    }

    fn one(&mut self) -> Result<Check, String> {
        self.deep += 1;
        if self.deep > DEEPEST {
            return Err(format!("a check is nested at most {DEEPEST} deep"));
        }
        let check = match self.next() {
            Some(Token::Check(check)) => check,
            Some(Token::Not) => Check::Not(Box::new(self.one()?)),
            Some(Token::Open) => {
                let inner = self.any()?;
                if !self.took(&Token::Close) {
                    return Err("a `(` is not closed".to_owned());
                }
                inner
            }
            Some(token) => return Err(format!("a check is missing before `{token}`")),
            None => return Err("a check is missing at the end".to_owned()),
        };
        self.deep -= 1;
        Ok(check)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DEEPEST, LONGEST, parse, parse_lists};

    #[test]
    fn checks_are_read_by_precedence() {
        for (text, read) in [
            ("", "@"),
            ("@", "@"),
            ("!", "!"),
            ("role:a or role:b and role:c", "role:a or role:b and role:c"),
            (
                "(role:a or role:b) and role:c",
                "(role:a or role:b) and role:c",
            ),
            ("not role:a AND role:b", "not role:a and role:b"),
            ("not (role:a and role:b)", "not (role:a and role:b)"),
            ("not not role:a", "not not role:a"),
            ("((role:a))", "role:a"),
            ("( role:a ) or\trole:b", "role:a or role:b"),
            ("'a':%(x)s and True:b", "'a':%(x)s and True:b"),
            (
                "project_id:x%%%(node.owner)s",
                "project_id:x%%%(node.owner)s",
            ),
            ("rule:admin_api", "rule:admin_api"),
            ("user_id:", "user_id:"),
        ] {
            let check = parse(text);
            assert_eq!(
                check.map(|check| check.to_string()).as_deref(),
                Ok(read),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, told) in [
            ("role", "no colon"),
            ("role:a role:b", "`and` or `or` is missing before `role:b`"),
            ("role:a and", "missing at the end"),
            ("or role:a", "missing before `or`"),
            ("(role:a", "not closed"),
            ("role:a)", "closes nothing"),
            ("()", "missing before `)`"),
            (" ", "missing at the end"),
            ("http://h/x", "asks a server"),
            ("rule:", "names no rule"),
            ("a:%(x)d", "begins no %(NAME)s"),
            ("a:50%", "begins no %(NAME)s"),
            ("'a:b", "no text in quotation marks"),
            (":a", "nothing before its colon"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.contains(told), "{text:?}: {wrong}");
        }
        assert!(
            parse(&"(".repeat(DEEPEST + 1))
                .unwrap_err()
                .contains("deep")
        );
        assert!(
            parse(&"not ".repeat(LONGEST / 4))
                .unwrap_err()
                .contains("deep")
        );
        assert!(
            parse(&"x".repeat(LONGEST + 1))
                .unwrap_err()
                .contains("most")
        );
    }

    #[test]
    fn lists_are_an_older_form() {
        let lists = |lists: &[&[&str]]| {
            let lists: Vec<Vec<String>> = lists
                .iter()
                .map(|all| all.iter().map(|text| (*text).to_owned()).collect())
                .collect();
            parse_lists(&lists).unwrap().to_string()
        };
        assert_eq!(lists(&[]), "@");
        assert_eq!(lists(&[&[]]), "!");
        assert_eq!(lists(&[&["role:a"]]), "role:a");
        assert_eq!(
            lists(&[&["role:a", "role:b"], &["@"]]),
            "role:a and role:b or @"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_was_read_is_read_again(
            text in "((not |\\(|role:a |and |or |\\)|x:%\\(y\\)s |! |@ ){0,20})"
        ) {
            if let Ok(check) = parse(&text) {
                let written = check.to_string();
                prop_assert_eq!(parse(&written).map(|again| again.to_string()), Ok(written));
            }
        }
    }
}
