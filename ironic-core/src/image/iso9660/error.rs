use super::{Naming, Tree};

/// Why a file or directory cannot be part of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// A component of the path is no name.
    #[error("{path:?} has a component that is empty, \".\", \"..\", has a NUL or is too long")]
    InvalidName {
        /// The path as given.
        path: String,
    },
    /// The path has more components than [`Tree::MAX_DEPTH`].
    #[error("a path has more than {} components", Tree::MAX_DEPTH)]
    TooDeep,
    /// The path exists, or what should be a directory on the way to it is a file.
    #[error("{path:?} is there already")]
    Duplicate {
        /// The path that is taken.
        path: String,
    },
}

/// Why a tree cannot be written as an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A name that Joliet cannot hold: longer than 64 UCS-2 characters, or with a character outside
    /// UCS-2, a control character or one of `*`, `:`, `;`, `?` and `\` (Joliet, "Allowed Character Set").
    #[error("the name {name:?} cannot be written to an ISO image")]
    UnsupportedName {
        /// The name.
        name: String,
    },
    /// More levels of directories than ECMA-119 §6.8.2.1 allows: eight, the root among them.
    #[error("{path:?} lies deeper than eight levels")]
    TooDeep {
        /// The directory.
        path: String,
    },
    /// More directories than a path table can number, or too many names that differ only past their
    /// thirtieth character.
    #[error("the tree has too many directories or names too much alike")]
    TooManyEntries,
    /// A file or the image exceeds a limit.
    #[error("the image would have {size} bytes, more than {limit}")]
    TooLarge {
        /// What it would be, in bytes.
        size: u64,
        /// What it may be, in bytes.
        limit: u64,
    },
    /// A text for the volume descriptor is too long or not printable ASCII.
    #[error("the volume's {field} is longer than {limit} characters or not printable ASCII")]
    InvalidField {
        /// Which text.
        field: &'static str,
        /// The field's length.
        limit: usize,
    },
    /// The time lies outside the years 1900 to 2155 (ECMA-119 §9.1.5).
    #[error("the time of the image is not between 1900 and 2155")]
    InvalidTime,
}

/// Why bytes cannot be read as an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no primary volume descriptor.
    #[error("not an ISO 9660 image")]
    NotAnImage,
    /// Something lies outside the image or has an impossible size.
    #[error("the image's {what} is damaged")]
    Malformed {
        /// What was read.
        what: &'static str,
    },
    /// A part of the standard that config drives do not use.
    #[error("the image uses {what}, which is not supported")]
    Unsupported {
        /// The part.
        what: &'static str,
    },
    /// The names asked for are not in the image.
    #[error("the image has no {naming} names")]
    NoSuchNaming {
        /// The names asked for.
        naming: Naming,
    },
    /// The image holds more than the reader was told to accept.
    #[error("the image holds more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A name in the image is not fit for a path.
    #[error(transparent)]
    Tree(#[from] TreeError),
}
