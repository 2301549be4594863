//! JSON as the original's tool lays it out: a space after each comma and colon, ASCII only.

use std::io;

use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// The value's text. Equal values give equal texts.
pub(super) fn to_text(value: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    // Writing a `Value` to memory has no way to fail.
    let _ = serde::Serialize::serialize(value, &mut Serializer::with_formatter(&mut text, Spaced));
    text
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        for part in text.split_inclusive(|c| !matches!(c, ' '..='~')) {
            let end = part.chars().next_back().filter(|c| !matches!(c, ' '..='~'));
            let plain = part.len() - end.map_or(0, char::len_utf8);
            out.write_all(part.as_bytes().get(..plain).unwrap_or_default())?;
            for unit in end
                .iter()
                .flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec())
            {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        // The shortest digits that read back as the same number, with an exponent where the decimal
        // point would stand more than 16 places right or 4 left of the first.
        let scientific = format!("{value:e}");
        match scientific
            .split_once('e')
            .map(|(digits, exponent)| (digits, exponent.parse::<i32>()))
        {
            Some((digits, Ok(exponent))) if !(-4..16).contains(&exponent) => {
                let sign = if exponent < 0 { '-' } else { '+' };
                write!(out, "{digits}e{sign}{:02}", exponent.unsigned_abs())
            }
            _ => write!(out, "{value:?}"),
        }
    }
}

fn separate<W: ?Sized + io::Write>(out: &mut W, first: bool) -> io::Result<()> {
    if first { Ok(()) } else { out.write_all(b", ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn layout_of_the_original() {
        let cases = [
            (json!({}), "{}"),
            (json!([]), "[]"),
            (
                json!({"a": 1, "b": [2, {"c": null}]}),
                r#"{"a": 1, "b": [2, {"c": null}]}"#,
            ),
            (json!("é☃🦀"), r#""\u00e9\u2603\ud83e\udd80""#),
            (
                json!("\"\\/\n\t\u{8}\u{c}\r\u{1}\u{7f}~"),
                r#""\"\\/\n\t\b\f\r\u0001\u007f~""#,
            ),
            (
                json!([true, false, -1, u64::MAX]),
                "[true, false, -1, 18446744073709551615]",
            ),
            (
                json!([1.0, 2.5, -0.0, 1e15, 1.5e16, 0.0001, 0.00001, 1e-10]),
                "[1.0, 2.5, -0.0, 1000000000000000.0, 1.5e+16, 0.0001, 1e-05, 1e-10]",
            ),
            (
                json!([1e100, 1e16, 123456789012345680.0]),
                "[1e+100, 1e+16, 1.2345678901234568e+17]",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(String::from_utf8(to_text(&value)).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn text_reads_back(text in "\\PC*", control in "[\\x00-\\x7f]*", number: i64) {
            let value = json!({text.clone(): [control, number, {"k": text}]});
            let written = to_text(&value);
            prop_assert!(written.is_ascii());
            prop_assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), value);
        }
    }
}
