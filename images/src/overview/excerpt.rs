use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    eltorito::ENTRY_BYTES,
    finding::Finding,
    inspect::{EntryKind, EntryReading, Inspection, Window},
    map::DiscMap,
    units::ByteCount,
};

/// So many slots of the catalog are shown.
const SLOTS: usize = 64;
/// So many bytes are shown where a finding points to something else.
const AROUND: usize = 32;
/// They begin at a multiple of so many.
const LINE: u64 = 16;

/// Bytes that stand on a disc, with the names of their fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// What they belong to: `slot 1 of the catalog: initial entry`.
    pub what: String,
    /// The first byte on the disc.
    pub offset: u64,
    /// The bytes.
    #[serde(with = "hex")]
    pub bytes: Vec<u8>,
    /// What they mean, in order; empty where that is not known here.
    pub fields: Vec<Field>,
}

/// A field of a structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its first byte, from the structure's.
    pub at: usize,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its name.
    pub name: Cow<'static, str>,
}

impl Excerpt {
    /// Whether a byte of the disc is in it.
    #[must_use]
    pub fn holds(&self, offset: u64) -> bool {
        let length = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        offset
            .checked_sub(self.offset)
            .is_some_and(|at| at < length)
    }
}

/// Lengths and names, in order and without gaps.
type Layout = &'static [(usize, &'static str)];

/// El Torito, figure 7.
const BOOT_RECORD: Layout = &[
    (1, "descriptor type"),
    (5, "ISO 9660 identifier"),
    (1, "version"),
    (32, "boot system identifier"),
    (32, "unused"),
    (4, "LBA of the catalog"),
];
/// El Torito, figure 2.
const VALIDATION: Layout = &[
    (1, "header id"),
    (1, "platform id"),
    (2, "reserved"),
    (24, "id string"),
    (2, "checksum"),
    (2, "key bytes 55 AA"),
];
/// El Torito, figure 3.
const INITIAL: Layout = &[
    (1, "boot indicator"),
    (1, "boot media type"),
    (2, "load segment"),
    (1, "system type"),
    (1, "unused"),
    (2, "sector count"),
    (4, "load RBA"),
    (20, "unused"),
];
/// El Torito, figure 4.
const HEADER: Layout = &[
    (1, "header indicator"),
    (1, "platform id"),
    (2, "number of section entries"),
    (28, "id string"),
];
/// El Torito, figure 5.
const SECTION: Layout = &[
    (1, "boot indicator"),
    (1, "boot media type"),
    (2, "load segment"),
    (1, "system type"),
    (1, "unused"),
    (2, "sector count"),
    (4, "load RBA"),
    (1, "selection criteria type"),
    (19, "selection criteria"),
];
/// El Torito, figure 6.
const EXTENSION: Layout = &[
    (1, "extension indicator"),
    (1, "extension flag"),
    (30, "selection criteria"),
];

fn fields(layout: Layout) -> Vec<Field> {
    let mut at = 0;
    let field = |&(bytes, name): &(usize, &'static str)| {
        let field = Field {
            at,
            bytes,
            name: Cow::Borrowed(name),
        };
        at += bytes;
        field
    };
    layout.iter().map(field).collect()
}

/// The boot records, the catalog, and what findings point to besides.
pub(super) fn excerpts(
    disc: &mut Window<'_>,
    inspection: &Inspection,
    map: &DiscMap,
) -> Vec<Excerpt> {
    let mut excerpts = Vec::new();
    for record in &inspection.boot_records {
        let what = format!("boot record at LBA {}", record.lba.get());
        excerpts.extend(structure(disc, what, record.lba.byte_offset(), BOOT_RECORD));
    }
    if let Some(catalog) = &inspection.catalog {
        for entry in catalog.entries.iter().take(SLOTS) {
            let slot_bytes = u64::try_from(ENTRY_BYTES).unwrap_or(u64::MAX);
            let at = u64::from(entry.slot).saturating_mul(slot_bytes);
            let offset = catalog.lba.byte_offset().saturating_add(at);
            let (kind, layout) = entry_layout(entry);
            let what = format!("slot {} of the catalog: {kind}", entry.slot);
            excerpts.extend(structure(disc, what, offset, layout));
        }
    }
    let faults = inspection.findings.iter();
    for finding in faults.filter(|finding| !finding.is_description()) {
        if !excerpts.iter().any(|excerpt| excerpt.holds(finding.offset)) {
            excerpts.extend(around(disc, finding, map));
        }
    }
    excerpts.sort_by_key(|excerpt| excerpt.offset);
    excerpts
}

const fn entry_layout(entry: &EntryReading) -> (&'static str, Layout) {
    match entry.kind {
        EntryKind::Validation => ("validation entry", VALIDATION),
        EntryKind::Initial => ("initial entry", INITIAL),
        EntryKind::Header => ("section header", HEADER),
        EntryKind::Section => ("section entry", SECTION),
        EntryKind::Extension => ("section entry extension", EXTENSION),
    }
}

fn structure(disc: &mut Window<'_>, what: String, offset: u64, layout: Layout) -> Option<Excerpt> {
    let length = layout.iter().map(|(bytes, _)| bytes).sum();
    read(disc, what, offset, length).map(|excerpt| Excerpt {
        fields: fields(layout),
        ..excerpt
    })
}

/// What a finding points to.
fn around(disc: &mut Window<'_>, finding: &Finding, map: &DiscMap) -> Option<Excerpt> {
    let owned = map.whose(finding.offset, ByteCount::new(1));
    let what = owned.first().map_or_else(String::new, ToString::to_string);
    read(disc, what, finding.offset / LINE * LINE, AROUND)
}

/// The bytes that there are: nothing behind the disc's end.
fn read(disc: &mut Window<'_>, what: String, offset: u64, length: usize) -> Option<Excerpt> {
    let mut bytes = vec![0; length];
    let read = disc.read(offset, &mut bytes);
    bytes.truncate(read);
    (!bytes.is_empty()).then_some(Excerpt {
        what,
        offset,
        bytes,
        fields: Vec::new(),
    })
}

/// Bytes as text: `0100 0000 …` without the spaces.
mod hex {
    use std::fmt::Write;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
            .collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => Ok(digits
                .chunks_exact(2)
                .map(|pair| pair[0] << 4 | pair[1])
                .collect()),
            _ => Err(D::Error::custom("expected pairs of hexadecimal digits")),
        }
    }
}
