/// The candidate that a name was probably meant to be, if one is near enough: as a rule one typing
/// error for each three characters.
pub(super) fn similar<'a>(name: &str, candidates: &'a [String]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let name = plain(name);
    let most = name.chars().count().div_ceil(3).min(3);
    let near = candidates.iter().filter_map(|candidate| {
        let distance = distance(&name, &plain(candidate));
        (distance <= most).then_some((distance, candidate.as_str()))
    });
    near.min().map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, dropped, replaced or swapped with their neighbour to make
/// one text of the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // Names are short; hostile ones are not compared at length.
    if from.len() > 64 || to.len() > 64 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut above = None;
    for (row, a) in from.chars().enumerate() {
        let mut next = vec![row + 1];
        let mut left = row + 1;
        let mut beside = None;
        for (at, b) in to.iter().copied().enumerate() {
            let get = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX);
            let replaced = get(&last, at) + usize::from(a != b);
            let mut best = replaced.min(get(&last, at + 1) + 1).min(left + 1);
            if above == Some(b) && beside == Some(a) && at > 0 {
                best = best.min(get(&before, at - 1) + 1);
            }
            next.push(best);
            left = best;
            beside = Some(b);
        }
        above = Some(a);
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{distance, similar};

    #[test]
    fn typing_errors_are_found_out() {
        let names = ["fake-hardware", "ipmi", "redfish"].map(str::to_owned);
        for (name, meant) in [
            ("impi", Some("ipmi")),
            ("IPMI", Some("ipmi")),
            ("ipmitool", None),
            ("fake_hardware", Some("fake-hardware")),
            ("redfihs", Some("redfish")),
            ("redfis", Some("redfish")),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(similar(name, &names), meant, "{name}");
        }
        for (from, to, far) in [
            ("ab", "ba", 1),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(from, to), far, "{from} {to}");
        }
    }

    proptest! {
        #[test]
        fn the_way_back_is_as_far(a in "[abc-]{0,8}", b in "[abc-]{0,8}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert!(distance(&a, &b) <= a.len().max(b.len()));
        }
    }
}
