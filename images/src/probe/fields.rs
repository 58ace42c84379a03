//! What the fields of a probe's line say.

use super::{
    DiscHash,
    report::{AreaReport, CheckReport, FileReport, ProbeKind, SweepReport},
    sector::Found,
};

/// One line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Begin {
        kind: ProbeKind,
        disc: DiscHash,
        slot: u16,
    },
    /// Pairs of key and value that no other variant claims.
    Facts(Vec<(String, String)>),
    Check(CheckReport),
    Area(AreaReport),
    Sweep(SweepReport),
    File(FileReport),
    End,
}

/// What `text`, fields separated by single spaces, says; `None` when it is not in the grammar.
pub(super) fn parse(text: &str) -> Option<Content> {
    let fields: Vec<_> = text.split(' ').map(field).collect::<Option<_>>()?;
    let content = match fields.as_slice() {
        [("begin", kind), ("disc", disc), ("slot", slot)] => Content::Begin {
            kind: match *kind {
                "bios" => ProbeKind::Bios,
                "uefi" => ProbeKind::Uefi,
                _ => return None,
            },
            disc: disc_hash(disc)?,
            slot: decimal(slot)?,
        },
        [("check", name), ("sector", sector), found @ ..] => Content::Check(CheckReport {
            name: (*name).to_owned(),
            sector: decimal(sector)?,
            found: what_was_found(found)?,
        }),
        [("area", sectors), ("crc", crc)] => Content::Area(AreaReport {
            sectors: decimal(sectors)?,
            crc: Some(hex16(crc)?),
            error: None,
        }),
        [("area", sectors), ("error", code), ("at", sector)] => Content::Area(AreaReport {
            sectors: decimal(sectors)?,
            crc: None,
            error: Some((decimal(sector)?, hex8(code)?)),
        }),
        [("sweep", range), ("intact", intact), rest @ ..] => {
            let (first, last) = range.split_once('-')?;
            Content::Sweep(SweepReport {
                first: decimal(first)?,
                last: decimal(last)?,
                intact: decimal(intact)?,
                first_bad: match rest {
                    [] => None,
                    [("first-bad", sector), found @ ..] => {
                        Some((decimal(sector)?, what_was_found(found)?))
                    }
                    _ => return None,
                },
            })
        }
        [("file", _), ("size", bytes), ("crc", crc)] => Content::File(FileReport {
            bytes: Some(decimal(bytes)?),
            crc: Some(hex16(crc)?),
            error: None,
        }),
        [("file", _), ("error", code)] => Content::File(FileReport {
            bytes: None,
            crc: None,
            error: Some(hex8(code)?),
        }),
        [("end", "ok")] => Content::End,
        // A known line that is not as above is not a fact of another name.
        [
            ("begin" | "check" | "area" | "sweep" | "file" | "end", _),
            ..,
        ] => return None,
        facts => Content::Facts(
            facts
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        ),
    };
    Some(content)
}

fn field(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let visible = |byte: u8| byte.is_ascii_graphic();
    (!key.is_empty() && key.bytes().all(plain) && !value.is_empty() && value.bytes().all(visible))
        .then_some((key, value))
}

fn what_was_found(fields: &[(&str, &str)]) -> Option<Found> {
    match fields {
        [("error", code)] => hex8(code).map(Found::Error),
        [("found", "hole")] => Some(Found::Hole),
        [("found", "other"), ("crc", crc)] => hex16(crc).map(Found::Other),
        [
            ("found", "foreign"),
            ("disc", disc),
            ("slot", slot),
            ("number", number),
        ] => Some(Found::Foreign {
            disc: disc_hash(disc)?,
            slot: decimal(slot)?,
            number: decimal(number)?,
        }),
        [("found", number)] => decimal(number).map(Found::Sector),
        _ => None,
    }
}

/// A decimal number that fits its type: digits only, no sign.
pub(super) fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// A number of exactly so many hexadecimal digits.
pub(super) fn hex(text: &str, digits: usize) -> Option<u64> {
    if text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u64::from_str_radix(text, 16).ok()
    } else {
        None
    }
}

fn hex8(text: &str) -> Option<u8> {
    hex(text, 2).and_then(|number| u8::try_from(number).ok())
}

fn hex16(text: &str) -> Option<u16> {
    hex(text, 4).and_then(|number| u16::try_from(number).ok())
}

fn disc_hash(text: &str) -> Option<DiscHash> {
    hex(text, 16).map(DiscHash::from_bits)
}
