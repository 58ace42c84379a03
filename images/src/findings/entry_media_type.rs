//! `entry-media-type`: a media type that does not exist.

use super::{
    recipe::declared::{bsdtar, genisoimage, oscdimg, pycdlib, xorriso},
    room::Room,
};
use crate::{
    defect::{INITIAL, Injection, Patient},
    eltorito::{MediaType, Platform},
    finding::{Finding, FindingId, Severity},
    inspect::{BootReading, EntryKind, EntryReading, Reading},
};

const ID: FindingId = FindingId::EntryMediaType;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs"],
    explanation: "The media type is not 0 (no emulation), 1 to 3 (floppies) or 4 (hard disk), or it has reserved bits set.",
    consequence: "SeaBIOS treats every value from 4 on as a hard disk. OVMF masks the upper bits; for 5 to F, it extends the image to the end of the volume.",
    remedy: "Write 0 for no emulation, or the number of the drive that the image represents.",
    recipes: &[
        xorriso("-no-emul-boot -hard-disk-boot"),
        genisoimage("-no-emul-boot -hard-disk-boot"),
        bsdtar("boot-type"),
        pycdlib("media_name"),
        oscdimg(""),
    ],
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries: Vec<_> = reading.entries().collect();
    for (entry, boot) in entries {
        let Some(wrong) = wrong(entry.kind, boot.media) else {
            continue;
        };
        let message = format!("slot {}: {wrong}", entry.slot);
        let finding = Finding::new(ID, reading.place(entry, 1), message);
        let place = finding.offset;
        findings.push(match right(reading, entry, boot) {
            Some(right) => finding.fixed_by(place, &[right]),
            None => finding,
        });
    }
    findings
}

/// The bits of a media type that must be clear.
const fn reserved(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::Initial => 0xF0,
        // Bits 5 to 7 of a section entry describe what follows and the image's content (El Torito §2.4).
        _ => 0x10,
    }
}

/// The media type that fits the image: none if it is neither a file system nor a drive. Existing flags stay.
fn right(reading: &mut Reading<'_, '_>, entry: &EntryReading, boot: &BootReading) -> Option<u8> {
    if !reading.is_something(boot) {
        return None;
    }
    let flags = boot.media.0 & 0xF0 & !reserved(entry.kind);
    let emulation = boot.media.emulation();
    if emulation.0 <= MediaType::HARD_DISK.0 {
        return Some(flags | emulation.0);
    }
    let is_program = entry.platform == Platform::EFI || boot.fat.is_none();
    let right = reading.right_media(boot);
    let right = right.or(is_program.then_some(MediaType::NO_EMULATION))?;
    Some(flags | right.0)
}

fn wrong(kind: EntryKind, media: MediaType) -> Option<String> {
    let reserved = reserved(kind);
    let byte = media.0;
    if media.emulation().0 > MediaType::HARD_DISK.0 {
        Some(format!(
            "the media type is {byte:02X}, and only 0 to 4 are defined"
        ))
    } else if byte & reserved != 0 {
        Some(format!(
            "the media type is {byte:02X}: reserved bits are set"
        ))
    } else {
        None
    }
}

/// The first type that is not in the specification.
fn inject(disc: &mut Patient<'_>) {
    disc.patch(INITIAL, 1, &[5]);
}
