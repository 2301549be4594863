use super::FileError;

const LONGEST_PATH: usize = 1024;

/// Splits a path into names that stay below the root it is relative to.
///
/// Slashes at the start or in a row count as one. What could mean something else to a file system
/// is refused: `..`, control characters, backslashes.
pub(crate) fn names(path: &str) -> Result<Vec<&str>, FileError> {
    let strange = |c: char| c == '\\' || c.is_control();
    if path.len() > LONGEST_PATH || path.contains(strange) {
        return Err(FileError::Forbidden);
    }
    let names: Vec<&str> = path
        .split('/')
        .filter(|name| !name.is_empty() && *name != ".")
        .collect();
    if names.contains(&"..") {
        return Err(FileError::Forbidden);
    }
    if names.is_empty() {
        return Err(FileError::NotFound);
    }
    Ok(names)
}

/// Resolves a link's target against the folder of the link, within the root.
pub(crate) fn resolve(link: &str, target: &str) -> Result<String, FileError> {
    if target.starts_with('/') {
        return Err(FileError::Forbidden);
    }
    let mut names: Vec<&str> = link.split('/').collect();
    names.pop();
    for name in target
        .split('/')
        .filter(|name| !name.is_empty() && *name != ".")
    {
        if name != ".." {
            names.push(name);
        } else if names.pop().is_none() {
            return Err(FileError::Forbidden);
        }
    }
    Ok(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        for (path, expected) in [
            ("a/b", Some(vec!["a", "b"])),
            ("/a//./b/", Some(vec!["a", "b"])),
            ("a/..b", Some(vec!["a", "..b"])),
            ("../a", None),
            ("a/../../b", None),
            ("a\0b", None),
            ("a\\..\\b", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(names(path).ok(), expected, "{path:?}");
        }
    }

    #[test]
    fn links_stay_below_the_root() {
        assert_eq!(resolve("cfg/mac", "../u/config").unwrap(), "u/config");
        assert_eq!(resolve("mac", "u/config").unwrap(), "u/config");
        assert!(resolve("cfg/mac", "../../etc").is_err());
        assert!(resolve("mac", "/etc/passwd").is_err());
    }
}
