//! Rock Ridge as it is written: RRIP 1.09 over SUSP 1.09, what `genisoimage -r` writes.

use super::SECTOR;
use super::record::put_u32;
use super::time::IsoTime;

/// What the extension calls itself (RRIP §4.3).
const EXTENSION_ID: &[u8] = b"RRIP_1991A";
const EXTENSION_DESCRIPTION: &[u8] =
    b"THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS";
const EXTENSION_SOURCE: &[u8] = b"PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  \
SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.";

/// POSIX modes: everybody reads, nobody writes.
const MODE_FILE: u32 = 0o100_444;
const MODE_DIRECTORY: u32 = 0o040_555;

/// Length of a "CE" field (SUSP §5.1).
const CONTINUATION_FIELD: usize = 28;

/// The fields of one record, in order.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<Vec<u8>>);

impl Fields {
    /// Fields of the root's record of itself, where readers look for the extension (SUSP §5.3, §5.5).
    pub(super) fn of_root(links: u32, time: &IsoTime) -> Self {
        let mut fields = Self::default();
        fields.push(b"SP", &[0xbe, 0xef, 0]);
        fields.push_attributes(0x81, None, MODE_DIRECTORY, links, time);
        let mut extension = Vec::new();
        for text in [EXTENSION_ID, EXTENSION_DESCRIPTION, EXTENSION_SOURCE] {
            extension.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        }
        extension.push(1);
        extension.extend([EXTENSION_ID, EXTENSION_DESCRIPTION, EXTENSION_SOURCE].concat());
        fields.push(b"ER", &extension);
        fields
    }

    /// Fields of a directory's record of itself or of its parent.
    pub(super) fn of_link(links: u32, time: &IsoTime) -> Self {
        let mut fields = Self::default();
        fields.push_attributes(0x81, None, MODE_DIRECTORY, links, time);
        fields
    }

    /// Fields of a directory's record in its parent.
    pub(super) fn of_directory(name: &str, links: u32, time: &IsoTime) -> Self {
        let mut fields = Self::default();
        fields.push_attributes(0x89, Some(name), MODE_DIRECTORY, links, time);
        fields
    }

    /// Fields of a file's record.
    pub(super) fn of_file(name: &str, time: &IsoTime) -> Self {
        let mut fields = Self::default();
        fields.push_attributes(0x89, Some(name), MODE_FILE, 1, time);
        fields
    }

    /// "RR" names the fields that follow (RRIP 1.09 §4.1.8), then name, owner and times (RRIP §4.1.1, §4.1.4, §4.1.6).
    fn push_attributes(
        &mut self,
        present: u8,
        name: Option<&str>,
        mode: u32,
        links: u32,
        time: &IsoTime,
    ) {
        self.push(b"RR", &[present]);
        if let Some(name) = name {
            let mut body = vec![0];
            body.extend_from_slice(name.as_bytes());
            self.push(b"NM", &body);
        }
        let mut owner = Vec::new();
        for number in [mode, links, 0, 0] {
            put_u32(&mut owner, number);
        }
        self.push(b"PX", &owner);
        // Modification, access and change of attributes.
        let mut times = vec![0x0e];
        times.extend([time.short; 3].concat());
        self.push(b"TF", &times);
    }

    fn push(&mut self, signature: &[u8; 2], body: &[u8]) {
        let length = u8::try_from(4 + body.len()).unwrap_or(u8::MAX);
        self.0
            .push([signature.as_slice(), &[length, 1], body].concat());
    }

    /// Splits the fields: those for the `room` bytes of the record itself, and the rest for `area`.
    pub(super) fn place(self, room: usize, area: &mut ContinuationArea) -> SystemUse {
        let even = |length: usize| length + length % 2;
        let total: usize = self.0.iter().map(Vec::len).sum();
        if even(total) <= room {
            return SystemUse {
                inline: self.0.concat(),
                continuation: None,
            };
        }
        let mut inline = Vec::new();
        let mut rest = Vec::new();
        for field in self.0 {
            // A later, shorter field may still fit; the order of fields has no meaning but that SP is first (SUSP §5.3).
            if even(inline.len() + field.len() + CONTINUATION_FIELD) <= room {
                inline.extend(field);
            } else {
                rest.extend(field);
            }
        }
        let continuation = Some(area.append(&rest));
        SystemUse {
            inline,
            continuation,
        }
    }
}

/// A record's system use area, but for where the continuation area will lie.
#[derive(Debug)]
pub(super) struct SystemUse {
    inline: Vec<u8>,
    /// Offset and length in the continuation area.
    continuation: Option<(u32, u32)>,
}

impl SystemUse {
    /// None at all, as in the Joliet tree.
    pub(super) const fn empty() -> Self {
        Self {
            inline: Vec::new(),
            continuation: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        let length = self.inline.len() + self.continuation.map_or(0, |_| CONTINUATION_FIELD);
        length + length % 2
    }

    /// The bytes, once the first sector of the continuation area is known.
    pub(super) fn bytes(&self, area_sector: u32) -> Vec<u8> {
        let sector = u32::try_from(SECTOR).unwrap_or(u32::MAX);
        let mut bytes = self.inline.clone();
        if let Some((offset, length)) = self.continuation {
            bytes.extend_from_slice(b"CE\x1c\x01");
            put_u32(&mut bytes, area_sector + offset / sector);
            put_u32(&mut bytes, offset % sector);
            put_u32(&mut bytes, length);
        }
        bytes.resize(self.len(), 0);
        bytes
    }
}

/// Fields that did not fit into their records.
#[derive(Debug, Default)]
pub(super) struct ContinuationArea(Vec<u8>);

impl ContinuationArea {
    /// Adds fields and says where they lie. They are in one sector: Linux reads no more (fs/isofs/rock.c).
    fn append(&mut self, fields: &[u8]) -> (u32, u32) {
        let offset = super::record::record_start(self.0.len(), fields.len());
        self.0.resize(offset, 0);
        self.0.extend_from_slice(fields);
        (
            u32::try_from(offset).unwrap_or(u32::MAX),
            u32::try_from(fields.len()).unwrap_or(u32::MAX),
        )
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
