use std::fmt;

use super::Tree;

/// Which of an image's names for its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Naming {
    /// Those of the Rock Ridge extension: POSIX names.
    RockRidge,
    /// Those of the Joliet extension: up to 64 characters of UCS-2.
    Joliet,
    /// The bare identifiers of ISO 9660, without version and without a dot that ends them.
    Plain,
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RockRidge => "Rock Ridge",
            Self::Joliet => "Joliet",
            Self::Plain => "ISO 9660",
        })
    }
}

/// A version of the Rock Ridge Interchange Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RockRidge {
    /// 1.09 of 1991.
    V1_09,
    /// 1.12 of 1994, whose "PX" fields have a serial number.
    V1_12,
}

impl fmt::Display for RockRidge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_09 => "1.09",
            Self::V1_12 => "1.12",
        })
    }
}

/// What an image holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    pub(super) label: String,
    pub(super) publisher: String,
    pub(super) naming: Naming,
    pub(super) joliet: bool,
    pub(super) rock_ridge: Option<RockRidge>,
    pub(super) tree: Tree,
}

impl Volume {
    /// The volume's label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The volume's publisher.
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// By which names the tree was read.
    pub fn naming(&self) -> Naming {
        self.naming
    }

    /// Whether the image has Joliet names.
    pub fn has_joliet(&self) -> bool {
        self.joliet
    }

    /// The version of Rock Ridge that the image uses, if any.
    pub fn rock_ridge(&self) -> Option<RockRidge> {
        self.rock_ridge
    }

    /// The files and directories.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The files and directories, without the rest.
    pub fn into_tree(self) -> Tree {
        self.tree
    }
}
