//! `boot-record-id-padding`: the boot record's identifier differs from the specification's.

use super::{recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{Injection, Patient},
    eltorito::BOOT_RECORD_LBA,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
};

const ID: FindingId = FindingId::BootRecordIdPadding;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios"],
    explanation: "The boot record's version is not 1, or its identifier EL TORITO SPECIFICATION is not followed by zeros.",
    consequence: "SeaBIOS checks the version and the zero after the identifier, and stops with code 0005; OVMF boots.",
    remedy: "Write version 1, and pad the boot system identifier with zeros, not with spaces as in other ISO 9660 identifiers.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some((lba, record)) = reading.descriptors.main.boot_record() else {
        return Vec::new();
    };
    let (place, message) = if record.padding != 0 {
        let message = format!(
            "byte 1Eh, after the boot system identifier, is {:02X}, not 00",
            record.padding
        );
        (Place::within(lba, 0x1E), message)
    } else if record.version != 1 {
        let message = format!("the boot record has version {}, not 1", record.version);
        (Place::within(lba, 6), message)
    } else {
        return Vec::new();
    };
    let identifier_end = Place::within(lba, 0x1E).offset;
    let version = Place::within(lba, 6).offset;
    let finding = Finding::new(ID, place, message)
        .fixed_by(version, &[1])
        .fixed_by(identifier_end, &[0; 9]);
    vec![finding]
}

/// Spaces, as after the other identifiers.
fn inject(disc: &mut Patient<'_>) {
    let behind_id = BOOT_RECORD_LBA.byte_offset() + 7 + 23;
    disc.bytes.write_at(behind_id, &[b' '; 9]);
}
