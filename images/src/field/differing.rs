//! Two discs, byte by byte: every field that is not the same.

use std::io;

use serde::{Deserialize, Serialize};

use super::FieldNames;
use crate::{
    bytes::printable,
    inspect::{Inspection, Source, Window},
    map::DiscMap,
    units::ByteCount,
};

/// So many bytes are read at once.
const CHUNK: usize = 1 << 20;
/// So many fields are named.
const FIELDS: usize = 10_000;
/// So many bytes of a field are shown.
const SHOWN: usize = 24;

/// What differs between two discs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How long they are.
    pub lengths: (ByteCount, ByteCount),
    /// The fields of the first that the second has otherwise, by where they stand.
    pub fields: Vec<Differing>,
    /// Whether that is all: no more than 10,000 are named.
    pub complete: bool,
}

impl Comparison {
    /// Whether both have the same bytes.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.lengths.0 == self.lengths.1 && self.fields.is_empty()
    }
}

/// A field that two discs have not alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differing {
    /// Its name, the same for all structures of a kind: `the recording date`.
    pub field: String,
    /// The file, entry or partition that it belongs to, where there are several of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The first byte that differs.
    pub offset: u64,
    /// How many bytes of it differ.
    pub bytes: u64,
    /// What the first disc has, from the field's beginning on, or from the first byte that differs where that is far behind.
    pub first: String,
    /// What the second disc has there.
    pub second: String,
}

/// Compares two discs; what differs is named by what was read of the first.
///
/// # Errors
/// One of them cannot be read.
pub fn compare(
    first: &dyn Source,
    second: &dyn Source,
    inspection: &Inspection,
) -> io::Result<Comparison> {
    let mut window = Window::new(first);
    let map = DiscMap::read(&mut window, inspection);
    let mut names = FieldNames::new(&mut window, inspection, &map);
    let lengths = (first.length(), second.length());
    let common = lengths.0.min(lengths.1).get();
    let mut fields: Vec<Differing> = Vec::new();
    let (mut here, mut there) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut at = 0;
    // The field that the last differing byte belongs to ends here.
    let mut known_to = 0;
    while at < common {
        let length = usize::try_from(common - at).unwrap_or(CHUNK).min(CHUNK);
        let (here, there) = (&mut here[..length], &mut there[..length]);
        read(first, at, here)?;
        read(second, at, there)?;
        if here != there {
            for (offset, (a, b)) in (at..).zip(here.iter().zip(there.iter())) {
                if a == b {
                    continue;
                }
                if offset < known_to
                    && let Some(last) = fields.last_mut()
                {
                    last.bytes += 1;
                    continue;
                }
                if fields.len() >= FIELDS {
                    return Ok(Comparison {
                        lengths,
                        fields,
                        complete: false,
                    });
                }
                let name = names.name(offset);
                known_to = name.end();
                let from = shown_from(name.offset, offset);
                let end = name.end().min(common);
                fields.push(Differing {
                    field: name.field,
                    of: name.of,
                    offset,
                    bytes: 1,
                    first: shown(first, from, end)?,
                    second: shown(second, from, end)?,
                });
            }
        }
        at += u64::try_from(length).unwrap_or(u64::MAX);
    }
    Ok(Comparison {
        lengths,
        fields,
        complete: true,
    })
}

/// The field from its beginning on, where what differs is shown with it.
fn shown_from(field: u64, differs: u64) -> u64 {
    let far = u64::try_from(SHOWN / 2).unwrap_or(u64::MAX);
    if differs.saturating_sub(field) < far {
        field
    } else {
        differs
    }
}

/// Bytes for people: as text where they are text, in hexadecimal digits otherwise.
fn shown(disc: &dyn Source, from: u64, end: u64) -> io::Result<String> {
    let whole = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; whole.min(SHOWN)];
    read(disc, from, &mut bytes)?;
    let more = if whole > SHOWN { "…" } else { "" };
    let text: &[u8] = bytes.trim_ascii_end();
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    let is_text = text.len() > 3 && text.iter().all(|byte| matches!(byte, b' '..=b'~'));
    Ok(if is_text {
        format!("\"{}\"{more}", printable(text))
    } else {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("{}{more}", digits.join(" "))
    })
}

/// Fills a buffer; zeros where there is nothing.
fn read(disc: &dyn Source, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = disc.read_at(offset, buffer)?;
        if read == 0 {
            buffer.fill(0);
            break;
        }
        offset = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        buffer = buffer.get_mut(read..).unwrap_or_default();
    }
    Ok(())
}
