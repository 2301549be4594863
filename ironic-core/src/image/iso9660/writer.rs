use std::collections::BTreeMap;

use super::descriptor::{Places, Texts, put_descriptor, put_terminator};
use super::path_table::{Order, path_table};
use super::plan::Kind;
use super::record::Extent;
use super::time::IsoTime;
use super::view::View;
use super::{FIRST_DESCRIPTOR, SECTOR, Tree, WriteError, sectors};
use crate::runtime::Timestamp;

/// Writes a [`Tree`] as an ISO 9660 image with Joliet and Rock Ridge.
///
/// The same tree, texts and time give the same bytes. Everybody may read the files and nobody may
/// write them; they belong to root and bear the image's time.
#[derive(Debug, Clone)]
#[must_use = "a writer does nothing until write() is called"]
pub struct Writer {
    texts: Texts,
    time: Timestamp,
    max_size: u64,
}

impl Writer {
    /// The default limit on the size of an image: 256 MiB.
    pub const DEFAULT_MAX_SIZE: u64 = 256 << 20;

    /// A writer of volumes called `label`, at most 32 printable ASCII characters, that all bear `time`
    /// (in UTC, to the hundredth of a second at best).
    pub fn new(label: impl Into<String>, time: Timestamp) -> Self {
        let texts = Texts {
            label: label.into(),
            publisher: String::new(),
            application: String::new(),
        };
        Self {
            texts,
            time,
            max_size: Self::DEFAULT_MAX_SIZE,
        }
    }

    /// Names the publisher, at most 128 printable ASCII characters; empty by default.
    pub fn publisher(mut self, publisher: impl Into<String>) -> Self {
        self.texts.publisher = publisher.into();
        self
    }

    /// Names the program that makes the image, at most 128 printable ASCII characters; empty by default.
    pub fn application(mut self, application: impl Into<String>) -> Self {
        self.texts.application = application.into();
        self
    }

    /// Limits the size of the image, in bytes; [`Writer::DEFAULT_MAX_SIZE`] by default.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = bytes;
        self
    }

    /// Writes the image. Its length is a multiple of [`SECTOR`].
    ///
    /// # Errors
    ///
    /// [`WriteError`] if a name, text, time or size does not fit the format or the limit.
    pub fn write(&self, tree: &Tree) -> Result<Vec<u8>, WriteError> {
        self.texts.check()?;
        let time = IsoTime::new(self.time)?;
        // Contents alone first: what is too large is refused before anything is laid out.
        self.check_size(Contents::place(tree, 0)?.end)?;

        let mut views = [
            View::new(tree, Kind::Primary, &time)?,
            View::new(tree, Kind::Joliet, &time)?,
        ];
        let [primary, joliet] = &mut views;
        let mut sector = FIRST_DESCRIPTOR + 3;
        let primary_tables = TablePlaces::new(primary, &mut sector);
        let joliet_tables = TablePlaces::new(joliet, &mut sector);
        sector = primary.place(sector);
        sector = joliet.place(sector);
        let contents = Contents::place(tree, u64::from(sector))?;
        let size = self.check_size(contents.end)?;
        let volume = u32::try_from(contents.end).unwrap_or(u32::MAX);

        let mut image = Vec::with_capacity(size);
        image.resize(FIRST_DESCRIPTOR as usize * SECTOR, 0);
        let trees = [
            (Kind::Primary, &views[0], &primary_tables),
            (Kind::Joliet, &views[1], &joliet_tables),
        ];
        for (kind, view, tables) in trees {
            let places = Places {
                volume,
                table_length: tables.length,
                tables: tables.sectors,
                root: view.root(),
            };
            put_descriptor(&mut image, kind, &self.texts, &places, &time);
        }
        put_terminator(&mut image);
        for view in &views {
            for order in [Order::Little, Order::Big] {
                put_padded(&mut image, &path_table(view, order));
            }
        }
        for view in &views {
            view.write(&mut image, &contents.extents, &time);
        }
        for content in contents.unique {
            put_padded(&mut image, content);
        }
        Ok(image)
    }

    /// The size in bytes of an image of so many sectors.
    fn check_size(&self, sectors: u64) -> Result<usize, WriteError> {
        let size = sectors.saturating_mul(SECTOR as u64);
        // Sectors are numbered in 32 bits (ECMA-119 §8.4.8).
        let limit = self.max_size.min(u64::from(u32::MAX) * SECTOR as u64);
        if size > limit {
            return Err(WriteError::TooLarge { size, limit });
        }
        usize::try_from(size).map_err(|_| WriteError::TooLarge { size, limit })
    }
}

/// Where the two path tables of a view lie.
#[derive(Debug)]
struct TablePlaces {
    length: u32,
    sectors: [u32; 2],
}

impl TablePlaces {
    /// Takes places from `sector` on, which then is what comes after. The length does not depend on
    /// what the tables will say.
    fn new(view: &View, sector: &mut u32) -> Self {
        let length = u32::try_from(path_table(view, Order::Little).len()).unwrap_or(u32::MAX);
        let each = u32::try_from(sectors(u64::from(length))).unwrap_or(u32::MAX);
        let first = *sector;
        *sector = first + 2 * each;
        Self {
            length,
            sectors: [first, first + each],
        }
    }
}

/// Where the files' contents lie.
#[derive(Debug)]
struct Contents<'a> {
    /// Of each file, in the tree's order.
    extents: Vec<Extent>,
    /// Contents in the order of their places, each once.
    unique: Vec<&'a [u8]>,
    /// The first sector after them.
    end: u64,
}

impl<'a> Contents<'a> {
    fn place(tree: &'a Tree, first: u64) -> Result<Self, WriteError> {
        let mut placed: BTreeMap<&[u8], u32> = BTreeMap::new();
        let mut contents = Self {
            extents: Vec::new(),
            unique: Vec::new(),
            end: first,
        };
        for (_, content) in tree.files() {
            let size = content.len() as u64;
            let too_large = WriteError::TooLarge {
                size,
                limit: u64::from(u32::MAX),
            };
            let length = u32::try_from(size).map_err(|_| too_large)?;
            // An empty file has no place; sector 0 says so.
            let sector = match placed.get(content) {
                _ if length == 0 => 0,
                Some(sector) => *sector,
                None => {
                    let sector = u32::try_from(contents.end).unwrap_or(u32::MAX);
                    placed.insert(content, sector);
                    contents.unique.push(content);
                    contents.end += sectors(size);
                    sector
                }
            };
            contents.extents.push(Extent { sector, length });
        }
        Ok(contents)
    }
}

fn put_padded(image: &mut Vec<u8>, bytes: &[u8]) {
    image.extend_from_slice(bytes);
    image.resize(image.len().next_multiple_of(SECTOR), 0);
}
