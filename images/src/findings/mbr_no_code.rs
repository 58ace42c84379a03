//! `mbr-no-code`: a partition table without boot code.

use super::{
    boot_code, mbr_no_active,
    recipe::declared::{grub_mkrescue, stick},
    room::Room,
};
use crate::{
    defect::{Injection, Patient, needs_boot_code},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, SectorCode},
    partition_table::MbrEntry,
    tool::Tool,
};

const ID: FindingId = FindingId::MbrNoCode;

pub(super) const ROOM: Room = Room {
    severity: Severity::Warning,
    milder: Some(Severity::Info),
    trips: &["usb"],
    explanation: "The first sector has a partition table and 55 AA, but no boot code.",
    consequence: "On a stick, a BIOS finds no code to run, and hangs.",
    remedy: "Use the disc in a CD drive, or with UEFI firmware. If you make the disc, put boot code into the first sector.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "isohybrid"),
        grub_mkrescue(),
    ],
    describes: true,
    check,
    defect: Some(Injection {
        express: needs_boot_code,
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let partitions = &reading.inspection.partitions;
    if reading.sector_code != SectorCode::None || !partitions.signature || partitions.mbr.is_empty()
    {
        return Vec::new();
    }
    let place = Place { offset: 0 };
    let finding = if reading.bios_entries().any(|(_, boot)| boot.bootable) {
        let message = "the first sector has a partition table and no boot code, but the catalog has an entry for a BIOS: from a stick, a BIOS does not start the disc".to_owned();
        Finding::new(ID, place, message)
    } else {
        let message =
            "the first sector has a partition table and no boot code: from a stick, a BIOS does not start the disc"
                .to_owned();
        Finding::new(ID, place, message).milder()
    };
    let Some(code) = boot_code::boot_code(reading) else {
        return vec![finding];
    };
    // The code needs an active partition.
    let active = mbr_no_active::activation(reading);
    vec![finding.fixed_by_all(code).fixed_by_all(active)]
}

fn inject(disc: &mut Patient<'_>) {
    disc.bytes.write_at(0, &[0; MbrEntry::TABLE as usize]);
}
