//! The walk of a reader over an image's directories.

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::blocks::{Blocks, MALFORMED_DIRECTORY, Place, Record, records, self_record};
use super::{Naming, ReadError, Reader, SECTOR, Tree, TreeError};

/// Flags of a record that make it more than a file or a directory (ECMA-119 §9.1.6).
const FLAG_ASSOCIATED: u8 = 0x04;
const FLAG_MORE_EXTENTS: u8 = 0x80;

/// A walk over all directories of one of the image's trees.
pub(super) struct Walk<'a, 'b> {
    blocks: &'b Blocks<'a>,
    naming: Naming,
    /// Bytes before a record's first system use field.
    skip: usize,
    limits: &'b Reader,
    /// Sectors of the directories met so far: one that comes again would make the tree endless.
    seen: BTreeSet<u32>,
    entries: usize,
    content: u64,
    tree: Tree,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(
        blocks: &'b Blocks<'a>,
        naming: Naming,
        skip: u8,
        limits: &'b Reader,
    ) -> Self {
        Self {
            blocks,
            naming,
            skip: skip.into(),
            limits,
            seen: BTreeSet::new(),
            entries: 0,
            content: 0,
            tree: Tree::new(),
        }
    }

    pub(super) fn run(mut self, root: Place) -> Result<Tree, ReadError> {
        let mut waiting = vec![(String::new(), root)];
        while let Some((path, place)) = waiting.pop() {
            if !self.seen.insert(place.0) {
                return Err(MALFORMED_DIRECTORY);
            }
            for record in records(self.blocks, place)? {
                let record = record?;
                // The first two are the directory itself and its parent (ECMA-119 §6.8.2.2).
                if matches!(record.identifier, [0 | 1]) {
                    continue;
                }
                if let Some(directory) = self.visit(&path, &record)? {
                    waiting.push(directory);
                }
            }
        }
        Ok(self.tree)
    }

    /// Adds a file or directory to the tree; a directory comes back to be walked in its turn.
    fn visit(
        &mut self,
        parent: &str,
        record: &Record<'_>,
    ) -> Result<Option<(String, Place)>, ReadError> {
        self.entries += 1;
        if self.entries > self.limits.max_entries {
            let limit = self.limits.max_entries as u64;
            return Err(ReadError::TooLarge {
                what: "files and directories",
                limit,
            });
        }
        let attributes = match self.naming {
            Naming::RockRidge => Attributes::read(
                record.system_use.get(self.skip..).unwrap_or_default(),
                self.blocks,
            )?,
            _ => Attributes::default(),
        };
        if attributes.special || attributes.relocated || record.flags & FLAG_ASSOCIATED != 0 {
            return Ok(None);
        }
        let name = self.name(record, attributes.name)?;
        let path = if parent.is_empty() {
            name
        } else {
            format!("{parent}/{name}")
        };
        if let Some(sector) = attributes.child {
            let moved = self_record(
                self.blocks,
                (sector, u32::try_from(SECTOR).unwrap_or(u32::MAX)),
            )?;
            self.tree.insert_directory(&path)?;
            return Ok(Some((path, (sector, moved.length))));
        }
        if record.is_directory() {
            self.tree.insert_directory(&path)?;
            return Ok(Some((path, (record.sector, record.length))));
        }
        let content = self.content(record)?;
        self.tree.insert(&path, content)?;
        Ok(None)
    }

    fn content(&mut self, record: &Record<'_>) -> Result<Vec<u8>, ReadError> {
        if record.interleaved {
            return Err(ReadError::Unsupported {
                what: "interleaved files",
            });
        }
        if record.flags & FLAG_MORE_EXTENTS != 0 {
            return Err(ReadError::Unsupported {
                what: "files of several extents",
            });
        }
        let length = u64::from(record.length);
        self.content += length;
        if self.content > self.limits.max_content {
            return Err(ReadError::TooLarge {
                what: "bytes in files",
                limit: self.limits.max_content,
            });
        }
        if length == 0 {
            return Ok(Vec::new());
        }
        let content = self.blocks.bytes(record.sector, 0, length);
        content
            .map(<[u8]>::to_vec)
            .ok_or(ReadError::Malformed { what: "file" })
    }

    fn name(&self, record: &Record<'_>, posix: Option<Vec<u8>>) -> Result<String, ReadError> {
        let name = match (self.naming, posix) {
            (Naming::Joliet, _) => from_ucs2(record.identifier),
            (Naming::RockRidge, Some(name)) => String::from_utf8(name).ok(),
            _ => String::from_utf8(record.identifier.to_vec()).ok(),
        };
        let name = name.ok_or(ReadError::Malformed { what: "file name" })?;
        let name = match self.naming {
            Naming::RockRidge => name.as_str(),
            _ => without_version(
                &name,
                !record.is_directory() && self.naming == Naming::Plain,
            ),
        };
        // A "/" in a name would be taken for a path.
        if name.contains('/') {
            return Err(TreeError::InvalidName {
                path: name.to_owned(),
            }
            .into());
        }
        Ok(name.to_owned())
    }
}

/// A name without its version and, where `dot` says so, without the dot of an empty extension.
fn without_version(name: &str, dot: bool) -> &str {
    let bare = match name.rsplit_once(';') {
        Some((bare, version))
            if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            bare
        }
        _ => name,
    };
    if dot {
        bare.strip_suffix('.').unwrap_or(bare)
    } else {
        bare
    }
}

fn from_ucs2(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit)))
        .collect::<Result<_, _>>()
        .ok()
}
