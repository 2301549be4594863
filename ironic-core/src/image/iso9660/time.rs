//! Dates as ECMA-119 writes them.

use super::WriteError;
use crate::runtime::Timestamp;

/// One time in the two forms that an image needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct IsoTime {
    /// For directory records and Rock Ridge (ECMA-119 §9.1.5), in UTC.
    pub(super) short: [u8; 7],
    /// For volume descriptors (ECMA-119 §8.4.26.1), in UTC.
    pub(super) long: [u8; 17],
}

impl IsoTime {
    /// A date that says that none is given (ECMA-119 §8.4.26.1).
    pub(super) const UNSPECIFIED: [u8; 17] = *b"0000000000000000\0";

    pub(super) fn new(time: Timestamp) -> Result<Self, WriteError> {
        // The text form has the digits of the long form in its order: date, time, fraction.
        let mut long = [0; 17];
        let text = time.to_string();
        for (to, digit) in long
            .iter_mut()
            .take(16)
            .zip(text.bytes().filter(u8::is_ascii_digit))
        {
            *to = digit;
        }
        let number = |from: usize, digits: usize| {
            long.iter()
                .skip(from)
                .take(digits)
                .fold(0u16, |number, digit| number * 10 + u16::from(digit - b'0'))
        };
        let byte = |number: u16| u8::try_from(number).map_err(|_| WriteError::InvalidTime);
        let year = number(0, 4)
            .checked_sub(1900)
            .ok_or(WriteError::InvalidTime)?;
        let short = [
            byte(year)?,
            byte(number(4, 2))?,
            byte(number(6, 2))?,
            byte(number(8, 2))?,
            byte(number(10, 2))?,
            byte(number(12, 2))?,
            0,
        ];
        Ok(Self { short, long })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let time = IsoTime::new("2026-11-22T16:43:58.259Z".parse().unwrap()).unwrap();
        assert_eq!(time.long, *b"2026112216435825\0");
        assert_eq!(time.short, [126, 11, 22, 16, 43, 58, 0]);
    }

    #[test]
    fn years_that_a_byte_can_hold() {
        for (text, fits) in [
            ("1899-12-31T23:59:59Z", false),
            ("1900-01-01T00:00:00Z", true),
            ("2155-12-31T00:00:00Z", true),
            ("2156-01-01T00:00:00Z", false),
        ] {
            assert_eq!(IsoTime::new(text.parse().unwrap()).is_ok(), fits, "{text}");
        }
    }
}
