use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::TreeError;

/// Files and directories by path.
///
/// Paths are separated by `/` and always start at the root; a leading `/` makes no difference. What
/// is in between exists as soon as a file is inserted.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
}

impl Tree {
    /// The most components that a path may have.
    pub const MAX_DEPTH: usize = 64;

    /// The most bytes that a component of a path may have.
    pub const MAX_NAME: usize = 255;

    /// A tree of nothing but its root.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and the directories above it.
    ///
    /// # Errors
    ///
    /// [`TreeError`] if the path is no path or taken.
    pub fn insert(&mut self, path: &str, content: impl Into<Vec<u8>>) -> Result<(), TreeError> {
        let path = checked(path)?;
        self.claim_parents(path)?;
        if self.files.contains_key(path) || self.directories.contains(path) {
            return Err(TreeError::Duplicate {
                path: path.to_owned(),
            });
        }
        self.files.insert(path.to_owned(), content.into());
        Ok(())
    }

    /// Adds a file as [`insert`](Self::insert) does, in place of the file that is there, if any.
    ///
    /// # Errors
    ///
    /// [`TreeError`] if the path is no path, or is or leads through something else than it needs to be.
    pub fn replace(&mut self, path: &str, content: impl Into<Vec<u8>>) -> Result<(), TreeError> {
        match self.files.get_mut(path.strip_prefix('/').unwrap_or(path)) {
            Some(there) => {
                *there = content.into();
                Ok(())
            }
            None => self.insert(path, content),
        }
    }

    /// Adds a directory and those above it; one that is there already is no error.
    ///
    /// # Errors
    ///
    /// [`TreeError`] if the path is no path or a file.
    pub fn insert_directory(&mut self, path: &str) -> Result<(), TreeError> {
        let path = checked(path)?;
        self.claim_parents(path)?;
        self.claim_directory(path)
    }

    /// A file's content.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files
            .get(path.strip_prefix('/').unwrap_or(path))
            .map(Vec::as_slice)
    }

    /// All files by path, in the order of their paths; paths come without a leading `/`.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// All directories but the root, in the order of their paths, so that each comes after those above it.
    pub fn directories(&self) -> impl ExactSizeIterator<Item = &str> {
        self.directories.iter().map(String::as_str)
    }

    fn claim_parents(&mut self, path: &str) -> Result<(), TreeError> {
        for (end, _) in path.match_indices('/') {
            if let Some(parent) = path.get(..end) {
                self.claim_directory(parent)?;
            }
        }
        Ok(())
    }

    fn claim_directory(&mut self, path: &str) -> Result<(), TreeError> {
        if self.files.contains_key(path) {
            return Err(TreeError::Duplicate {
                path: path.to_owned(),
            });
        }
        if !self.directories.contains(path) {
            self.directories.insert(path.to_owned());
        }
        Ok(())
    }
}

/// Paths and sizes only: contents may be secret.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self
            .files
            .iter()
            .map(|(path, content)| (path, content.len()));
        f.debug_map()
            .entries(self.directories.iter().map(|path| (path, "directory")))
            .entries(files)
            .finish()
    }
}

/// The path without its leading `/`, each of its components a name.
fn checked(path: &str) -> Result<&str, TreeError> {
    let relative = path.strip_prefix('/').unwrap_or(path);
    if relative.split('/').take(Tree::MAX_DEPTH + 1).count() > Tree::MAX_DEPTH {
        return Err(TreeError::TooDeep);
    }
    if relative.split('/').all(is_name) {
        Ok(relative)
    } else {
        Err(TreeError::InvalidName {
            path: path.chars().take(Tree::MAX_NAME).collect(),
        })
    }
}

fn is_name(component: &str) -> bool {
    !matches!(component, "" | "." | "..")
        && component.len() <= Tree::MAX_NAME
        && !component.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_into_being_and_lead_their_children() {
        let mut tree = Tree::new();
        tree.insert("/a/b/c", "x").unwrap();
        tree.insert("a/d", "y").unwrap();
        tree.insert_directory("e").unwrap();
        tree.insert_directory("a").unwrap();
        assert_eq!(tree.directories().collect::<Vec<_>>(), ["a", "a/b", "e"]);
        assert_eq!(
            tree.files().collect::<Vec<_>>(),
            [("a/b/c", &b"x"[..]), ("a/d", b"y")]
        );
        assert_eq!(tree.get("/a/b/c"), tree.get("a/b/c"));
    }

    #[test]
    fn a_path_is_taken_once() {
        let mut tree = Tree::new();
        tree.insert("a/b", "").unwrap();
        for path in ["a/b", "a", "a/b/c"] {
            assert!(
                matches!(tree.insert(path, ""), Err(TreeError::Duplicate { .. })),
                "{path}"
            );
        }
        assert!(matches!(
            tree.insert_directory("a/b"),
            Err(TreeError::Duplicate { .. })
        ));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in [
            "",
            "/",
            "a//b",
            "a/",
            ".",
            "..",
            "a/../b",
            "a\0b",
            &"n".repeat(256),
        ] {
            let error = Tree::new().insert(path, "").expect_err(path);
            assert!(matches!(error, TreeError::InvalidName { .. }), "{path}");
        }
        assert_eq!(
            Tree::new().insert(&"a/".repeat(64), ""),
            Err(TreeError::TooDeep)
        );
        assert_eq!(Tree::new().insert(&["a"; 64].join("/"), ""), Ok(()));
    }

    #[test]
    fn contents_do_not_print() {
        let mut tree = Tree::new();
        tree.insert("d/user_data", "hunter2").unwrap();
        assert_eq!(
            format!("{tree:?}"),
            r#"{"d": "directory", "d/user_data": 7}"#
        );
    }
}
