//! `boot-record-misplaced`: the boot record is not at LBA 17.

use super::{recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{BEHIND_BOOT_RECORD, Injection, PRIMARY, Patient},
    eltorito::BOOT_RECORD_LBA,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    iso9660::DescriptorKind,
    units::Lba,
};

const ID: FindingId = FindingId::BootRecordMisplaced;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs"],
    explanation: "The boot record is not at LBA 17, where El Torito requires it.",
    consequence: "SeaBIOS reads only LBA 17 and stops with code 0004; OVMF searches all descriptors and boots.",
    remedy: "Put the boot record directly after the primary volume descriptor, before any supplementary one.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let set = &reading.descriptors.main;
    let misplaced = set.boot_record();
    let Some((lba, _)) = misplaced.filter(|(lba, _)| *lba != BOOT_RECORD_LBA) else {
        return Vec::new();
    };
    let message = format!("the boot record is at LBA {}, not at LBA 17", lba.get());
    let finding = Finding::new(ID, Place::block(lba), message);
    // The two descriptors are swapped. A primary one must come first, and the terminator last.
    let kind_at = |lba: Lba| set.all.iter().find(|it| it.0 == lba).map(|it| it.1);
    let other = kind_at(BOOT_RECORD_LBA);
    let first = if lba == PRIMARY {
        other
    } else {
        kind_at(PRIMARY)
    };
    let is_whole = first == Some(DescriptorKind::Primary)
        && other.is_some_and(|kind| kind != DescriptorKind::Terminator);
    let (record, other) = (reading.disc.block(lba), reading.disc.block(BOOT_RECORD_LBA));
    let finding = match record.zip(other).filter(|_| is_whole) {
        Some((record, other)) => finding
            .fixed_by(BOOT_RECORD_LBA.byte_offset(), &record)
            .fixed_by(lba.byte_offset(), &other),
        None => finding,
    };
    vec![finding]
}

/// A copy of the primary descriptor replaces it, as on discs that have one.
fn inject(disc: &mut Patient<'_>) {
    let primary: [u8; 2048] = disc.bytes.array_at(PRIMARY.byte_offset());
    let moved: [u8; 2048] = disc.bytes.array_at(BOOT_RECORD_LBA.byte_offset());
    disc.bytes.write_at(BOOT_RECORD_LBA.byte_offset(), &primary);
    disc.bytes
        .write_at(BEHIND_BOOT_RECORD.byte_offset(), &moved);
}
