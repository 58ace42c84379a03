use serde::{Deserialize, Serialize};

use crate::{
    eltorito::ENTRY_BYTES,
    field::{self, Field, Layout},
    finding::Finding,
    inspect::{Inspection, Window},
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

/// The boot records, the catalog, and what findings point to besides.
pub(super) fn excerpts(
    disc: &mut Window<'_>,
    inspection: &Inspection,
    map: &DiscMap,
) -> Vec<Excerpt> {
    let mut excerpts = Vec::new();
    for record in &inspection.boot_records {
        let what = format!("boot record at LBA {}", record.lba.get());
        excerpts.extend(structure(
            disc,
            what,
            record.lba.byte_offset(),
            field::BOOT_RECORD,
        ));
    }
    if let Some(catalog) = &inspection.catalog {
        for entry in catalog.entries.iter().take(SLOTS) {
            let slot_bytes = u64::try_from(ENTRY_BYTES).unwrap_or(u64::MAX);
            let at = u64::from(entry.slot).saturating_mul(slot_bytes);
            let offset = catalog.lba.byte_offset().saturating_add(at);
            let (kind, layout) = field::of_slot(entry.kind);
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

fn structure(disc: &mut Window<'_>, what: String, offset: u64, layout: Layout) -> Option<Excerpt> {
    let length = layout.iter().map(|(bytes, _)| bytes).sum();
    read(disc, what, offset, length).map(|excerpt| Excerpt {
        fields: field::fields(layout),
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
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&crate::bytes::hex(bytes))
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
