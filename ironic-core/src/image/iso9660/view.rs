//! One of an image's two trees: its directories in the order of its path table, and their records.

use super::plan::{Kind, Target, list, plan};
use super::record::{
    Extent, FLAG_DIRECTORY, MAX_RECORD, PARENT, SELF, put_record, record_length, record_start,
};
use super::rock_ridge::{ContinuationArea, Fields, SystemUse};
use super::time::IsoTime;
use super::{SECTOR, Tree, WriteError, sectors};

/// A tree as one of the two volume descriptors sees it.
#[derive(Debug)]
pub(super) struct View {
    /// By level, then by parent, then by identifier (ECMA-119 §6.9.1); the root first.
    directories: Vec<Directory>,
    continuation: ContinuationArea,
    continuation_sector: u32,
}

#[derive(Debug)]
struct Directory {
    identifier: Vec<u8>,
    parent: usize,
    /// Itself, its parent, then its entries in order.
    records: Vec<Record>,
    extent: Extent,
}

#[derive(Debug)]
struct Record {
    identifier: Vec<u8>,
    target: Target,
    system_use: SystemUse,
}

impl Record {
    fn len(&self) -> usize {
        record_length(self.identifier.len()) + self.system_use.len()
    }
}

impl View {
    pub(super) fn new(tree: &Tree, kind: Kind, time: &IsoTime) -> Result<Self, WriteError> {
        let listing = list(tree);
        let planned = plan(&listing, kind)?;
        let mut continuation = ContinuationArea::default();
        let links = |path: &str| {
            let below = listing
                .get(path)
                .map_or(0, |listed| listed.directories.len());
            u32::try_from(2 + below).unwrap_or(u32::MAX)
        };
        let mut system_use = |fields: Fields, identifier: &[u8]| match kind {
            Kind::Primary => fields.place(
                MAX_RECORD - record_length(identifier.len()),
                &mut continuation,
            ),
            Kind::Joliet => SystemUse::empty(),
        };

        let mut directories = Vec::with_capacity(planned.len());
        for (index, directory) in planned.iter().enumerate() {
            let parent_path = planned
                .get(directory.parent)
                .map_or("", |parent| parent.path);
            let own = if index == 0 {
                Fields::of_root(links(directory.path), time)
            } else {
                Fields::of_link(links(directory.path), time)
            };
            let mut records = vec![
                Record {
                    identifier: SELF.to_vec(),
                    target: Target::Directory(index),
                    system_use: system_use(own, SELF),
                },
                Record {
                    identifier: PARENT.to_vec(),
                    target: Target::Directory(directory.parent),
                    system_use: system_use(Fields::of_link(links(parent_path), time), PARENT),
                },
            ];
            for entry in &directory.entries {
                let fields = match entry.target {
                    Target::Directory(number) => {
                        let path = planned.get(number).map_or("", |directory| directory.path);
                        Fields::of_directory(entry.name, links(path), time)
                    }
                    Target::File(_) => Fields::of_file(entry.name, time),
                };
                records.push(Record {
                    identifier: entry.identifier.clone(),
                    target: entry.target,
                    system_use: system_use(fields, &entry.identifier),
                });
            }
            directories.push(Directory {
                identifier: directory.identifier.clone(),
                parent: directory.parent,
                records,
                extent: Extent::default(),
            });
        }
        Ok(Self {
            directories,
            continuation,
            continuation_sector: 0,
        })
    }

    /// Gives the directories and the continuation area their places, from `sector` on, and says what comes after.
    pub(super) fn place(&mut self, mut sector: u32) -> u32 {
        let length_of = |directory: &Directory| {
            let end = directory.records.iter().fold(0, |offset, record| {
                record_start(offset, record.len()) + record.len()
            });
            u32::try_from(end.next_multiple_of(SECTOR)).unwrap_or(u32::MAX)
        };
        for directory in &mut self.directories {
            let length = length_of(directory);
            directory.extent = Extent { sector, length };
            sector = sector.saturating_add(sectors_of(length as usize));
        }
        self.continuation_sector = sector;
        sector.saturating_add(sectors_of(self.continuation.bytes().len()))
    }

    /// Where the root directory lies.
    pub(super) fn root(&self) -> Extent {
        self.directories
            .first()
            .map_or(Extent::default(), |root| root.extent)
    }

    /// Identifier, first sector and parent's number (from 1) of each directory, in the path table's order.
    pub(super) fn path_table(&self) -> impl Iterator<Item = (&[u8], u32, u16)> {
        self.directories.iter().map(|directory| {
            let parent = u16::try_from(directory.parent + 1).unwrap_or(u16::MAX);
            (
                directory.identifier.as_slice(),
                directory.extent.sector,
                parent,
            )
        })
    }

    /// Appends the directories and the continuation area, for files that lie at `files`.
    pub(super) fn write(&self, image: &mut Vec<u8>, files: &[Extent], time: &IsoTime) {
        for directory in &self.directories {
            let start = image.len();
            for record in &directory.records {
                let offset = record_start(image.len() - start, record.len());
                image.resize(start + offset, 0);
                let (extent, flags) = match record.target {
                    Target::Directory(number) => (
                        self.directories.get(number).map(|target| target.extent),
                        FLAG_DIRECTORY,
                    ),
                    Target::File(number) => (files.get(number).copied(), 0),
                };
                let system_use = record.system_use.bytes(self.continuation_sector);
                put_record(
                    image,
                    &record.identifier,
                    extent.unwrap_or_default(),
                    flags,
                    time,
                    &system_use,
                );
            }
            image.resize(image.len().next_multiple_of(SECTOR), 0);
        }
        image.extend_from_slice(self.continuation.bytes());
        image.resize(image.len().next_multiple_of(SECTOR), 0);
    }
}

fn sectors_of(bytes: usize) -> u32 {
    u32::try_from(sectors(bytes as u64)).unwrap_or(u32::MAX)
}
