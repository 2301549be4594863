//! What goes where in one of an image's two trees, before anything has a place.

use std::collections::BTreeMap;

use super::names::{Identifier, PrimaryNames, Sort, joliet};
use super::record::SELF;
use super::{Tree, WriteError};

/// Most levels of directories, the root among them (ECMA-119 §6.8.2.1).
const MAX_LEVELS: usize = 8;

/// Which of the two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Short names, with Rock Ridge.
    Primary,
    /// Names in UCS-2.
    Joliet,
}

/// What a record stands for: the number of a directory in the view or of a file in the tree.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Directory(usize),
    File(usize),
}

/// What lies directly in a directory: subdirectories by path, files by path and number.
#[derive(Debug, Default)]
pub(super) struct Listed<'a> {
    pub(super) directories: Vec<&'a str>,
    files: Vec<(&'a str, usize)>,
}

pub(super) fn list(tree: &Tree) -> BTreeMap<&str, Listed<'_>> {
    let mut listing: BTreeMap<&str, Listed<'_>> = BTreeMap::new();
    for path in tree.directories() {
        listing
            .entry(parent_of(path))
            .or_default()
            .directories
            .push(path);
    }
    for (number, (path, _)) in tree.files().enumerate() {
        listing
            .entry(parent_of(path))
            .or_default()
            .files
            .push((path, number));
    }
    listing
}

fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A directory with the identifiers of its entries, before Rock Ridge.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) path: &'a str,
    level: usize,
    pub(super) parent: usize,
    pub(super) identifier: Vec<u8>,
    pub(super) entries: Vec<PlannedEntry<'a>>,
}

#[derive(Debug)]
pub(super) struct PlannedEntry<'a> {
    pub(super) name: &'a str,
    pub(super) identifier: Vec<u8>,
    pub(super) target: Target,
}

/// All directories, level by level: the order of the path table.
pub(super) fn plan<'a>(
    listing: &BTreeMap<&'a str, Listed<'a>>,
    kind: Kind,
) -> Result<Vec<Planned<'a>>, WriteError> {
    let root = Planned {
        path: "",
        level: 1,
        parent: 0,
        identifier: SELF.to_vec(),
        entries: Vec::new(),
    };
    let mut planned = vec![root];
    let mut index = 0;
    while let Some((path, level)) = planned
        .get(index)
        .map(|directory| (directory.path, directory.level))
    {
        let mut entries = Vec::new();
        for Identified {
            identifier,
            path,
            file,
        } in identified(listing.get(path), kind)?
        {
            let name = name_of(path);
            let target = match file {
                Some(number) => Target::File(number),
                None => Target::Directory(planned.len()),
            };
            if file.is_none() {
                if level == MAX_LEVELS {
                    return Err(WriteError::TooDeep {
                        path: path.to_owned(),
                    });
                }
                let identifier = identifier.bytes.clone();
                planned.push(Planned {
                    path,
                    level: level + 1,
                    parent: index,
                    identifier,
                    entries: Vec::new(),
                });
            }
            entries.push(PlannedEntry {
                name,
                identifier: identifier.bytes,
                target,
            });
        }
        if let Some(directory) = planned.get_mut(index) {
            directory.entries = entries;
        }
        index += 1;
    }
    if planned.len() > usize::from(u16::MAX) {
        return Err(WriteError::TooManyEntries);
    }
    Ok(planned)
}

/// An entry of a directory with its identifier; a file comes with its number.
struct Identified<'a> {
    identifier: Identifier,
    path: &'a str,
    file: Option<usize>,
}

/// Entries of a directory in the order of their identifiers.
fn identified<'a>(
    listed: Option<&Listed<'a>>,
    kind: Kind,
) -> Result<Vec<Identified<'a>>, WriteError> {
    let Some(listed) = listed else {
        return Ok(Vec::new());
    };
    let directories = listed.directories.iter().map(|path| (*path, None));
    let files = listed
        .files
        .iter()
        .map(|(path, number)| (*path, Some(*number)));
    let mut primary = PrimaryNames::default();
    let mut entries = Vec::with_capacity(listed.directories.len() + listed.files.len());
    for (path, file) in directories.chain(files) {
        let sort = if file.is_some() {
            Sort::File
        } else {
            Sort::Directory
        };
        let identifier = match kind {
            Kind::Primary => primary.identifier(name_of(path), sort)?,
            Kind::Joliet => joliet(name_of(path), sort)?,
        };
        entries.push(Identified {
            identifier,
            path,
            file,
        });
    }
    entries.sort_by(|a, b| a.identifier.order.cmp(&b.identifier.order));
    Ok(entries)
}
