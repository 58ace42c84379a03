//! Bytes of a disc as a table, those that findings point to marked.

use images::{
    finding::{Finding, Severity},
    overview::{Excerpt, Field},
    units::Lba,
};
use serde::Serialize;

/// So many bytes stand on a line.
const LINE: usize = 16;

/// A structure, byte by byte.
#[derive(Debug, Serialize)]
pub(super) struct Dump {
    what: String,
    lba: Lba,
    /// Whether a finding points to it that is more than worth knowing.
    bad: bool,
    lines: Vec<DumpLine>,
    /// What the findings say of it.
    marks: Vec<Mark>,
}

#[derive(Debug, Serialize)]
struct DumpLine {
    /// From the disc's start, in hexadecimal.
    offset: String,
    bytes: Vec<DumpByte>,
    /// How many bytes it is short of a whole one.
    short: usize,
}

#[derive(Debug, Serialize)]
struct DumpByte {
    hex: String,
    character: char,
    /// Whether a finding points to it.
    bad: bool,
    /// Whether it belongs to every other field.
    odd: bool,
    field: String,
}

#[derive(Debug, Serialize)]
struct Mark {
    finding: String,
    /// `byte 06, sector count: 10 00`.
    place: String,
    message: String,
}

impl Dump {
    pub(super) fn new(excerpt: &Excerpt, findings: &[Finding]) -> Self {
        let here = findings
            .iter()
            .filter(|finding| excerpt.holds(finding.offset));
        let guilty: Vec<(&Finding, (usize, usize))> = here
            .map(|finding| (finding, guilty(excerpt, finding.offset)))
            .collect();
        let bad = |at: usize| {
            let mut places = guilty
                .iter()
                .map(|(_, (begin, bytes))| *begin..begin + bytes);
            places.any(|place| place.contains(&at))
        };
        let byte = |at: usize, byte: u8| {
            let field = excerpt
                .fields
                .iter()
                .position(|field| (field.at..field.at + field.bytes).contains(&at));
            let name = field.map_or("", |field| &excerpt.fields[field].name);
            DumpByte {
                hex: format!("{byte:02x}"),
                character: match byte {
                    0x20..0x7F => char::from(byte),
                    _ => '·',
                },
                bad: bad(at),
                odd: field.is_some_and(|field| field % 2 == 1),
                field: name.to_owned(),
            }
        };
        let lines = excerpt.bytes.chunks(LINE).enumerate().map(|(line, bytes)| {
            let begin = line * LINE;
            DumpLine {
                short: LINE - bytes.len(),
                offset: format!("{:08x}", excerpt.offset.saturating_add(begin as u64)),
                bytes: bytes
                    .iter()
                    .enumerate()
                    .map(|(at, &value)| byte(begin + at, value))
                    .collect(),
            }
        });
        Self {
            lines: lines.collect(),
            what: excerpt.what.clone(),
            lba: Lba::of_offset(excerpt.offset),
            bad: guilty
                .iter()
                .any(|(finding, _)| finding.severity != Severity::Info),
            marks: guilty
                .iter()
                .map(|(finding, place)| mark(excerpt, finding, *place))
                .collect(),
        }
    }
}

fn mark(excerpt: &Excerpt, finding: &Finding, (begin, bytes): (usize, usize)) -> Mark {
    let values = excerpt.bytes.get(begin..begin + bytes).unwrap_or_default();
    let values: Vec<String> = values.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = match field_at(excerpt, begin) {
        Some(field) => format!(", {}", field.name),
        None => String::new(),
    };
    Mark {
        finding: finding.id.to_string(),
        place: format!("byte {begin:02x}h{name}: {}", values.join(" ")),
        message: finding.message.clone(),
    }
}

/// The field that a finding points to, or the byte where there are no fields: where it begins, and how long it is.
fn guilty(excerpt: &Excerpt, offset: u64) -> (usize, usize) {
    let at = usize::try_from(offset.saturating_sub(excerpt.offset)).unwrap_or(usize::MAX);
    match field_at(excerpt, at) {
        // A finding about an entry as a whole points to its first byte.
        Some(field) => (field.at, field.bytes),
        None => (at, 1),
    }
}

fn field_at(excerpt: &Excerpt, at: usize) -> Option<&Field> {
    let mut fields = excerpt.fields.iter();
    fields.find(|field| (field.at..field.at + field.bytes).contains(&at))
}

#[cfg(test)]
mod tests {
    use images::finding::{FindingId, Place};

    use super::*;

    #[test]
    fn the_whole_field_that_a_finding_points_to_is_marked() {
        let field = |at, bytes, name: &'static str| Field {
            at,
            bytes,
            name: name.into(),
        };
        let excerpt = Excerpt {
            what: "slot 1 of the catalog: initial entry".into(),
            offset: 4096,
            bytes: (0..20).collect(),
            fields: vec![
                field(0, 6, "others"),
                field(6, 2, "sector count"),
                field(8, 12, "rest"),
            ],
        };
        let finding =
            |offset| Finding::new(FindingId::CountUnit, Place { offset }, "too few".into());
        let dump = Dump::new(&excerpt, &[finding(4102), finding(9000)]);
        let bad = dump.lines.iter().flat_map(|line| &line.bytes);
        let bad: Vec<&str> = bad
            .filter(|byte| byte.bad)
            .map(|byte| byte.hex.as_str())
            .collect();
        assert_eq!(bad, ["06", "07"]);
        assert_eq!(dump.marks.len(), 1);
        assert_eq!(dump.marks[0].place, "byte 06h, sector count: 06 07");
        assert_eq!(dump.lines[1].offset, "00001010");
    }
}
