//! What to say of a key that there is not: which one may have been meant.

/// The part of a settings file's error that names an unknown key, put into words that help.
/// `text` is the file, `at` the place of the key in it. `None` for errors of other sorts.
pub(super) fn explained(text: &str, at: usize, message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    // The names of what there is stand in backquotes, each after an even number of them.
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let before = text.get(..at)?;
    let line = before.matches('\n').count() + 1;
    let nearest = nearest(key, known.iter().copied());
    let (what, meant) = match section(text, at) {
        Some(section) => (
            format!("unknown key `{key}` in [{section}]"),
            nearest.map(|name| format!("`{name}`")),
        ),
        None => (
            format!("unknown section [{key}]"),
            nearest.map(|name| format!("[{name}]")),
        ),
    };
    Some(match meant {
        Some(meant) => format!("line {line}: {what}; did you mean {meant}?"),
        None if known.is_empty() => format!("line {line}: {what}"),
        None => format!("line {line}: {what}; there are {}", known.join(", ")),
    })
}

/// The section in which a place is: none for a place in the line that begins one.
fn section(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let line = before.rsplit('\n').next()?.trim();
    if line.starts_with('[') {
        return None;
    }
    // A key may bring its section along: `conductor.host`.
    if let Some(section) = line.strip_suffix('.') {
        return Some(section.trim_end());
    }
    let headers = before.lines().map(str::trim).rev();
    headers
        .filter_map(|line| line.strip_prefix('[')?.split_once(']'))
        .map(|(name, _)| name.trim())
        .next()
}

/// The name that is most like another, if one is like it at all: a third of it may be wrong.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (wrong.chars().count() / 3).max(2);
    known
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// How many letters have to be changed, added, removed or swapped with their neighbour to make one
/// word of another (the optimal string alignment distance).
fn distance(from: &str, to: &str) -> usize {
    // A key is short; of what is not, the beginning tells enough.
    let letters = |text: &str| text.chars().take(64).collect::<Vec<_>>();
    let (from, to) = (letters(from), letters(to));
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&row, j) + usize::from(a != b);
            let mut least = changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && from.get(i - 1) == Some(b) && to.get(j - 1) == Some(a);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn words_are_so_far_apart() {
        for (from, to, wanted) in [
            ("", "", 0),
            ("host", "host", 0),
            ("hots", "host", 1),
            ("hst", "host", 1),
            ("hosts", "host", 1),
            ("", "host", 4),
            ("max_concurent_deploy", "max_concurrent_deploy", 1),
        ] {
            assert_eq!(distance(from, to), wanted, "{from} {to}");
            assert_eq!(distance(to, from), wanted, "{to} {from}");
        }
    }

    #[test]
    fn only_what_is_like_it_is_proposed() {
        let known = ["host", "api_url", "workers"];
        assert_eq!(nearest("hots", known.into_iter()), Some("host"));
        assert_eq!(nearest("worker", known.into_iter()), Some("workers"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }
}
