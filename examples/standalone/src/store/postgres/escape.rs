//! Text without U+0000, which PostgreSQL has in no text and no JSON.
//!
//! The first four characters, U+0000 to U+0003, become three each: U+0001 and two of U+0002 and
//! U+0003. As these never stand for themselves, and only U+0001 begins what stands for another,
//! escaped text has the order of its bytes, is within other escaped text where the text itself
//! is, and is equal where the text itself is. Nearly all text is its own escape.

use std::borrow::Cow;

const ESCAPES: [&str; 4] = [
    "\u{1}\u{2}\u{2}",
    "\u{1}\u{2}\u{3}",
    "\u{1}\u{3}\u{2}",
    "\u{1}\u{3}\u{3}",
];

/// What stands for a text in the database.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c <= '\u{3}') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match ESCAPES.get(c as usize) {
            Some(escape) => escaped.push_str(escape),
            None => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// The text that another stands for.
pub(super) fn unescape(escaped: &str) -> Cow<'_, str> {
    if !escaped.contains('\u{1}') {
        return Cow::Borrowed(escaped);
    }
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(c) = rest.chars().next() {
        let escapes = (0_u8..).map(char::from).zip(ESCAPES);
        let found = escapes
            .filter_map(|(c, escape)| Some((c, rest.strip_prefix(escape)?)))
            .next();
        let (c, after) = found.unwrap_or((c, rest.get(c.len_utf8()..).unwrap_or_default()));
        text.push(c);
        rest = after;
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_oneof, proptest};

    use super::{escape, unescape};

    /// Much of what matters: the escaped characters and a few others, and anything at all.
    fn text() -> impl Strategy<Value = String> {
        let c = prop_oneof![4 => proptest::char::range('\0', '\u{5}'), 1 => any::<char>()];
        proptest::collection::vec(c, 0..8).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn a_text_comes_back(text in text()) {
            let escaped = escape(&text);
            assert!(!escaped.contains('\0'));
            assert_eq!(unescape(&escaped), text);
        }

        #[test]
        fn the_order_is_that_of_the_bytes(a in text(), b in text()) {
            assert_eq!(escape(&a).as_bytes().cmp(escape(&b).as_bytes()), a.as_bytes().cmp(b.as_bytes()));
        }

        #[test]
        fn a_part_is_a_part(whole in text(), part in text().prop_map(|t| t.chars().take(3).collect::<String>())) {
            assert_eq!(escape(&whole).contains(&*escape(&part)), whole.contains(&part));
        }

        #[test]
        fn anything_can_be_read(text in any::<String>()) {
            unescape(&text);
        }
    }
}
