//! `image-oversized-4x`: an image that takes four times its length: KB912666.

use super::room::Room;
use crate::{
    bytes::both32,
    defect::Injection,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{
        Reading,
        oversized::{self, Fourfold},
        records_of,
    },
    units::{Lba, VirtualSectorCount},
};

/// The file's length in a directory record (ECMA-119 §9.1.4).
const DATA_LENGTH: u64 = 10;

const ID: FindingId = FindingId::ImageOversized4x;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["tools"],
    explanation: "A boot image takes up exactly four times its stated length: it was counted in 512-byte sectors and written in 2048-byte blocks (KB912666).",
    consequence: "If the extra bytes come after the image, it boots, but wastes space, and an image above a quarter of the medium cannot be mastered.",
    remedy: "Master the disc again with a tool that does not confuse the two units; on Windows XP, with the Imapi.exe of KB912666.",
    check,
    defect: Some(Injection::WORDS),
    ..Room::BASE
};

/// Checks every image that has a known length.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<Lba> = Vec::new();
    let entries: Vec<_> = reading.entries().collect();
    for (entry, boot) in entries {
        let Some(own) = boot.own_length else { continue };
        if seen.contains(&boot.load_rba) || !oversized::takes_fourfold(boot, own) {
            continue;
        }
        seen.push(boot.load_rba);
        if let Some(how) = oversized::filling(reading.disc, boot.load_rba, own) {
            let message = oversized::message(entry.slot, boot, own, how);
            let finding = Finding::new(ID, Place::block(boot.load_rba), message);
            // A fix can be long: there is one at a time.
            findings.push(if findings.is_empty() {
                fixed(reading, finding, boot.load_rba, own, how)
            } else {
                finding
            });
        }
    }
    findings
}

/// The fix is a file that ends with the image, and sectors in a row again. The excess of the image stays on the disc as zeros that belong to no
/// file.
fn fixed(
    reading: &mut Reading<'_, '_>,
    finding: Finding,
    image: Lba,
    length: VirtualSectorCount,
    how: Fourfold,
) -> Finding {
    let records = records_of(reading.disc, &reading.descriptors.main, image);
    let Some(bytes) = length.bytes().to_u32().filter(|_| !records.is_empty()) else {
        return finding;
    };
    let finding = match how {
        Fourfold::Tail => finding,
        Fourfold::Spread => match oversized::joined(reading.disc, image, length) {
            Some(joined) => finding.fixed_by(image.byte_offset(), &joined),
            None => return finding,
        },
    };
    records.into_iter().fold(finding, |finding, record| {
        finding.fixed_by(record.saturating_add(DATA_LENGTH), &both32(bytes))
    })
}
