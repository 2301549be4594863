/// A part of a file that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// These bytes, first and last.
    Bytes(u64, u64),
    /// Bytes that the file does not have.
    Unsatisfiable,
}

/// Reads a `Range` header (RFC 9110 §14.2).
///
/// A header that is malformed, of another unit or of several ranges is passed over, which the RFC
/// leaves to servers: the answer is the whole file.
pub(crate) fn part(header: Option<&str>, size: u64) -> Part {
    let Some(ranges) = header.and_then(|header| header.strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = ranges.trim().split_once('-') else {
        return Part::Whole;
    };
    let end = size.saturating_sub(1);
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Part::Whole,
        (Some(first), _) if last.is_empty() || number(last).is_some() => {
            let last = number(last).unwrap_or(end).min(end);
            if first < size {
                Part::Bytes(first, last)
            } else {
                Part::Unsatisfiable
            }
        }
        (None, Some(length)) if first.is_empty() => {
            if length == 0 || size == 0 {
                Part::Unsatisfiable
            } else {
                Part::Bytes(size.saturating_sub(length), end)
            }
        }
        _ => Part::Whole,
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a number has are more bytes than a file has.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_of_every_form() {
        for (header, expected) in [
            ("bytes=0-0", Part::Bytes(0, 0)),
            ("bytes=2-", Part::Bytes(2, 9)),
            ("bytes=2-99999999999999999999999", Part::Bytes(2, 9)),
            ("bytes=-3", Part::Bytes(7, 9)),
            ("bytes=-30", Part::Bytes(0, 9)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-2", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("items=0-1", Part::Whole),
        ] {
            assert_eq!(part(Some(header), 10), expected, "{header}");
        }
        assert_eq!(part(Some("bytes=0-"), 0), Part::Unsatisfiable);
        assert_eq!(part(None, 0), Part::Whole);
    }

    proptest! {
        #[test]
        fn a_part_lies_in_the_file(header in "bytes=[0-9]{0,4}-[0-9]{0,4}", size in 0u64..5000) {
            if let Part::Bytes(first, last) = part(Some(&header), size) {
                prop_assert!(first <= last && last < size);
            }
        }
    }
}
