use crate::Error;

/// Parameters of a kernel as an operator writes them, with the quoting of a POSIX shell: each
/// with its value, if it has one, a later one in the place of an earlier.
///
/// # Errors
/// [`Error::InvalidParameter`] when a quotation does not end, or nothing follows a backslash.
pub fn parse_kernel_params(text: &str) -> Result<Vec<(String, Option<String>)>, Error> {
    let mut params: Vec<(String, Option<String>)> = Vec::new();
    for word in words(text)? {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        match params.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => params.push((name, value)),
        }
    }
    Ok(params)
}

/// Splits a text as a shell does that knows of quotes and backslashes and of nothing else (POSIX
/// Shell Command Language §2.2).
fn words(text: &str) -> Result<Vec<String>, Error> {
    let open = |what: &str| Error::invalid(format!("the kernel parameters end within {what}"));
    let mut words = Vec::new();
    // None between words, so that an empty quotation is a word.
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                quotation(c, &mut rest, word).ok_or_else(|| open("a quotation"))?;
            }
            '\\' => {
                let next = rest.next().ok_or_else(|| open("an escape"))?;
                word.get_or_insert_default().push(next);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads to the quote that ends it; none when it does not end. In double quotes a backslash
/// protects those and itself.
fn quotation(quote: char, rest: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match rest.next()? {
            c if c == quote => return Some(()),
            '\\' if quote == '"' => {
                let next = rest.next()?;
                if next != '\\' && next != '"' {
                    word.push('\\');
                }
                word.push(next);
            }
            other => word.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse_kernel_params;

    type Param<'a> = (&'a str, Option<&'a str>);

    #[test]
    fn parameters_are_split_as_a_shell_splits_words() {
        let cases: [(&str, &[Param<'_>]); 8] = [
            ("", &[]),
            (" a\t b=1\n", &[("a", None), ("b", Some("1"))]),
            ("a=1 b a=2 b=", &[("a", Some("2")), ("b", Some(""))]),
            ("a='x \\y'\"z\"", &[("a", Some("x \\yz"))]),
            (
                r#"a="\"\\\n" b\ c"#,
                &[("a", Some(r#""\\n"#)), ("b c", None)],
            ),
            ("'' =", &[("", Some(""))]),
            ("a==b #c", &[("a", Some("=b")), ("#c", None)]),
            ("a\u{a0}b", &[("a\u{a0}b", None)]),
        ];
        for (text, expected) in cases {
            let params = parse_kernel_params(text).unwrap();
            let params: Vec<_> = params
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_deref()))
                .collect();
            assert_eq!(params, expected, "{text}");
        }
        for open in ["a='b", "\"a", "a\\", "\"a\\", "\"a\\\""] {
            assert!(parse_kernel_params(open).is_err(), "{open}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = parse_kernel_params(&text);
        }
    }
}
