//! `catalog-out-of-range`: the boot record points past the end.

use super::{recipe::declared::ANY_TOOL, room::Room};
use crate::{
    defect::{Injection, Patient},
    eltorito::{BOOT_RECORD_LBA, boot_record},
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    units::Lba,
};

const ID: FindingId = FindingId::CatalogOutOfRange;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios", "bochs", "ovmf", "u-boot"],
    explanation: "The boot record points to a catalog that is not on the disc.",
    consequence: "SeaBIOS stops with code 0007; OVMF finds nothing to boot.",
    remedy: "Download the image again if it was truncated. Otherwise write the boot record only after the catalog's address is fixed.",
    recipes: ANY_TOOL,
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some((record_lba, record)) = reading.descriptors.main.boot_record() else {
        return Vec::new();
    };
    let lba = record.catalog;
    if reading.disc.block(lba).is_some() {
        return Vec::new();
    }
    let message = format!(
        "the catalog should be at LBA {}, but the disc has {}",
        lba.get(),
        reading.disc.blocks()
    );
    let finding = Finding::new(ID, Place::within(record_lba, 0x47), message);
    vec![match reading.catalog_elsewhere() {
        Some(catalog) => points_to(reading, finding, catalog),
        None => finding,
    }]
}

/// A finding whose fix is a boot record that leads to a catalog.
pub(super) fn points_to(reading: &Reading<'_, '_>, finding: Finding, catalog: Lba) -> Finding {
    let record = reading.descriptors.main.boot_record().map(|(lba, _)| lba);
    match record.zip(catalog.to_u32()) {
        Some((record, catalog)) => {
            let pointer = Place::within(record, 0x47).offset;
            finding.fixed_by(pointer, &catalog.to_le_bytes())
        }
        None => finding,
    }
}

fn inject(disc: &mut Patient<'_>) {
    let record = boot_record(disc.past_end());
    disc.bytes.write_at(BOOT_RECORD_LBA.byte_offset(), &record);
}
