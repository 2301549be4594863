use std::path::Path;
use std::{fs, io};

/// Puts news into the README of this folder: each between its marks, `<!-- NAME -->` and
/// `<!-- /NAME -->`.
///
/// # Errors
/// The README cannot be read or written, or has no such marks; then it is as it was.
pub fn into_readme(folder: &Path, news: &[(&str, String)]) -> io::Result<()> {
    let readme = folder.join("README.md");
    let mut text = fs::read_to_string(&readme)?;
    for (mark, news) in news {
        let missing = || io::Error::other(format!("the README has no marks {mark:?}"));
        text = between_marks(&text, mark, news).ok_or_else(missing)?;
    }
    fs::write(&readme, text)
}

fn between_marks(text: &str, mark: &str, news: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{news}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::into_readme;

    #[test]
    fn news_stand_between_their_marks_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let readme = folder.path().join("README.md");
        let text = "a\n<!-- x -->\n\nold\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n";
        fs::write(&readme, text).unwrap();
        let news = |x: &str, mark| {
            into_readme(
                folder.path(),
                &[("y", x.to_owned()), (mark, "n".to_owned())],
            )
        };
        assert!(news("1", "z").is_err());
        assert_eq!(fs::read_to_string(&readme).unwrap(), text);
        news("1", "x").unwrap();
        let expected = "a\n<!-- x -->\n\nn\n<!-- /x -->\nb\n<!-- y -->\n\n1\n<!-- /y -->\n";
        assert_eq!(fs::read_to_string(&readme).unwrap(), expected);
    }
}
