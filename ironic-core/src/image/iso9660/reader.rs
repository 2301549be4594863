use super::attributes::Attributes;
use super::blocks::{Blocks, Place, Record, self_record};
use super::walk::Walk;
use super::{FIRST_DESCRIPTOR, Naming, ReadError, SECTOR, Volume};

/// Most descriptors to look at before the one that ends them.
const MAX_DESCRIPTORS: u32 = 64;

/// Reads ISO 9660 images, by their Rock Ridge names if they have such, else by their Joliet names.
///
/// Links and devices are left out. What an image says is checked against its size and against the
/// reader's limits, so that a hostile one costs no more than an honest one of that size.
#[derive(Debug, Clone)]
#[must_use = "a reader does nothing until read() is called"]
pub struct Reader {
    naming: Option<Naming>,
    pub(super) max_entries: usize,
    pub(super) max_content: u64,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            naming: None,
            max_entries: Self::DEFAULT_MAX_ENTRIES,
            max_content: Self::DEFAULT_MAX_CONTENT,
        }
    }
}

impl Reader {
    /// The default limit on files and directories.
    pub const DEFAULT_MAX_ENTRIES: usize = 65_536;

    /// The default limit on the contents of all files together: 256 MiB. An image can name the same
    /// bytes many times, so its own size is no limit.
    pub const DEFAULT_MAX_CONTENT: u64 = 256 << 20;

    /// A reader with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads by these names only.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = Some(naming);
        self
    }

    /// Limits the number of files and directories.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Limits the contents of all files together, in bytes.
    pub fn max_content(mut self, bytes: u64) -> Self {
        self.max_content = bytes;
        self
    }

    /// Reads an image, which may be followed by other bytes, as on a disk.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the bytes are no image, a damaged one, one that uses parts of the standard
    /// that config drives do not, or one past the limits.
    pub fn read(&self, image: &[u8]) -> Result<Volume, ReadError> {
        let blocks = Blocks(image);
        let (primary, joliet) = descriptors(&blocks)?;
        let own = self_record(&blocks, primary.root)?;
        // Others than Rock Ridge use this area too, so what cannot be read is none of it.
        let attributes = Attributes::read(own.system_use, &blocks).ok();
        let skip = attributes.as_ref().and_then(|attributes| attributes.skip);
        let rock_ridge = attributes
            .filter(|attributes| attributes.skip.is_some())
            .and_then(|read| read.version);
        let naming = match self.naming {
            Some(naming) => naming,
            None if rock_ridge.is_some() => Naming::RockRidge,
            None if joliet.is_some() => Naming::Joliet,
            None => Naming::Plain,
        };
        let root = match (naming, &joliet) {
            (Naming::Joliet, Some(joliet)) => joliet.root,
            (Naming::RockRidge, _) if rock_ridge.is_some() => primary.root,
            (Naming::Plain, _) => primary.root,
            _ => return Err(ReadError::NoSuchNaming { naming }),
        };
        Ok(Volume {
            label: primary.label,
            publisher: primary.publisher,
            naming,
            joliet: joliet.is_some(),
            rock_ridge,
            tree: Walk::new(&blocks, naming, skip.unwrap_or(0), self).run(root)?,
        })
    }
}

/// What a volume descriptor says.
#[derive(Debug)]
struct Descriptor {
    label: String,
    publisher: String,
    root: Place,
}

/// The primary and, if there is one, the Joliet volume descriptor.
fn descriptors(blocks: &Blocks<'_>) -> Result<(Descriptor, Option<Descriptor>), ReadError> {
    let (mut primary, mut joliet) = (None, None);
    for sector in FIRST_DESCRIPTOR..FIRST_DESCRIPTOR + MAX_DESCRIPTORS {
        let Some(bytes) = blocks.bytes(sector, 0, SECTOR as u64) else {
            break;
        };
        let Some((sort, rest)) = bytes
            .split_first()
            .filter(|(_, rest)| rest.starts_with(b"CD001"))
        else {
            break;
        };
        // Level 1, 2 and 3 of UCS-2 (Joliet, "SVD Escape Sequences"); the bit of §8.5.3 would make them another register's.
        let ucs2 = bytes
            .get(88..91)
            .is_some_and(|escape| matches!(escape, b"%/@" | b"%/C" | b"%/E"));
        match sort {
            1 if primary.is_none() => primary = Some(descriptor(bytes)?),
            2 if ucs2 && rest.get(6) == Some(&0) => joliet = Some(descriptor(bytes)?),
            255 => break,
            _ => {}
        }
    }
    primary
        .map(|primary| (primary, joliet))
        .ok_or(ReadError::NotAnImage)
}

fn descriptor(bytes: &[u8]) -> Result<Descriptor, ReadError> {
    let malformed = ReadError::Malformed {
        what: "volume descriptor",
    };
    if bytes.get(128..130) != Some(&[0, 8]) {
        return Err(ReadError::Unsupported {
            what: "logical blocks of other than 2048 bytes",
        });
    }
    let text = |from: usize, length: usize| {
        let bytes = bytes.get(from..from + length).unwrap_or_default();
        String::from_utf8_lossy(bytes)
            .trim_end_matches([' ', '\0'])
            .to_owned()
    };
    let root = bytes
        .get(156..190)
        .and_then(Record::parse)
        .ok_or(malformed)?;
    Ok(Descriptor {
        label: text(40, 32),
        publisher: text(318, 128),
        root: (root.sector, root.length),
    })
}
